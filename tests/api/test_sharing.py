"""Networks that several projects use: who sees what, who may do what, and when sharing ends."""

import pytest

from tests.api.support import Json, World
from tests.api.test_ports import addresses, make_network
from tests.api.test_routers import add


def share(world: World, id: str, target: str, token: str = "blue", kind: str = "network") -> Json:
    return world.make(
        "rbac_policy",
        token,
        object_type=kind,
        object_id=id,
        action="access_as_shared",
        target_tenant=target,
    )


def listed(world: World, collection: str, token: str, query: str = "") -> set[str]:
    return {one["id"] for one in world.get(f"{collection}{query}", token)[collection.replace("-", "_")]}


def test_a_policy(world: World) -> None:
    network, _ = make_network(world)
    policy = share(world, network, "red")
    assert policy["project_id"] == policy["tenant_id"] == "blue"
    wanted = {"object_type": "network", "object_id": network, "action": "access_as_shared", "target_tenant": "red"}
    assert {name: policy[name] for name in wanted} == wanted
    assert world.get(f"rbac-policies/{policy['id']}")["rbac_policy"] == policy
    assert listed(world, "rbac-policies", "blue", f"?object_id={network}&target_tenant=red") == {policy["id"]}
    assert listed(world, "rbac-policies", "red") == set()
    assert world.refused("GET", f"rbac-policies/{policy['id']}", token="red") == (404, "RbacPolicyNotFound")
    assert world.refused("DELETE", f"rbac-policies/{policy['id']}", token="red") == (404, "RbacPolicyNotFound")
    assert world.change("rbac_policy", policy["id"], target_tenant="green")["target_tenant"] == "green"
    world.remove("rbac_policy", policy["id"])
    assert world.refused("GET", f"rbac-policies/{policy['id']}") == (404, "RbacPolicyNotFound")


def test_policies_go_with_their_network(world: World) -> None:
    network, _ = make_network(world, "10.0.0.0/24")
    share(world, network, "red")
    share(world, network, "green")
    world.remove("network", network)
    assert world.get("rbac-policies") == {"rbac_policies": []}


@pytest.mark.parametrize(
    ("wish", "status", "type"),
    [
        ({"object_type": "qos_policy"}, 400, "InvalidInput"),
        ({"object_type": "security_group"}, 404, "SecurityGroupNotFound"),
        ({"object_type": "address_group"}, 404, "AddressGroupNotFound"),
        ({"object_type": "subnet"}, 400, "InvalidInput"),
        ({"object_type": ""}, 400, "InvalidInput"),
        ({"action": "access_as_external"}, 400, "InvalidInput"),
        ({"action": "anything"}, 400, "InvalidInput"),
        ({"object_id": "nothing"}, 404, "NetworkNotFound"),
        ({"target_tenant": "*"}, 403, "PolicyNotAuthorized"),
        ({"target_tenant": ""}, 400, "InvalidInput"),
        ({"target_tenant": None}, 400, "InvalidInput"),
        ({"target_tenant": "x" * 256}, 400, "InvalidInput"),
        ({"project_id": "red"}, 400, "HTTPBadRequest"),
        ({"foo": 1}, 400, "HTTPBadRequest"),
    ],
)
def test_policies_that_make_no_sense(world: World, wish: Json, status: int, type: str) -> None:
    network, _ = make_network(world)
    good = {"object_type": "network", "object_id": network, "action": "access_as_shared", "target_tenant": "red"}
    assert world.refused("POST", "rbac-policies", {"rbac_policy": good | wish}) == (status, type)
    for name in good:
        rest = {key: value for key, value in good.items() if key != name}
        assert world.refused("POST", "rbac-policies", {"rbac_policy": rest}) == (400, "HTTPBadRequest")
    policy = share(world, network, "red")["id"]
    assert world.refused("POST", "rbac-policies", {"rbac_policy": good}) == (409, "DuplicateRbacPolicy")
    for name in ("object_type", "object_id", "action"):
        assert world.refused("PUT", f"rbac-policies/{policy}", {"rbac_policy": {name: "x"}}) == (400, "HTTPBadRequest")
    star = {"rbac_policy": {"target_tenant": "*"}}
    assert world.refused("PUT", f"rbac-policies/{policy}", star) == (403, "PolicyNotAuthorized")


def test_only_the_owner_shares(world: World) -> None:
    network, _ = make_network(world)
    wish = {"object_type": "network", "object_id": network, "action": "access_as_shared", "target_tenant": "green"}
    assert world.refused("POST", "rbac-policies", {"rbac_policy": wish}, "red") == (404, "NetworkNotFound")
    share(world, network, "red")
    assert world.refused("POST", "rbac-policies", {"rbac_policy": wish}, "red") == (400, "InvalidInput")


