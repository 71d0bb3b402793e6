"""Trunks: what clients may ask, what they are told, and what is refused."""

from typing import Any

import pytest

from tests.api.support import World

Json = dict[str, Any]


def make_port(world: World, *, mtu: int = 1450, **fields: Any) -> Json:
    network = world.make("network", mtu=mtu)
    made: Json = world.make("port", network_id=network["id"], **fields)
    return made


def sub(port: Json, id: int) -> Json:
    return {"port_id": port["id"], "segmentation_type": "vlan", "segmentation_id": id}


def act(world: World, trunk: Json, action: str, *sub_ports: Json) -> Any:
    return world.ask("PUT", f"/v2.0/trunks/{trunk['id']}/{action}", {"sub_ports": list(sub_ports)})


def subports(world: World, trunk: Json) -> Any:
    return world.get(f"trunks/{trunk['id']}/get_subports")["sub_ports"]


def test_a_trunk(world: World) -> None:
    parent, first = make_port(world), make_port(world)
    trunk = world.make("trunk", name="t", port_id=parent["id"], sub_ports=[sub(first, 10)])
    assert (trunk["port_id"], trunk["status"], trunk["admin_state_up"]) == (parent["id"], "DOWN", True)
    assert trunk["sub_ports"] == subports(world, trunk) == [sub(first, 10)]
    assert world.get(f"trunks/{trunk['id']}")["trunk"] == trunk
    assert world.get("trunks?name=t")["trunks"] == [trunk]
    shown = world.get(f"ports/{parent['id']}")["port"]
    details = [sub(first, 10) | {"mac_address": first["mac_address"]}]
    assert shown["trunk_details"] == {"trunk_id": trunk["id"], "sub_ports": details}
    carried = world.get(f"ports/{first['id']}")["port"]
    assert "trunk_details" not in carried
    assert carried["device_owner"] == "trunk:subport"


def test_subports_come_and_go(world: World) -> None:
    trunk = world.make("trunk", port_id=make_port(world)["id"])
    first, second = make_port(world), make_port(world)
    answer = act(world, trunk, "add_subports", sub(first, 1), sub(second, 4094))
    assert answer.status == 200
    assert answer.json["id"] == trunk["id"]
    assert answer.json["sub_ports"] == subports(world, trunk) == [sub(first, 1), sub(second, 4094)]
    answer = act(world, trunk, "remove_subports", {"port_id": first["id"]})
    assert answer.json["sub_ports"] == subports(world, trunk) == [sub(second, 4094)]
    assert world.get(f"ports/{first['id']}")["port"]["device_owner"] == ""
    assert act(world, trunk, "add_subports", sub(first, 1)).status == 200


def test_what_a_trunk_holds_cannot_be_deleted(world: World) -> None:
    parent, carried = make_port(world), make_port(world)
    trunk = world.make("trunk", port_id=parent["id"], sub_ports=[sub(carried, 5)])
    for port, error in ((parent, "PortInUseAsTrunkParent"), (carried, "PortInUseAsSubPort")):
        assert world.ask("DELETE", f"/v2.0/ports/{port['id']}").error == (409, error)
    assert world.ask("DELETE", f"/v2.0/trunks/{trunk['id']}").status == 204
    for port in (parent, carried):
        shown = world.get(f"ports/{port['id']}")["port"]
        assert "trunk_details" not in shown
        assert shown["device_owner"] == ""
        assert world.ask("DELETE", f"/v2.0/ports/{port['id']}").status == 204


def test_a_port_is_in_one_trunk(world: World) -> None:
    parent, carried, other = (make_port(world) for _ in range(3))
    trunk = world.make("trunk", port_id=parent["id"], sub_ports=[sub(carried, 5)])
    second = world.make("trunk", port_id=other["id"])

    def refused(port: Json) -> Any:
        return world.ask("POST", "/v2.0/trunks", {"trunk": {"port_id": port["id"]}}).error

    assert refused(parent) == refused(carried) == (409, "ParentPortInUse")
    for port in (parent, carried):
        assert act(world, second, "add_subports", sub(port, 6)).error == (409, "TrunkPortInUse")
    assert act(world, trunk, "add_subports", sub(parent, 6)).error == (409, "ParentPortInUse")
    assert subports(world, second) == []


def test_a_port_that_something_else_has(world: World) -> None:
    trunk, used = world.make("trunk", port_id=make_port(world)["id"]), make_port(world, device_id="server")
    assert act(world, trunk, "add_subports", sub(used, 6)).error == (409, "PortInUse")


