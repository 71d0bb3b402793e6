"""Steps from documents and what there is."""

from typing import Any

import pytest

from netplane.cli.topology.document import Mistake, parse_document
from netplane.cli.topology.names import Name
from netplane.cli.topology.planning import Found, Step, counted, plan

NOTHING = Found({}, {}, {})
TAG = ["topology=t"]


def steps(text: str, found: Found = NOTHING, *, prune: bool = False) -> list[Step]:
    return plan(parse_document("topology: t\n" + text), found, prune=prune)


def calls(text: str, found: Found = NOTHING, *, prune: bool = False) -> list[tuple[str, str, Any]]:
    """Names in paths as `<kind name>`."""
    return [(step.method, _path(step), step.body) for step in steps(text, found, prune=prune)]


def _path(step: Step) -> str:
    return "".join(f"<{part.kind} {part.name}>" if isinstance(part, Name) else part for part in step.path)


def network(name: str = "n", **fields: Any) -> dict[str, Any]:
    return {"id": f"id-{name}", "name": name, "tags": TAG, **fields}


def test_everything_is_new() -> None:
    assert calls("networks: {n: {mtu: 1400}}\nsubnets: {s: {network: n, cidr: 10.0.0.0/24}}") == [
        ("POST", "/v2.0/networks", {"network": {"name": "n", "mtu": 1400, "tags": TAG}}),
        (
            "POST",
            "/v2.0/subnets",
            {"subnet": {"name": "s", "network_id": Name("network", "n"), "cidr": "10.0.0.0/24", "tags": TAG}},
        ),
    ]


def test_what_is_new_is_tagged_and_owned() -> None:
    (step,) = steps("project: blue\nnetworks: {n: {tags: [mine]}}")
    assert step.body == {"network": {"name": "n", "project_id": "blue", "tags": ["mine", *TAG]}}


def test_what_is_there_already_is_tagged_too() -> None:
    found = Found({"network": [network(tags=["other"])]}, {}, {})
    assert calls("networks: {n: {}}", found) == [("PUT", "/v2.0/networks/<network n>/tags", {"tags": ["other", *TAG]})]
    assert calls("networks: {n: {tags: [mine]}}", found) == [
        ("PUT", "/v2.0/networks/<network n>/tags", {"tags": ["mine", *TAG]})
    ]


def test_nothing_is_to_do() -> None:
    assert steps("networks: {n: {mtu: 1400}}", Found({"network": [network(mtu=1400)]}, {}, {})) == []


def test_only_what_differs_is_changed() -> None:
    found = Found({"network": [network(mtu=1450, description="d")]}, {}, {})
    (step,) = steps("networks: {n: {mtu: 1400, description: d}}", found)
    assert (step.method, step.body, step.changes) == ("PUT", {"network": {"mtu": 1400}}, ("mtu: 1450 -> 1400",))


def test_what_cannot_be_changed_is_said() -> None:
    found = Found({"subnet": [network("s", cidr="10.0.0.0/24")]}, {}, {})
    with pytest.raises(Mistake, match="cannot be changed") as caught:
        steps("subnets:\n  s:\n    cidr: 10.0.1.0/24", found)
    assert caught.value.line == 4


@pytest.mark.parametrize(
    "text", ["subnets: {s: {network: x}}", "ports: {p: {security_groups: [x]}}", "routers: {r: {interfaces: [x]}}"]
)
def test_a_name_of_nothing_is_said(text: str) -> None:
    with pytest.raises(Mistake, match="'x', nor in the file"):
        steps(text)


def test_two_of_one_name_are_said() -> None:
    with pytest.raises(Mistake, match="2 networks called 'n'"):
        steps("networks: {n: {}}", Found({"network": [network(), network()]}, {}, {}))


def test_interfaces_come_and_go() -> None:
    views = {"router": [network("r")], "subnet": [network("a"), network("b")]}
    found = Found(views, {"id-r": [{"subnet_id": "id-a", "port_id": "p"}]}, {Name("subnet", "b"): "id-b"})
    assert calls("routers: {r: {interfaces: [b]}}", found) == [
        ("PUT", "/v2.0/routers/<router r>/remove_router_interface", {"subnet_id": "id-a"}),
        ("PUT", "/v2.0/routers/<router r>/add_router_interface", {"subnet_id": "id-b"}),
    ]
    assert calls("routers: {r: {}}", found) == []


RULE = {"id": "7", "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp", "port_range_min": 80}
OPEN = {"id": "8", "direction": "egress", "ethertype": "IPv4", "protocol": None, "remote_ip_prefix": None}


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ("{direction: ingress, protocol: tcp, port_range_min: 80}", []),
        ("", ["DELETE /v2.0/security-group-rules/7"]),
        (
            "{direction: ingress, protocol: udp}",
            ["DELETE /v2.0/security-group-rules/7", "POST /v2.0/security-group-rules"],
        ),
        (
            "{direction: egress, protocol: udp}",
            [
                "DELETE /v2.0/security-group-rules/7",
                "DELETE /v2.0/security-group-rules/8",
                "POST /v2.0/security-group-rules",
            ],
        ),
    ],
)
def test_rules_are_those_of_the_file(rules: str, wanted: list[str]) -> None:
    """A group goes on letting everything out, unless the file says what it shall let out."""
    found = Found({"security_group": [network("g", security_group_rules=[RULE, OPEN])]}, {}, {})
    assert [
        f"{method} {path}" for method, path, _ in calls(f"security_groups: {{g: {{rules: [{rules}]}}}}", found)
    ] == (wanted)


def test_pruning_goes_backwards_and_spares_what_is_not_its_own() -> None:
    views = {
        "network": [network("n"), network("old"), {"id": "x", "name": "other", "tags": []}],
        "router": [network("r")],
        "port": [network("p")],
    }
    found = Found(views, {"id-r": [{"subnet_id": "s", "port_id": "q"}]}, {})
    assert calls("networks: {n: {}}", found) == []
    pruned = steps("networks: {n: {}}", found, prune=True)
    assert counted(pruned) == "update 1, delete 3"
    assert [f"{step.method} {_path(step)}" for step in pruned] == [
        "DELETE /v2.0/ports/id-p",
        "PUT /v2.0/routers/id-r/remove_router_interface",
        "DELETE /v2.0/routers/id-r",
        "DELETE /v2.0/networks/id-old",
    ]