def test_what_a_project_sees_of_a_shared_network(world: World) -> None:
    network, (subnet,) = make_network(world, "10.0.0.0/24")
    hidden, _ = make_network(world, "10.0.9.0/24")
    own, _ = make_network(world, "10.0.1.0/24", token="red")
    port = world.make("port", network_id=network)["id"]
    router = world.make("router")["id"]
    for path, type in ((f"networks/{network}", "NetworkNotFound"), (f"subnets/{subnet}", "SubnetNotFound")):
        assert world.refused("GET", path, token="red") == (404, type)
    assert listed(world, "networks", "red") == {own}
    policy = share(world, network, "red")["id"]
    shown = world.get(f"networks/{network}", "red")["network"]
    assert (shown["shared"], shown["subnets"], shown["project_id"]) == (True, [subnet], "blue")
    assert "provider:segmentation_id" not in shown
    assert world.get(f"networks/{network}")["network"]["shared"] is False
    assert world.get(f"networks/{network}", "admin")["network"]["shared"] is False
    assert world.get(f"subnets/{subnet}", "red")["subnet"]["gateway_ip"] == "10.0.0.1"
    assert listed(world, "networks", "red") == listed(world, "networks", "red", "?limit=9") == {own, network}
    assert listed(world, "networks", "red", "?limit=1") == {min(own, network)}
    assert listed(world, "networks", "red", f"?limit=9&marker={min(own, network)}") == {max(own, network)}
    assert listed(world, "networks", "red", "?shared=True") == {network}
    assert listed(world, "networks", "red", f"?id={network}&id={hidden}") == {network}
    assert subnet in listed(world, "subnets", "red")
    assert listed(world, "subnets", "red", f"?network_id={network}") == {subnet}
    assert listed(world, "ports", "red") == listed(world, "ports", "red", f"?network_id={network}") == set()
    assert world.refused("GET", f"ports/{port}", token="red") == (404, "PortNotFound")
    assert world.refused("GET", f"routers/{router}", token="red") == (404, "RouterNotFound")
    world.remove("rbac_policy", policy)
    assert listed(world, "networks", "red") == {own}
    assert listed(world, "subnets", "red", f"?network_id={network}") == set()


def test_a_shared_network_is_not_the_users_to_change(world: World) -> None:
    network, (subnet,) = make_network(world, "10.0.0.0/24")
    share(world, network, "red")
    denied = (403, "PolicyNotAuthorized")
    assert world.refused("PUT", f"networks/{network}", {"network": {"name": "mine"}}, "red") == denied
    assert world.refused("DELETE", f"networks/{network}", token="red") == denied
    assert world.refused("PUT", f"subnets/{subnet}", {"subnet": {"name": "mine"}}, "red") == denied
    assert world.refused("DELETE", f"subnets/{subnet}", token="red") == denied
    more = {"subnet": {"network_id": network, "cidr": "10.0.5.0/24"}}
    assert world.refused("POST", "subnets", more, "red") == denied


def test_ports_on_a_shared_network(world: World) -> None:
    network, (subnet,) = make_network(world, "10.0.0.0/24")
    wish = {"port": {"network_id": network}}
    assert world.refused("POST", "ports", wish, "red") == (404, "NetworkNotFound")
    share(world, network, "red")
    port = world.make("port", "red", network_id=network, fixed_ips=[{"subnet_id": subnet}])
    assert (port["project_id"], len(addresses(port))) == ("red", 1)
    assert [group["id"] for group in world.get("security-groups", "red")["security_groups"]] == port["security_groups"]
    for chosen in ({"mac_address": "02:00:00:00:00:07"}, {"fixed_ips": [{"ip_address": "10.0.0.9"}]}):
        denied = (403, "PolicyNotAuthorized")
        assert world.refused("POST", "ports", {"port": {"network_id": network} | chosen}, "red") == denied
        assert world.refused("PUT", f"ports/{port['id']}", {"port": chosen}, "red") == denied
    same = [{"ip_address": addresses(port)[0], "subnet_id": subnet}]
    assert world.change("port", port["id"], "red", fixed_ips=same, name="web")["name"] == "web"
    # The owner of the network sees who is on it, and may take it off; to change it is not his.
    assert listed(world, "ports", "blue") == listed(world, "ports", "blue", "?limit=5") == {port["id"]}
    assert world.get(f"ports/{port['id']}")["port"]["project_id"] == "red"
    change = {"port": {"name": "mine"}}
    assert world.refused("PUT", f"ports/{port['id']}", change) == (403, "PolicyNotAuthorized")
    world.remove("port", port["id"])
    assert listed(world, "ports", "red") == set()


