"""Databases of former netplanes, empty ones, and those of later ones."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from msgspec.structs import replace
from sqlalchemy import Engine, inspect, text

from netplane.model import AddressScope, Network, SubnetPool
from netplane.store import Conflict, Store, Unfit
from netplane.store.codec import encode
from netplane.store.engine import database_url, open_engine
from netplane.store.migrations import HERE, climb, level_of, upgrade
from netplane.store.schema import LEVEL, METADATA, NEEDED
from tests import postgres
from tests.contract.stores import new_network

KINDS = ("sqlite", "postgresql")


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database."""
    if request.param == "sqlite":
        yield f"{tmp_path}/netplane.db"
    else:
        url = postgres.cluster().create()
        yield url
        postgres.cluster().drop(url)


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    opened = open_engine(database_url(database), write=True)
    yield opened
    opened.dispose()


def differences(engine: Engine) -> list[object]:
    """What the tables lack of those that this netplane declares, and what they have beyond."""
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), METADATA))


def keys(engine: Engine) -> dict[str, list[str]]:
    """The primary keys of all tables, column by column."""
    looked = inspect(engine)
    names = (table.name for table in METADATA.sorted_tables)
    return {name: looked.get_pk_constraint(name)["constrained_columns"] for name in names}


def test_the_steps_lead_to_the_tables_that_are_declared(engine: Engine) -> None:
    with engine.begin() as connection:
        climb(connection, 0, LEVEL)
    assert (level_of(engine), differences(engine)) == (LEVEL, [])


def test_an_empty_database_gets_the_same_at_once(engine: Engine) -> None:
    assert upgrade(engine) == (0, LEVEL)
    assert (level_of(engine), differences(engine)) == (LEVEL, [])
    assert upgrade(engine) == (LEVEL, LEVEL)


def test_the_level_is_the_number_of_steps() -> None:
    steps = list(ScriptDirectory(str(HERE)).walk_revisions())
    assert sorted(step.revision for step in steps) == [f"{number:04}" for number in range(1, LEVEL + 1)]


def test_many_may_bring_it_up_at_once(database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(Store.open, [database] * 4))
    assert len({store.log for store in stores}) == 1
    for store in stores:
        store.close()


@pytest.mark.parametrize("level", range(1, LEVEL))
def test_a_database_of_a_former_netplane_is_brought_up(database: str, engine: Engine, level: int) -> None:
    """Its records, its log and its revisions stay."""
    network = replace(new_network(), name="web")
    with engine.begin() as connection:
        climb(connection, 0, level)
        fill(connection, network)
        if level >= 4:  # which counts what it writes
            connection.execute(text("INSERT INTO tally (project, kind, used) VALUES ('blue', 'network', 1)"))
        if level >= 5:  # which finds what it writes by name
            columns = '(source, kind, field, target, "cascade")'
            found = f"INSERT INTO reference {columns} VALUES (:id, 'network', 'name', '=web', true)"
            connection.execute(text(found), {"id": network.id})
    if database.startswith("postgresql"):
        if level < NEEDED:
            with pytest.raises(Unfit, match="netplane db upgrade"):
                Store.open(database)
        else:
            Store.open(database).close()
        assert upgrade(engine) == (level, LEVEL)
    store = Store.open(database)
    check_filled(store, network)
    store.close()
    assert differences(engine) == []
    assert keys(engine) == {table.name: [*table.primary_key.columns.keys()] for table in METADATA.sorted_tables}


def test_whoever_writes_meanwhile_is_waited_for() -> None:
    """In the middle of a transaction of a former netplane, whatever tables it still needs."""
    database = postgres.cluster().create()
    engine, writer = (open_engine(database_url(database), write=True) for _ in range(2))
    network = new_network()
    with engine.begin() as connection:
        climb(connection, 0, 6)
        fill(connection, network)
    with ThreadPoolExecutor(1) as pool:
        with writer.begin() as connection:
            connection.execute(text("SELECT revision FROM log FOR UPDATE"))
            connection.execute(text("INSERT INTO resource VALUES ('s', 'subnet', 'blue', 2, '')"))
            done = pool.submit(upgrade, engine)
            wait_for_lock(database)
            row = "INSERT INTO reference VALUES ('s', 'subnet', 'network_id', :network, true)"
            connection.execute(text(row), {"network": network.id})
        assert done.result() == (6, LEVEL)
    engine.dispose()
    writer.dispose()
    postgres.cluster().drop(database)


def wait_for_lock(database: str) -> None:
    """Until somebody waits for a lock in a database."""
    name = database_url(database).database
    with psycopg.connect(postgres.cluster().driver_url(str(name)), autocommit=True) as connection:
        waiting = (
            "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE datname = %s AND NOT granted"
        )
        deadline = monotonic() + 5
        while connection.execute(waiting, [name]).fetchone() == (0,):
            assert monotonic() < deadline
            sleep(0.01)


def pool(id: str, prefix: str) -> SubnetPool:
    return SubnetPool(
        id=id,
        prefixes=(prefix,),
        ip_version=4,
        default_prefixlen=24,
        min_prefixlen=8,
        max_prefixlen=32,
        address_scope_id="s",
    )


