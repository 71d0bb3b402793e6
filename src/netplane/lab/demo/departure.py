"""Item 9: deleting everything leaves every table as it was when empty, and no record in the store."""

import sqlite3
from collections.abc import Iterator

from netplane.lab.demo.check import Check
from netplane.lab.demo.scene import Scene, Tables, read_all_tables
from netplane.lab.wait import NotReached, until
from netplane.model import CONTROL, WORLD, Host, kind_of

COLLECTIONS = ("network", "subnet", "port", "router")
"""Security groups are left to the database: listing them makes the asking project's default group."""


def checks(scene: Scene) -> Iterator[Check]:
    """First asked of the API, then of the kernels, then in the database itself."""
    for tenant in scene.tenants.values():
        tenant.delete()
    api = scene.lab.controller.api()
    for group in api.find("security_group"):
        api.delete("security_group", group["id"])
    left = {kind: len(found) for kind in COLLECTIONS if (found := api.find(kind))}
    yield Check("the API lists nothing", not left, f"{sum(left.values())} resources left", str(left or ""))
    yield _tables(scene)
    yield _records(scene)


def _tables(scene: Scene) -> Check:
    """Entries that machines' traffic made go too, at the agents' next round."""
    try:
        until("tables are as when empty", lambda: read_all_tables(scene.lab) == scene.empty, 20, 0.1)
    except NotReached as problem:
        return Check(
            "tables are as when empty", False, str(problem), difference(scene.empty, read_all_tables(scene.lab))
        )
    total = sum(len(tables) for tables in scene.empty.values())
    return Check("tables are as when empty", True, f"{total} tables on {len(scene.empty)} hosts are the same")


def difference(before: Tables, after: Tables) -> str:
    """What differs, a few lines of each table."""
    found = []
    for host, tables in after.items():
        for name, lines in tables.items():
            was = set(before.get(host, {}).get(name, ()))
            more, less = sorted(set(lines) - was), sorted(was - set(lines))
            found += [f"{host} {name} + {line}" for line in more[:3]] + [f"{host} {name} - {line}" for line in less[:3]]
    return "\n".join(found)


def _records(scene: Scene) -> Check:
    """Of the network only the hosts themselves are left; who may call and who may be a host stays."""
    network = ", ".join(f"'{kind_of(kind)}'" for kind in WORLD if kind is not Host)
    control = ", ".join(f"'{kind_of(kind)}'" for kind in CONTROL)
    database = sqlite3.connect(f"file:{scene.lab.controller.database}?mode=ro", uri=True)
    try:
        records = _count(database, f"SELECT kind, count(*) FROM resource WHERE kind IN ({network}) GROUP BY kind")
        others = _count(database, f"SELECT 'reference', count(*) FROM reference WHERE kind IN ({network})")
        owners = f"SELECT id FROM resource WHERE kind IN ({control})"
        claims = _count(database, f"SELECT 'claim', count(*) FROM claim WHERE owner NOT IN ({owners})")["claim"]
    finally:
        database.close()
    wanted = 2 * len(scene.lab.hosts)
    left = {**records, **{name: number for name, number in others.items() if number}}
    measured = f"{sum(left.values())} records and references; {claims} claims, all of {len(scene.lab.hosts)} hosts"
    return Check("the store holds no record but the hosts", not left and claims == wanted, measured, str(left or ""))


def _count(database: sqlite3.Connection, query: str) -> dict[str, int]:
    return dict(database.execute(query).fetchall())