def test_a_router_of_another_project_on_a_shared_network(world: World) -> None:
    network, (subnet,) = make_network(world, "10.0.0.0/24")
    router = world.make("router", "red")["id"]
    path = f"routers/{router}/add_router_interface"
    assert world.refused("PUT", path, {"subnet_id": subnet}, "red") == (404, "SubnetNotFound")
    policy = share(world, network, "red")["id"]
    taken = world.make("router")["id"]
    add(world, taken, subnet_id=subnet)
    assert world.refused("PUT", path, {"subnet_id": subnet}, "red") == (409, "IpAddressInUse")
    theirs = world.make("port", network_id=network)["id"]
    assert world.refused("PUT", path, {"port_id": theirs}, "red") == (404, "PortNotFound")
    port = world.make("port", "red", network_id=network)["id"]
    mine = f"routers/{taken}/add_router_interface"
    assert world.refused("PUT", mine, {"port_id": port}) == (403, "PolicyNotAuthorized")
    assert world.ask("PUT", f"/v2.0/{path}", {"port_id": port}, "red").status == 200
    assert world.refused("DELETE", f"rbac-policies/{policy}") == (409, "RbacPolicyInUse")
    assert world.refused("DELETE", f"ports/{port}") == (409, "L3PortInUse")
    leave = f"/v2.0/routers/{router}/remove_router_interface"
    assert world.ask("PUT", leave, {"subnet_id": subnet}, "red").status == 200
    world.remove("rbac_policy", policy)


def test_sharing_ends_when_nobody_needs_it(world: World) -> None:
    network, _ = make_network(world, "10.0.0.0/24")
    policy = share(world, network, "red")["id"]
    other = share(world, network, "green")["id"]
    port = world.make("port", "red", network_id=network)["id"]
    path, change = f"rbac-policies/{policy}", {"rbac_policy": {"target_tenant": "green2"}}
    assert world.refused("DELETE", path) == world.refused("PUT", path, change) == (409, "RbacPolicyInUse")
    world.remove("rbac_policy", other)
    # What is shared with everybody is shared with red too.
    for_all = share(world, network, "*", "admin")["id"]
    world.remove("rbac_policy", policy)
    assert world.refused("DELETE", f"rbac-policies/{for_all}", token="admin") == (409, "RbacPolicyInUse")
    unshared = {"network": {"shared": False}}
    assert world.refused("PUT", f"networks/{network}", unshared, "admin") == (409, "InvalidSharedSetting")
    world.remove("port", port, "red")
    world.remove("rbac_policy", for_all, "admin")


def test_shared_is_a_policy_for_all(world: World) -> None:
    assert world.refused("POST", "networks", {"network": {"shared": True}}) == (403, "PolicyNotAuthorized")
    assert world.refused("POST", "networks", {"network": {"shared": "perhaps"}}) == (400, "InvalidInput")
    network = world.make("network", shared=False)["id"]
    assert world.refused("PUT", f"networks/{network}", {"network": {"shared": True}}) == (403, "PolicyNotAuthorized")
    assert world.change("network", network, "admin", shared=True)["shared"] is True
    assert world.get(f"networks/{network}", "red")["network"]["shared"] is True
    [policy] = world.get("rbac-policies", "admin")["rbac_policies"]
    assert (policy["target_tenant"], policy["project_id"]) == ("*", "blue")
    assert world.change("network", network, "admin", shared=True, name="n")["shared"] is True
    assert world.change("network", network, "admin", shared=False)["shared"] is False
    assert world.get("rbac-policies", "admin") == {"rbac_policies": []}
    made = world.make("network", "admin", shared=True)
    assert made["shared"] is True
    assert listed(world, "networks", "red") == {made["id"]}


def test_a_network_for_all_lends_nobody_its_gateway_address(world: World) -> None:
    network, (subnet,) = make_network(world, "10.0.0.0/24")
    world.change("network", network, "admin", shared=True)
    path = f"routers/{world.make('router', 'red')['id']}/add_router_interface"
    assert world.refused("PUT", path, {"subnet_id": subnet}, "red") == (400, "BadRequest")
    share(world, network, "red")
    assert world.ask("PUT", f"/v2.0/{path}", {"subnet_id": subnet}, "red").status == 200


