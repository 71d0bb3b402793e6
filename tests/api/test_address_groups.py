"""Address groups: made, filled, named by rules, emptied and deleted."""

from typing import Any

from tests.api.support import World


def act(world: World, id: str, action: str, addresses: list[str], token: str = "blue") -> Any:
    reply = world.ask("PUT", f"/v2.0/address-groups/{id}/{action}_addresses", {"addresses": addresses}, token)
    assert reply.status == 200, reply
    assert reply.headers["x-netplane-revision"]
    return reply.json["address_group"]


def test_the_life_of_an_address_group(world: World) -> None:
    group = world.make("address_group", name="partners", addresses=["10.1.0.0/16", "192.0.2.7", "10.1.2.3/16"])
    assert group["addresses"] == ["10.1.0.0/16", "192.0.2.7/32"]
    assert (group["project_id"], group["description"]) == ("blue", "")
    assert world.get(f"address-groups/{group['id']}")["address_group"] == group
    group = act(world, group["id"], "add", ["fd00::1", "10.0.0.0/24"])
    assert group["addresses"] == ["10.0.0.0/24", "10.1.0.0/16", "192.0.2.7/32", "fd00::1/128"]
    group = act(world, group["id"], "remove", ["10.1.255.255/16", "192.0.2.7"])
    assert group["addresses"] == ["10.0.0.0/24", "fd00::1/128"]
    assert world.change("address_group", group["id"], name="others", description="why")["name"] == "others"
    assert [one["id"] for one in world.get("address-groups?name=others")["address_groups"]] == [group["id"]]
    assert world.get("address-groups?name=partners")["address_groups"] == []
    world.remove("address_group", group["id"])
    assert world.refused("GET", f"address-groups/{group['id']}") == (404, "AddressGroupNotFound")
    assert world.counts().get("address_group", 0) == 0


def test_one_without_addresses(world: World) -> None:
    group = world.make("address_group")
    assert group["addresses"] == []
    assert act(world, group["id"], "add", ["10.0.0.1"])["addresses"] == ["10.0.0.1/32"]
    assert act(world, group["id"], "remove", ["10.0.0.1"])["addresses"] == []


def test_who_sees_it(world: World) -> None:
    group = world.make("address_group", addresses=["10.0.0.0/8"])["id"]
    world.make("address_group", "red")
    assert [one["id"] for one in world.get("address-groups")["address_groups"]] == [group]
    assert len(world.get("address-groups", "admin")["address_groups"]) == 2
    assert act(world, group, "add", ["10.0.0.1"], "admin")["project_id"] == "blue"


def test_it_stays_while_a_rule_names_it(world: World) -> None:
    addresses = world.make("address_group", addresses=["10.0.0.0/8"])["id"]
    group = world.make("security_group", name="web")["id"]
    rule = world.make(
        "security_group_rule", security_group_id=group, direction="ingress", remote_address_group_id=addresses
    )
    assert (rule["remote_address_group_id"], rule["remote_group_id"], rule["remote_ip_prefix"]) == (
        addresses,
        None,
        None,
    )
    found = world.get(f"security-group-rules?remote_address_group_id={addresses}")["security_group_rules"]
    assert [one["id"] for one in found] == [rule["id"]]
    assert world.refused("DELETE", f"address-groups/{addresses}") == (409, "AddressGroupInUse")
    assert world.refused("DELETE", f"address-groups/{addresses}", token="admin") == (409, "AddressGroupInUse")
    world.remove("security_group", group)
    world.remove("address_group", addresses)


def test_it_is_advertised(world: World) -> None:
    known = {extension["alias"] for extension in world.get("extensions")["extensions"]}
    assert {"address-group", "security-groups-remote-address-group"} <= known
    resources = {resource["collection"] for resource in world.get("")["resources"]}
    assert "address_groups" in resources