def test_a_segmentation_id_is_used_once(world: World) -> None:
    first, second, third = (make_port(world) for _ in range(3))
    trunk = world.make("trunk", port_id=make_port(world)["id"], sub_ports=[sub(first, 7)])
    assert act(world, trunk, "add_subports", sub(second, 7)).error == (409, "DuplicateSubPort")
    assert act(world, trunk, "add_subports", sub(second, 8), sub(third, 8)).error == (400, "InvalidInput")
    assert act(world, trunk, "add_subports", sub(second, 8), sub(second, 9)).error == (400, "InvalidInput")
    assert subports(world, trunk) == [sub(first, 7)]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"segmentation_type": "vlan"}, "missing segmentation information"),
        ({"segmentation_id": 3}, "missing segmentation information"),
        ({"segmentation_type": "vxlan", "segmentation_id": 3}, "Unknown segmentation_type 'vxlan'"),
        ({"segmentation_type": "inherit"}, "gives no VLAN id to inherit"),
        ({"segmentation_type": "vlan", "segmentation_id": 0}, "Segmentation ID '0' is not in range"),
        ({"segmentation_type": "vlan", "segmentation_id": 4095}, "Segmentation ID '4095' is not in range"),
        ({"segmentation_type": "vlan", "segmentation_id": "many"}, "segmentation_id"),
        ({"segmentation_type": "vlan", "segmentation_id": 3, "colour": "red"}, "colour"),
    ],
)
def test_segmentation_that_makes_no_sense(world: World, fields: Json, said: str) -> None:
    trunk, port = world.make("trunk", port_id=make_port(world)["id"]), make_port(world)
    answer = act(world, trunk, "add_subports", fields | {"port_id": port["id"]})
    assert answer.error == (400, "InvalidInput")
    assert said in answer.json["NeutronError"]["message"]
    assert subports(world, trunk) == []


def test_a_subport_may_carry_no_more_than_its_parent(world: World) -> None:
    large, small = make_port(world, mtu=1450), make_port(world, mtu=1400)
    trunk = world.make("trunk", port_id=small["id"])
    assert act(world, trunk, "add_subports", sub(large, 7)).error == (409, "SubPortMtuGreaterThanTrunkPortMtu")


def test_a_trunk_that_is_down_stays_as_it_is(world: World) -> None:
    carried, other = make_port(world), make_port(world)
    trunk = world.make("trunk", port_id=make_port(world)["id"], sub_ports=[sub(carried, 7)])
    assert world.change("trunk", trunk["id"], admin_state_up=False)["sub_ports"] == [sub(carried, 7)]
    assert act(world, trunk, "add_subports", sub(other, 8)).error == (409, "TrunkDisabled")
    assert act(world, trunk, "remove_subports", {"port_id": carried["id"]}).error == (409, "TrunkDisabled")
    assert world.ask("DELETE", f"/v2.0/trunks/{trunk['id']}").error == (409, "TrunkDisabled")
    world.change("trunk", trunk["id"], admin_state_up=True)
    assert world.ask("DELETE", f"/v2.0/trunks/{trunk['id']}").status == 204


def test_what_is_not_there(world: World) -> None:
    trunk, port = world.make("trunk", port_id=make_port(world)["id"]), make_port(world)
    assert act(world, trunk, "remove_subports", {"port_id": port["id"]}).error == (404, "SubPortNotFound")
    nothing = {"port_id": "none", "segmentation_type": "vlan", "segmentation_id": 3}
    assert act(world, trunk, "add_subports", nothing).error == (404, "PortNotFound")
    assert world.ask("POST", "/v2.0/trunks", {"trunk": {"port_id": "none"}}).error == (404, "PortNotFound")
    assert world.ask("PUT", f"/v2.0/trunks/{trunk['id']}", {"trunk": {"sub_ports": []}}).error[0] == 400
    assert world.ask("PUT", f"/v2.0/trunks/{trunk['id']}/add_subports", {}).error[0] == 400


def test_trunks_of_others_are_not_seen(world: World) -> None:
    port = make_port(world)
    trunk = world.make("trunk", port_id=port["id"])
    path = f"/v2.0/trunks/{trunk['id']}"
    assert world.ask("GET", path, token="red").error == (404, "TrunkNotFound")
    assert world.ask("GET", f"{path}/get_subports", token="red").error == (404, "TrunkNotFound")
    assert world.ask("PUT", f"{path}/add_subports", {"sub_ports": []}, token="red").error == (404, "TrunkNotFound")
    other = make_port(world)
    body = {"trunk": {"port_id": other["id"]}}
    assert world.ask("POST", "/v2.0/trunks", body, token="red").error == (404, "PortNotFound")


def test_routers_and_trunks_do_not_share_ports(world: World) -> None:
    network = world.make("network")
    world.make("subnet", network_id=network["id"], ip_version=4, cidr="10.0.0.0/24")
    port, router = world.make("port", network_id=network["id"]), world.make("router")
    trunk = world.make("trunk", port_id=port["id"])
    path = f"/v2.0/routers/{router['id']}/add_router_interface"
    assert world.ask("PUT", path, {"port_id": port["id"]}).error == (409, "PortInUseAsTrunkParent")
    world.ask("DELETE", f"/v2.0/trunks/{trunk['id']}")
    assert world.ask("PUT", path, {"port_id": port["id"]}).status == 200
    assert world.ask("POST", "/v2.0/trunks", {"trunk": {"port_id": port["id"]}}).error == (409, "ParentPortInUse")