def test_a_shared_group_guards_ports_of_others(world: World) -> None:
    group = world.make("security_group", name="web")["id"]
    rule = {"security_group_id": group, "direction": "ingress", "protocol": "tcp"}
    world.make("security_group_rule", **rule)
    network, _ = make_network(world, "10.0.0.0/24", token="red")
    wish = {"port": {"network_id": network, "security_groups": [group]}}
    assert world.refused("POST", "ports", wish, "red") == (404, "SecurityGroupNotFound")
    assert world.refused("GET", f"security-groups/{group}", token="red") == (404, "SecurityGroupNotFound")
    policy = share(world, group, "red", kind="security_group")["id"]
    shown = world.get(f"security-groups/{group}", "red")["security_group"]
    assert (shown["shared"], shown["project_id"], len(shown["security_group_rules"])) == (True, "blue", 3)
    assert world.get(f"security-groups/{group}")["security_group"]["shared"] is False
    assert group in listed(world, "security-groups", "red")
    assert listed(world, "security-groups", "red", "?shared=True") == {group}
    assert group not in listed(world, "security-groups", "admin", "?shared=True")
    port = world.make("port", "red", network_id=network, security_groups=[group])
    assert port["security_groups"] == [group]
    # It is used, not changed, and not taken away from who uses it.
    denied = (403, "PolicyNotAuthorized")
    assert world.refused("PUT", f"security-groups/{group}", {"security_group": {"name": "mine"}}, "red") == denied
    assert world.refused("DELETE", f"security-groups/{group}", token="red") == denied
    more = {"security_group_rule": rule | {"protocol": "udp"}}
    assert world.refused("POST", "security-group-rules", more, "red") == denied
    assert world.refused("DELETE", f"rbac-policies/{policy}") == (409, "RbacPolicyInUse")
    assert world.refused("DELETE", f"security-groups/{group}") == (409, "SecurityGroupInUse")
    world.remove("port", port["id"], "red")
    world.remove("rbac_policy", policy)
    assert world.refused("GET", f"security-groups/{group}", token="red") == (404, "SecurityGroupNotFound")
    share(world, group, "red", kind="security_group")
    world.remove("security_group", group)
    assert world.get("rbac-policies") == {"rbac_policies": []}


def test_rules_name_shared_groups(world: World) -> None:
    group = world.make("security_group", name="clients")["id"]
    ranges = world.make("address_group", addresses=["192.0.2.0/24"])["id"]
    [own] = listed(world, "security-groups", "red")
    rules = [
        {"security_group_id": own, "direction": "ingress", "remote_group_id": group},
        {"security_group_id": own, "direction": "ingress", "remote_address_group_id": ranges},
    ]
    for rule, type in zip(rules, ("SecurityGroupNotFound", "AddressGroupNotFound"), strict=True):
        wish = {"security_group_rule": rule}
        assert world.refused("POST", "security-group-rules", wish, "red") == (404, type)
    for kind, id, rule in (("security_group", group, rules[0]), ("address_group", ranges, rules[1])):
        policy = share(world, id, "*", "admin", kind)["id"]
        world.change("rbac_policy", policy, "admin", target_tenant="red")
        made = world.make("security_group_rule", "red", **rule)["id"]
        assert world.refused("DELETE", f"rbac-policies/{policy}", token="admin") == (409, "RbacPolicyInUse")
        target = {"rbac_policy": {"target_tenant": "green"}}
        assert world.refused("PUT", f"rbac-policies/{policy}", target, "admin") == (409, "RbacPolicyInUse")
        world.remove("security_group_rule", made, "red")
        world.remove("rbac_policy", policy, "admin")


def test_a_shared_address_group_is_seen_and_not_changed(world: World) -> None:
    ranges = world.make("address_group", addresses=["192.0.2.0/24"])
    assert ranges["shared"] is False
    share(world, ranges["id"], "red", kind="address_group")
    shown = world.get(f"address-groups/{ranges['id']}", "red")["address_group"]
    assert (shown["shared"], shown["addresses"]) == (True, ["192.0.2.0/24"])
    assert listed(world, "address-groups", "red") == {ranges["id"]}
    more = {"addresses": ["198.51.100.0/24"]}
    path = f"address-groups/{ranges['id']}"
    assert world.refused("PUT", f"{path}/add_addresses", more, "red") == (403, "PolicyNotAuthorized")
    changed = world.ask("PUT", f"/v2.0/{path}/add_addresses", more).json["address_group"]
    assert (changed["shared"], len(changed["addresses"])) == (False, 2)


def test_many_groups_say_which_are_shared(world: World) -> None:
    groups = [world.make("security_group")["id"] for _ in range(4)]
    for group in groups[:2]:
        share(world, group, "red", kind="security_group")
    found = {one["id"]: one["shared"] for one in world.get("security-groups", "red")["security_groups"]}
    assert {id for id, is_shared in found.items() if is_shared} == set(groups[:2])
    assert len(found) == 3


