"""A cloud in OVN's northbound database: the rows that Neutron's driver writes."""

from collections.abc import Iterator
from typing import Any

import pytest

from bench.cloud import Group, Port, Project, Rule, Shape, build
from bench.ovn.northbound import (
    DROP,
    add_rule,
    begin,
    group_name,
    join_group,
    move_port,
    port_rows,
    project_rows,
    remove_port,
    rule_match,
)
from bench.ovn.ovsdb import Operation, known

GROUP = Group("aa-bb", "web", ())
NAME = "pg_aa_bb"


def only(projects: int = 1) -> Project:
    return build(Shape(projects, 9 * projects, 3)).projects[0]


def inserted(rows: list[Operation], table: str) -> list[dict[str, Any]]:
    return [row["row"] for row in rows if row["op"] == "insert" and row["table"] == table]


def references(value: object) -> Iterator[str]:
    """The names of rows that a value refers to, wherever in it."""
    if isinstance(value, list | tuple):
        if len(value) == 2 and value[0] == "named-uuid":
            yield str(value[1])
        else:
            for one in value:
                yield from references(one)
    elif isinstance(value, dict):
        yield from references(list(value.values()))


@pytest.mark.parametrize(
    ("rule", "match"),
    [
        (Rule("r", "egress", "IPv4"), f"inport == @{NAME} && ip4"),
        (Rule("r", "egress", "IPv6"), f"inport == @{NAME} && ip6"),
        (
            Rule("r", "ingress", "IPv6", remote_group="cc-dd"),
            f"outport == @{NAME} && ip6 && ip6.src == $pg_cc_dd_ip6",
        ),
        (
            Rule("r", "egress", "IPv4", remote_prefix="192.0.2.0/24"),
            f"inport == @{NAME} && ip4 && ip4.dst == 192.0.2.0/24",
        ),
        (Rule("r", "ingress", "IPv4", "tcp", 80, 80), f"outport == @{NAME} && ip4 && tcp && tcp.dst == 80"),
        (
            Rule("r", "ingress", "IPv4", "udp", 1, 9, remote_group="cc-dd"),
            f"outport == @{NAME} && ip4 && ip4.src == $pg_cc_dd_ip4 && udp && udp.dst >= 1 && udp.dst <= 9",
        ),
        (Rule("r", "ingress", "IPv4", "icmp"), f"outport == @{NAME} && ip4 && icmp4"),
        (Rule("r", "ingress", "IPv6", "ipv6-icmp"), f"outport == @{NAME} && ip6 && icmp6"),
    ],
)
def test_a_rule_matches_what_neutron_says(rule: Rule, match: str) -> None:
    assert rule_match(GROUP, rule) == match


def test_a_protocol_that_is_not_spoken_of_is_refused() -> None:
    with pytest.raises(KeyError):
        rule_match(GROUP, Rule("r", "ingress", "IPv4", "gre"))


def test_a_project_is_one_transaction_that_refers_to_its_own_rows_only() -> None:
    rows = project_rows(only())
    names = [row["uuid-name"] for row in rows if "uuid-name" in row]
    assert len(names) == len(set(names))
    assert set(references(rows)) <= set(names)
    assert all(name.isalnum() for name in names)


def test_a_project_has_a_row_for_each_thing() -> None:
    project = only()
    rows = project_rows(project)
    assert [row["name"] for row in inserted(rows, "Logical_Switch")] == [f"neutron-{n.id}" for n in project.networks]
    assert len(inserted(rows, "Logical_Router")) == 1
    assert len(inserted(rows, "Logical_Router_Port")) == len(project.networks)
    assert [row["name"] for row in inserted(rows, "Port_Group")] == [group_name(group.id) for group in project.groups]
    assert len(inserted(rows, "ACL")) == sum(len(group.rules) for group in project.groups)
    kinds = [row.get("type", "") for row in inserted(rows, "Logical_Switch_Port")]
    assert kinds.count("router") == len(project.networks)
    assert kinds.count("") == len(project.ports)


def test_what_no_rule_allows_is_dropped_for_every_port() -> None:
    [group] = inserted(begin(), "Port_Group")
    assert group["name"] == DROP
    assert [(acl["action"], acl["match"]) for acl in inserted(begin(), "ACL")] == [
        ("drop", f"outport == @{DROP} && ip"),
        ("drop", f"inport == @{DROP} && ip"),
    ]
    assert all(acl["priority"] > 1001 for acl in inserted(project_rows(only()), "ACL"))


def test_a_port_may_only_speak_from_its_addresses_and_is_wanted_on_its_host() -> None:
    port = only().ports[0]
    row = inserted(list(port_rows(only(), port, dhcp=known("d"))), "Logical_Switch_Port")[0]
    assert row["addresses"] == row["port_security"] == f"{port.mac} {port.address}"
    assert ["requested-chassis", port.host] in row["options"][1]
    assert row["dhcpv4_options"] == ["uuid", "d"]


def places(operations: list[Operation], change: str) -> set[tuple[str, str]]:
    """Where operations put a port, or take it from: table and name."""
    return {
        (one["table"], one["where"][0][2])
        for one in operations
        if one["op"] == "mutate" and one["mutations"][0][1] == change
    }


def in_groups(port: Port) -> set[tuple[str, str]]:
    groups = {("Port_Group", name) for name in (DROP, *map(group_name, port.groups))}
    return groups | {("Logical_Switch", f"neutron-{port.network}")}


def test_a_port_that_goes_leaves_all_that_it_came_into() -> None:
    project = only()
    for port in project.ports:
        assert places(list(port_rows(project, port, dhcp=known("d"))), "insert") == in_groups(port)
        assert places(list(remove_port(port, known("p"))), "delete") == in_groups(port)


def test_a_port_moves_by_being_wanted_elsewhere() -> None:
    [update] = move_port(only().ports[0], "host-9")
    assert update["where"] == [("name", "==", only().ports[0].id)]
    assert ["requested-chassis", "host-9"] in update["row"]["options"][1]


def test_a_rule_and_a_member_come_into_a_group_that_is_there() -> None:
    rule = Rule("00-11", "ingress", "IPv4", "tcp", 1, 1)
    acl, group = add_rule(GROUP, rule)
    assert (acl["table"], group["where"]) == ("ACL", [("name", "==", NAME)])
    assert list(references(group)) == [acl["uuid-name"]]
    [joined] = join_group(known("p"), GROUP.id)
    assert joined["where"] == [("name", "==", NAME)]
