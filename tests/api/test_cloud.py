"""What the measurements' cloud writes into a store is what the API writes when it is asked for the same things."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins

from bench.cloud import Cloud, Group, Project, Shape, build
from bench.cloud.shape import sizes
from bench.cloud.stored import OWNER, fill
from netplane.model import identity_id
from netplane.store import Store
from netplane.store.bindings import register_host
from netplane.store.codec import decode
from tests.api.support import World

SMALL = Shape(projects=3, ports=14, hosts=3, flat=(4,))
TIMES = ("created_at", "updated_at")
Names = dict[str, str]
"""Of what the API made: what the cloud calls it."""


def test_a_cloud_is_stored_as_the_api_stores_it(world: World, tmp_path: Path) -> None:
    cloud = build(SMALL)
    store = Store.open(str(tmp_path / "filled.db"))
    fill(store, cloud)
    revision = store.revision
    store.close()
    names = dict(ask_for(world, cloud))
    assert world.store.revision == revision
    assert dump(tmp_path / "filled.db", {}) == dump(tmp_path / "netplane.db", names)


def ask_for(world: World, cloud: Cloud) -> Iterator[tuple[str, str]]:
    """Make a cloud by the API; answers what is called how."""
    with world.store.write("test") as transaction:
        for host in cloud.hosts:
            register_host(transaction, host.name, host.address)
    for project in cloud.projects:
        made: Names = {project.id: project.id}
        for network in project.networks:
            made[network.id] = world.make("network", "admin", name=network.name, project_id=project.id)["id"]
        default, web = project.groups
        for group in project.groups:
            made |= ask_for_group(world, project, group, made)
        made[project.router.id] = world.make("router", "admin", name=project.router.name, project_id=project.id)["id"]
        for network in project.networks:
            subnet = world.make(
                "subnet",
                "admin",
                project_id=project.id,
                network_id=made[network.id],
                cidr=network.range,
                ip_version=4,
            )
            made[network.subnet] = subnet["id"]
            path = f"/v2.0/routers/{made[project.router.id]}/add_router_interface"
            port = world.ask("PUT", path, {"subnet_id": subnet["id"]}, "admin").json["port_id"]
            made[network.interface] = port
            made[network.interface_mac] = world.get(f"ports/{port}", "admin")["port"]["mac_address"]
        for port in project.ports:
            made[port.id] = world.make(
                "port",
                "admin",
                project_id=project.id,
                network_id=made[port.network],
                mac_address=port.mac,
                fixed_ips=[{"ip_address": port.address}],
                security_groups=[made[group] for group in port.groups],
                device_id=port.machine,
                device_owner=OWNER,
                binding__host_id=port.host,
            )["id"]
        for groups in ((default.id,), (default.id, web.id)):
            made[identity_id(groups)] = identity_id(made[group] for group in groups)
        yield from ((theirs, ours) for ours, theirs in made.items())


def ask_for_group(world: World, project: Project, group: Group, made: Mapping[str, str]) -> Names:
    """A group with its rules, and what they are called."""
    if group.name == "default":
        found = world.get(f"security-groups?project_id={project.id}&name=default", "admin")["security_groups"][0]["id"]
    else:
        found = world.make("security_group", "admin", name=group.name, project_id=project.id)["id"]
        wishes = [
            {
                "security_group_id": found,
                "direction": rule.direction,
                "ethertype": rule.ethertype,
                "protocol": rule.protocol,
                "port_range_min": rule.first,
                "port_range_max": rule.last,
                "remote_group_id": rule.remote_group and made[rule.remote_group],
                "remote_ip_prefix": rule.remote_prefix,
            }
            for rule in group.rules
            if rule.protocol
        ]
        reply = world.ask("POST", "/v2.0/security-group-rules", {"security_group_rules": wishes}, "admin")
        assert reply.status == 201, reply
    rules = world.get(f"security-groups/{found}", "admin")["security_group"]["security_group_rules"]
    by_meaning = {(rule["direction"], rule["ethertype"], rule["port_range_min"]): rule["id"] for rule in rules}
    named = {rule.id: by_meaning[rule.direction, rule.ethertype, rule.first] for rule in group.rules}
    assert len(rules) == len(named)
    return named | {group.id: found}


def dump(path: Path, names: Names) -> dict[str, Counter[str]]:
    """All that a database says of what is in it, with other names for things."""
    connection = sqlite3.connect(path)
    try:
        tables = {
            table: [list(row) for row in connection.execute(f"SELECT {columns} FROM {table}")]
            for table, columns in (
                ("resource", "kind, id, project, body"),
                ("reference", "kind, source, field, target, cascade"),
                ("claim", "space, value, owner"),
                ("change", "kind, id, operation"),
                ("tally", "project, kind, used"),
            )
        }
    finally:
        connection.close()
    for row in tables["resource"]:
        row[-1] = {name: value for name, value in to_builtins(decode(row[-1])).items() if name not in TIMES}
    return {table: Counter(renamed(row, names) for row in rows) for table, rows in tables.items()}


def renamed(row: Any, names: Names) -> str:
    text = json.dumps(row)
    for theirs, ours in names.items():
        text = text.replace(theirs, ours)
    return json.dumps(json.loads(text, object_hook=in_order), sort_keys=True)


def in_order(fields: dict[str, Any]) -> dict[str, Any]:
    """Groups stand in the order of their ids, and these are others."""
    return {name: sorted(value) if "groups" in name else value for name, value in fields.items()}


def test_a_shape_says_how_large_projects_are() -> None:
    found = sizes(Shape(projects=10, ports=1_100, hosts=1, large=1))
    assert (sum(found), found[0], sorted(found)[len(found) // 2], len(found)) == (1_100, 1_000, 11, 10)
    assert sizes(Shape(projects=0, ports=0, hosts=1, flat=(7,))) == []
    with pytest.raises(ValueError, match="fewer ports than projects"):
        sizes(Shape(projects=3, ports=2, hosts=1))


def test_the_same_shape_gives_the_same_cloud_and_another_seed_another() -> None:
    assert build(SMALL) == build(SMALL)
    assert build(SMALL) != build(Shape(**(SMALL.__dict__ | {"seed": 2})))
    assert build(SMALL).ports == 18