def test_who_shares_what(world: World) -> None:
    group = world.make("security_group")["id"]
    wish = {"object_type": "security_group", "object_id": group, "action": "access_as_shared", "target_tenant": "red"}
    assert world.refused("POST", "rbac-policies", {"rbac_policy": wish}, "red") == (404, "SecurityGroupNotFound")
    share(world, group, "red", kind="security_group")
    onward = {"rbac_policy": wish | {"target_tenant": "green"}}
    assert world.refused("POST", "rbac-policies", onward, "red") == (400, "InvalidInput")
    external = {"rbac_policy": wish | {"action": "access_as_external"}}
    assert world.refused("POST", "rbac-policies", external) == (400, "InvalidInput")


@pytest.mark.parametrize(
    ("first", "status", "type"), [("green", 404, "NetworkNotFound"), ("blue", 400, "InvalidInput")]
)
def test_a_policy_of_mine_on_anothers_network_stays_as_it_is(world: World, first: str, status: int, type: str) -> None:
    network = world.make("network", "red")["id"]
    wish = {"object_type": "network", "object_id": network, "action": "access_as_shared", "target_tenant": first}
    policy = world.make("rbac_policy", "admin", project_id="blue", **wish)["id"]
    further = {"rbac_policy": {"target_tenant": "gold"}}
    assert world.refused("PUT", f"rbac-policies/{policy}", further) == (status, type)
    assert world.change("rbac_policy", policy, target_tenant=first)["target_tenant"] == first
    assert world.change("rbac_policy", policy, "admin", target_tenant="gold")["target_tenant"] == "gold"
    world.remove("rbac_policy", policy)


def test_a_pool_goes_to_nobody_who_does_not_see_its_scope(world: World) -> None:
    scope = world.make("address_scope", ip_version=4)["id"]
    pool = world.make("subnetpool", prefixes=["10.0.0.0/16"], address_scope_id=scope)["id"]
    share(world, scope, "red", kind="address_scope")
    policy = share(world, pool, "red", kind="subnetpool")["id"]
    for target, token in (("green", "blue"), ("*", "admin")):
        change = {"rbac_policy": {"target_tenant": target}}
        assert world.refused("PUT", f"rbac-policies/{policy}", change, token) == (400, "RbacPolicyInitError")
    share(world, scope, "green", kind="address_scope")
    assert world.change("rbac_policy", policy, target_tenant="green")["target_tenant"] == "green"


def test_subnets_of_a_shared_pool_in_a_shared_scope(world: World) -> None:
    scope = world.make("address_scope", name="s", ip_version=4)["id"]
    pool = world.make("subnetpool", name="p", prefixes=["10.0.0.0/16"], address_scope_id=scope)["id"]
    network, _ = make_network(world, token="red")
    wish = {"subnet": {"network_id": network, "ip_version": 4, "subnetpool_id": pool, "prefixlen": 24}}
    assert world.refused("POST", "subnets", wish, "red")[0] == 404
    policy = {"object_type": "subnetpool", "object_id": pool, "action": "access_as_shared", "target_tenant": "red"}
    # Who uses a pool sees the scope that it is in.
    assert world.refused("POST", "rbac-policies", {"rbac_policy": policy}) == (400, "RbacPolicyInitError")
    for_scope = share(world, scope, "red", kind="address_scope")["id"]
    for_pool = share(world, pool, "red", kind="subnetpool")["id"]
    for path, key in ((f"subnetpools/{pool}", "subnetpool"), (f"address-scopes/{scope}", "address_scope")):
        assert world.get(path, "red")[key]["shared"] is True
        assert world.get(path)[key]["shared"] is False
        assert world.refused("DELETE", path, token="red") == (403, "PolicyNotAuthorized")
    assert listed(world, "subnetpools", "red") == {pool}
    assert listed(world, "address-scopes", "red") == {scope}
    subnet = world.make("subnet", "red", **wish["subnet"])["id"]
    own = world.make("subnetpool", "red", name="o", prefixes=["10.9.0.0/16"], address_scope_id=scope)["id"]
    for id in (for_scope, for_pool):
        assert world.refused("DELETE", f"rbac-policies/{id}") == (409, "RbacPolicyInUse")
    world.remove("subnet", subnet, "red")
    world.remove("subnetpool", own, "red")
    world.remove("rbac_policy", for_pool)
    world.remove("rbac_policy", for_scope)
    assert world.refused("GET", f"subnetpools/{pool}", token="red")[0] == 404
