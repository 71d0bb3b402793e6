"""Which firewall refuses what was dropped, and by which rule, as callers are told."""

from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from netplane.api import Context
from netplane.api.context import roles
from netplane.controller.walls import refusal, said
from netplane.model import Decision
from tests.api.support import World

BLUE, RED = (Context(project, roles(["member"]), project) for project in ("blue", "red"))
SENT = Decision(
    number=1,
    time="2026-01-02T03:04:05.678901Z",
    port_id="",
    project_id="blue",
    direction="egress",
    event="DROP",
    protocol=6,
    source="10.0.1.11",
    destination="10.0.2.11",
    source_port=40_000,
    destination_port=80,
    identity=5,
    remote=6,
    security_groups=(),
    remote_groups=(),
    reason="FIREWALL",
)


class Scene(NamedTuple):
    """Two networks with a machine's port each, and a router between them, all of blue."""

    world: World
    router: str
    interfaces: dict[str, str]
    machines: dict[str, str]

    def make(self, kind: str, **fields: Any) -> str:
        made: str = self.world.make(kind, **fields)["id"]
        return made

    def told(self, decision: Decision, caller: Context = BLUE) -> dict[str, str | None] | None:
        with self.world.store.read() as reader:
            found = refusal(reader, decision)
            return None if found is None else said(reader, caller, found)

    @property
    def sent(self) -> Decision:
        return replace(SENT, port_id=self.machines["left"])

    @property
    def got(self) -> Decision:
        return replace(SENT, port_id=self.machines["right"], direction="ingress")


@pytest.fixture
def scene(world: World) -> Scene:
    router = world.make("router")["id"]
    interfaces, machines = {}, {}
    for name, prefix in (("left", "10.0.1"), ("right", "10.0.2")):
        network = world.make("network")["id"]
        subnet = world.make("subnet", network_id=network, cidr=f"{prefix}.0/24")["id"]
        path = f"/v2.0/routers/{router}/add_router_interface"
        interfaces[name] = world.ask("PUT", path, {"subnet_id": subnet}).json["port_id"]
        machines[name] = world.make("port", network_id=network, fixed_ips=[{"ip_address": f"{prefix}.11"}])["id"]
    return Scene(world, router, interfaces, machines)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("action", "verb"), [("deny", "denies"), ("reject", "rejects")])
def test_a_rule(scene: Scene, side: str, action: str, verb: str) -> None:
    off = scene.make("firewall_rule", action="allow", enabled=False)
    rule = scene.make("firewall_rule", action=action, protocol="tcp", destination_port="80")
    every = scene.make("firewall_rule", action="allow")
    policy = scene.make("firewall_policy", firewall_rules=[off, rule, every])
    way = "egress" if side == "left" else "ingress"
    group = scene.make("firewall_group", ports=[scene.interfaces[side]], **{f"{way}_firewall_policy_id": policy})
    text = f"rule {rule} of policy {policy} of firewall group {group} {verb} it"
    for decision in (scene.sent, scene.got):
        told = {"firewall_group_id": group, "firewall_rule_id": rule, "text": text}
        assert scene.told(decision) == told
        hidden = {"firewall_group_id": None, "firewall_rule_id": None, "text": "a firewall of another project"}
        assert scene.told(decision, RED) == hidden
        assert scene.told(replace(decision, destination_port=81)) is None, "it is allowed now"
        assert scene.told(replace(decision, protocol=1, destination_port=8 << 8)) is None


def test_no_rule_no_policy_and_down(scene: Scene) -> None:
    policy = scene.make("firewall_policy", firewall_rules=[])
    group = scene.make("firewall_group", ports=[scene.interfaces["right"]], ingress_firewall_policy_id=policy)

    def text() -> str | None:
        told = scene.told(scene.sent)
        return None if told is None else told["text"]

    assert text() == f"no rule of policy {policy} of firewall group {group} allows it"
    policies: dict[str, Any] = {"ingress_firewall_policy_id": None, "egress_firewall_policy_id": policy}
    scene.world.change("firewall_group", group, **policies)
    assert text() == f"firewall group {group} has no policy for this direction, so nothing passes it"
    scene.world.change("firewall_group", group, admin_state_up=False)
    assert text() == f"firewall group {group} is down, so nothing passes it"
    scene.world.change("firewall_group", group, egress_firewall_policy_id=None)
    assert text() is None, "a group without policies does nothing"


def test_what_is_not_known(scene: Scene) -> None:
    policy = scene.make("firewall_policy", firewall_rules=[])
    both = {"ingress_firewall_policy_id": policy, "egress_firewall_policy_id": policy}
    scene.make("firewall_group", ports=[scene.interfaces["right"]], **both)
    assert scene.told(replace(scene.sent, port_id="gone")) is None
    assert scene.told(replace(scene.sent, source="10.9.9.9")) is None
    assert scene.told(replace(scene.sent, destination="10.9.9.9")) is None, "behind another router"
    assert scene.told(replace(scene.sent, source="2001:db8::1", destination="2001:db8::2")) is None
    body = {"port_id": scene.interfaces["left"]}
    path = f"/v2.0/routers/{scene.router}/remove_router_interface"
    assert scene.world.ask("PUT", path, body).status == 200
    assert scene.told(scene.sent) is None