def test_ranges_of_scopes_are_claimed(database: str, engine: Engine) -> None:
    """A pool that an older netplane has put into a scope is there for who puts another into it."""
    both = replace(pool("p", "10.0.0.0/16"), prefixes=("10.0.0.0/16", "10.8.0.0/16"))
    row = {"body": encode(both)}
    with engine.begin() as connection:
        climb(connection, 0, 8)
        connection.execute(text("INSERT INTO log (identity, revision) VALUES ('the-log', 1)"))
        connection.execute(text("INSERT INTO resource VALUES ('p', 'subnetpool', 'blue', 1, :body)"), row)
    upgrade(engine)
    store = Store.open(database)
    with store.read() as reader:
        assert reader.claimed("scope:s") == ["0a00000010", "0a08000010"]
    store.close()


def test_what_former_controllers_leave_is_put_right(database: str) -> None:
    """They make, put elsewhere and delete pools of scopes beside this netplane, and claim nothing; nor do backups."""
    store = Store.open(database)
    with store.write("new") as transaction:
        transaction.add(AddressScope(id="s", ip_version=4))
        for number, id in enumerate("abc"):
            transaction.add(pool(id, f"10.{number}.0.0/16"))
    former = open_engine(database_url(database), write=True)
    with former.begin() as connection:
        connection.execute(text("DELETE FROM resource WHERE id = 'a'"))
        move = "UPDATE resource SET body = :body WHERE id = 'b'"
        connection.execute(text(move), {"body": encode(pool("b", "10.8.0.0/16"))})
        make = "INSERT INTO resource VALUES ('d', 'subnetpool', '', 9, :body)"
        connection.execute(text(make), {"body": encode(pool("d", "10.9.0.0/16"))})
    former.dispose()
    with pytest.raises(Conflict), store.write("new") as transaction:
        transaction.add(pool("e", "10.0.0.0/16"))
    other = Store.open(database)
    with other.read() as reader:
        claims = {value: reader.holder("scope:s", value) for value in reader.claimed("scope:s")}
    assert claims == {"0a02000010": "c", "0a08000010": "b", "0a09000010": "d"}
    with store.write("new") as transaction:
        transaction.add(pool("e", "10.0.0.0/16"))
    with pytest.raises(Conflict), store.write("new") as transaction:
        transaction.add(pool("f", "10.9.0.0/16"))
    for each in (store, other):
        each.close()


def test_a_file_from_before_there_were_levels(tmp_path: Path) -> None:
    """As the first netplane made it, by the tables' own words."""
    network, path = new_network(), tmp_path / "netplane.db"
    with sqlite3.connect(path) as connection:
        connection.executescript((Path(__file__).parent / "first.sql").read_text())
        body = encode(network)
        connection.execute("INSERT INTO resource VALUES (?, 'network', 'blue', 1, ?)", (network.id, body))
        change = (1, "network", network.id, "upsert", body, "ann", "2030-01-01T00:00:00.000000Z")
        connection.execute("INSERT INTO change VALUES (?, ?, ?, ?, ?, ?, ?)", change)
        connection.execute("INSERT INTO log VALUES ('the-log', 1)")
    connection.close()
    store = Store.open(str(path))
    check_filled(store, network)
    store.close()


def test_a_database_that_needs_a_later_netplane_is_refused(database: str, engine: Engine) -> None:
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
        connection.execute(text("INSERT INTO claim VALUES ('scope:s', 'as a later one writes it', 'p')"))
    later = Store.open(database)  # it has grown, and still serves this netplane
    with later.read() as reader:
        assert reader.holder("scope:s", "as a later one writes it") == "p"
    later.close()
    with engine.begin() as connection:
        connection.execute(text("UPDATE log SET oldest = 98"))
    with pytest.raises(Unfit, match="level 99, which needs a netplane of level 98"):
        Store.open(database)


def test_the_command_line(database: str) -> None:
    def run(*words: str) -> tuple[int, str]:
        argv = [sys.executable, "-m", "netplane.cli", "db", *words, "--database", database]
        done = subprocess.run(argv, capture_output=True, text=True)
        return done.returncode, (done.stdout + done.stderr).strip()

    assert run("upgrade", "--check") == (1, f"level 0; this netplane has {LEVEL}")
    assert run("upgrade") == (0, f"from level 0 to {LEVEL}")
    assert run("upgrade", "--check") == (0, f"level {LEVEL}; this netplane has {LEVEL}")
    assert run("current")[1].startswith(f"level {LEVEL};")


def fill(connection: object, network: Network) -> None:
    """A network, as any netplane wrote it."""
    body = encode(network)
    row = {"id": network.id, "body": body}
    for statement in (
        "INSERT INTO resource (id, kind, project, revision, body) VALUES (:id, 'network', 'blue', 1, :body)",
        "INSERT INTO change (revision, kind, id, operation, body, actor, time)"
        " VALUES (1, 'network', :id, 'upsert', :body, 'ann', '2030-01-01T00:00:00.000000Z')",
        "INSERT INTO log (identity, revision) VALUES ('the-log', 1)",
    ):
        connection.execute(text(statement), row if ":id" in statement else {})  # type: ignore[attr-defined]


def check_filled(store: Store, network: Network) -> None:
    assert (store.log, store.revision) == ("the-log", 1)
    entry = store.journal(0)[0]
    assert (entry.change.record, entry.actor, entry.request) == (network, "ann", "")
    with store.read() as reader:
        assert reader.used("blue") == {"network": 1}, "resources that were there are counted"
        assert reader.find(Network, "name", "=web") == ([network] if network.name else [])
    with store.write("bob", "req-1") as transaction:
        transaction.put(network)
        transaction.add(new_network(2))
    assert [entry.request for entry in store.journal(1)] == ["req-1"]
