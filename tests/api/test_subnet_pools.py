"""Subnet pools: made, cut from, widened, narrowed and deleted."""

from contextlib import closing
from ipaddress import IPv4Network, ip_address
from pathlib import Path
from typing import Any

import pytest

from netplane.model import PREFIX_LIMIT
from tests.api.support import World

Json = dict[str, Any]


def make_pool(world: World, *prefixes: str, token: str = "blue", **fields: Any) -> Json:
    made: Json = world.make("subnetpool", token, prefixes=list(prefixes), **fields)
    return made


def cut(world: World, pool: Json, token: str = "blue", **fields: Any) -> Any:
    """A subnet of a pool on a network of its own: what the server answers."""
    network = world.make("network", token)
    body = {"network_id": network["id"], "subnetpool_id": pool["id"], **fields}
    return world.ask("POST", "/v2.0/subnets", {"subnet": body}, token)


def cidr(world: World, pool: Json, token: str = "blue", **fields: Any) -> str:
    reply = cut(world, pool, token, **fields)
    assert reply.status == 201, reply
    return str(reply.json["subnet"]["cidr"])


def act(world: World, pool: Json, action: str, body: Json, token: str = "blue") -> Any:
    return world.ask("PUT", f"/v2.0/subnetpools/{pool['id']}/{action}", body, token)


def test_a_pool(world: World) -> None:
    pool = make_pool(world, "10.0.1.0/24", "10.0.0.0/24", "192.0.2.0/28", name="p")
    assert pool["prefixes"] == ["10.0.0.0/23", "192.0.2.0/28"]
    assert (pool["ip_version"], pool["min_prefixlen"], pool["max_prefixlen"], pool["default_prefixlen"]) == (
        4,
        8,
        32,
        8,
    )
    assert (pool["default_quota"], pool["is_default"], pool["shared"], pool["project_id"]) == (
        None,
        False,
        False,
        "blue",
    )
    assert world.get(f"subnetpools/{pool['id']}")["subnetpool"] == pool
    assert world.get("subnetpools?name=p&ip_version=4")["subnetpools"] == [pool]
    pool = world.change(
        "subnetpool", pool["id"], name="q", default_prefixlen=26, prefixes=["10.0.0.0/16", "192.0.2.0/28"]
    )
    assert (pool["name"], pool["default_prefixlen"], pool["prefixes"]) == ("q", 26, ["10.0.0.0/16", "192.0.2.0/28"])
    world.remove("subnetpool", pool["id"])
    assert world.counts() == {}


def test_ipv6_has_other_bounds(world: World) -> None:
    pool = make_pool(world, "2001:db8::/48")
    assert (pool["ip_version"], pool["min_prefixlen"], pool["max_prefixlen"], pool["default_prefixlen"]) == (
        6,
        64,
        128,
        64,
    )
    fields = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
    assert [cidr(world, pool, **fields) for _ in range(2)] == ["2001:db8::/64", "2001:db8:0:1::/64"]


def test_subnets_are_cut_behind_each_other_then_from_gaps(world: World) -> None:
    pool = make_pool(world, "10.0.0.0/28", "10.9.0.0/30", default_prefixlen=30)
    first = cut(world, pool).json["subnet"]
    assert (first["cidr"], first["ip_version"], first["gateway_ip"]) == ("10.0.0.0/30", 4, "10.0.0.1")
    assert (first["subnetpool_id"], first["allocation_pools"]) == (
        pool["id"],
        [{"start": "10.0.0.2", "end": "10.0.0.2"}],
    )
    assert cidr(world, pool, prefixlen=29) == "10.0.0.8/29"
    assert cidr(world, pool) == "10.9.0.0/30"
    assert cidr(world, pool) == "10.0.0.4/30"
    assert cut(world, pool).error == (409, "SubnetAllocationError")
    assert len(world.get(f"subnets?subnetpool_id={pool['id']}")["subnets"]) == 4
    world.remove("subnet", first["id"])
    assert cidr(world, pool, prefixlen=30, ip_version=4) == "10.0.0.0/30"


def test_certain_ranges(world: World) -> None:
    pool = make_pool(world, "10.0.0.0/16", default_prefixlen=24)
    pools = [{"start": "10.0.7.9", "end": "10.0.7.20"}]
    assert cidr(world, pool, cidr="10.0.7.0/24", allocation_pools=pools) == "10.0.7.0/24"
    for taken in ("10.0.7.0/24", "10.0.7.128/25", "10.0.6.0/23", "10.0.0.0/16", "10.1.0.0/24", "192.0.2.0/24"):
        assert cut(world, pool, cidr=taken).error == (409, "SubnetAllocationError"), taken
    assert cidr(world, pool) == "10.0.8.0/24"
    assert cidr(world, pool, cidr="10.0.6.0/24") == "10.0.6.0/24"


def test_many_subnets_in_one_call(tmp_path: Path) -> None:
    with closing(World(tmp_path, limits={})) as world:
        check_many(world)


def check_many(world: World) -> None:
    pool = make_pool(world, "10.0.0.0/16", default_prefixlen=28)
    networks = world.ask("POST", "/v2.0/networks", {"networks": [{}] * 600}).json["networks"]
    bodies = [{"network_id": network["id"], "subnetpool_id": pool["id"]} for network in networks]
    made = world.ask("POST", "/v2.0/subnets", {"subnets": bodies}).json["subnets"]
    assert len({subnet["cidr"] for subnet in made}) == 600
    last = cut(world, pool, cidr="10.0.255.240/28")
    assert last.status == 201
    world.remove("subnet", made[590]["id"])
    assert cidr(world, pool) == made[590]["cidr"]
    assert cidr(world, pool, prefixlen=20) == "10.0.48.0/20"


def test_a_pool_up_to_the_last_address(world: World) -> None:
    pool = make_pool(world, "0.0.0.0/0", default_prefixlen=24)
    assert cidr(world, pool, cidr="15.255.255.0/24") == "15.255.255.0/24"
    assert cidr(world, pool, cidr="16.0.0.0/20") == "16.0.0.0/20"
    assert cidr(world, pool, cidr="192.168.0.0/24") == "192.168.0.0/24"
    assert cidr(world, pool) == "192.168.1.0/24"
    answer = act(world, pool, "remove_prefixes", {"prefixes": ["192.0.0.0/2"]})
    assert answer.error == (400, "IllegalSubnetPoolPrefixUpdate")
    assert cidr(world, pool) == "192.168.2.0/24"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"prefixlen": 25}, (400, "MaxPrefixSubnetAllocationError")),
        ({"cidr": "10.0.0.0/25"}, (400, "MaxPrefixSubnetAllocationError")),
        ({"prefixlen": 15}, (400, "MinPrefixSubnetAllocationError")),
        ({"prefixlen": 16, "cidr": "10.0.0.0/16"}, (400, "BadRequest")),
        ({"ip_version": 6}, (400, "BadRequest")),
        ({"use_default_subnetpool": True}, (400, "BadRequest")),
        ({"allocation_pools": [{"start": "10.0.0.9", "end": "10.0.0.10"}]}, (400, "BadRequest")),
        ({"subnetpool_id": None}, (400, "BadRequest")),
        ({"subnetpool_id": "none"}, (404, "SubnetPoolNotFound")),
        ({"prefixlen": "long"}, (400, "InvalidInput")),
    ],
)
def test_subnets_that_cannot_be_cut(world: World, fields: Json, error: tuple[int, str]) -> None:
    pool = make_pool(world, "10.0.0.0/16", min_prefixlen=16, max_prefixlen=24)
    network = world.make("network")
    body = {"subnet": {"network_id": network["id"], "subnetpool_id": pool["id"]} | fields}
    assert world.refused("POST", "subnets", body) == error


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"prefixes": []}, "EmptySubnetPoolPrefixList"),
        ({}, "HTTPBadRequest"),
        ({"prefixes": ["10.0.0.0/8", "2001:db8::/32"]}, "PrefixVersionMismatch"),
        ({"prefixes": ["10.0.0.1/8"]}, "InvalidInput"),
        ({"prefixes": ["ten"]}, "InvalidInput"),
        ({"prefixes": ["10.0.0.0/8"], "min_prefixlen": 9, "max_prefixlen": 8}, "IllegalSubnetPoolPrefixBounds"),
        ({"prefixes": ["10.0.0.0/8"], "max_prefixlen": 33}, "IllegalSubnetPoolPrefixBounds"),
        ({"prefixes": ["10.0.0.0/8"], "default_prefixlen": 7}, "IllegalSubnetPoolPrefixBounds"),
        ({"prefixes": ["10.0.0.0/8"], "default_prefixlen": 25, "max_prefixlen": 24}, "IllegalSubnetPoolPrefixBounds"),
        ({"prefixes": ["10.0.0.0/8"], "default_quota": -1}, "InvalidInput"),
        ({"prefixes": ["10.0.0.0/8"], "default_quota": 2**31}, "InvalidInput"),
        ({"prefixes": ["10.0.0.0/8"], "default_quota": 10**30}, "InvalidInput"),
        ({"prefixes": ["10.0.0.0/8"], "ip_version": 4}, "HTTPBadRequest"),
        ({"prefixes": [f"10.{number // 100}.{number % 100}.0/25" for number in range(1025)]}, "InvalidInput"),
    ],
)
def test_pools_that_make_no_sense(world: World, fields: Json, error: str) -> None:
    assert world.refused("POST", "subnetpools", {"subnetpool": fields}) == (400, error)


def test_prefixes_come_and_go(world: World) -> None:
    pool = make_pool(world, "10.0.0.0/24", default_prefixlen=26)
    assert cidr(world, pool) == "10.0.0.0/26"
    path = f"subnetpools/{pool['id']}"
    for prefixes in (["10.0.0.0/25"], ["2001:db8::/48"]):
        error = world.refused("PUT", path, {"subnetpool": {"prefixes": prefixes}})
        assert error == (400, "IllegalSubnetPoolPrefixUpdate")
    body = {"prefixes": ["10.0.1.0/24", "10.0.0.128/25"]}
    assert act(world, pool, "add_prefixes", body).json == {"prefixes": ["10.0.0.0/23"]}
    assert act(world, pool, "add_prefixes", {"prefixes": []}).json == {"prefixes": ["10.0.0.0/23"]}
    assert act(world, pool, "add_prefixes", {"prefixes": ["fd00::/64"]}).error == (400, "PrefixVersionMismatch")
    for used in ("10.0.0.0/25", "10.0.0.32/27", "10.0.0.0/26"):
        answer = act(world, pool, "remove_prefixes", {"prefixes": ["10.0.1.0/24", used]})
        assert answer.error == (400, "IllegalSubnetPoolPrefixUpdate"), used
    body = {"prefixes": ["10.0.0.128/25", "10.0.1.0/24", "172.16.0.0/12", "fd00::/64"]}
    assert act(world, pool, "remove_prefixes", body).json == {"prefixes": ["10.0.0.0/25"]}
    assert cidr(world, pool) == "10.0.0.64/26"
    assert cut(world, pool).error == (409, "SubnetAllocationError")
    assert act(world, pool, "add_prefixes", {"colour": "red"}).error[0] == 400


def test_many_prefixes_go_at_once(world: World) -> None:
    pool = make_pool(world, "10.0.0.0/8")
    path = f"subnetpools/{pool['id']}/remove_prefixes"
    scattered = [str(ip_address("10.0.0.0") + index * 32749 % 2**24) for index in range(1, PREFIX_LIMIT + 2)]
    for wish in (scattered[:PREFIX_LIMIT], scattered, ["172.16.0.0/32"] * (PREFIX_LIMIT + 1)):
        assert world.refused("PUT", path, {"prefixes": wish}) == (400, "InvalidInput")
    neighbours = [f"10.{index >> 8}.{index & 255}.0/24" for index in range(PREFIX_LIMIT)]
    left = act(world, pool, "remove_prefixes", {"prefixes": neighbours}).json["prefixes"]
    assert sum(IPv4Network(prefix).num_addresses for prefix in left) == 2**24 - 2**18
    assert (left[0], left[-1]) == ("10.4.0.0/14", "10.128.0.0/9")
    assert act(world, pool, "add_prefixes", {"prefixes": neighbours}).json == {"prefixes": ["10.0.0.0/8"]}
    every_other = {"prefixes": neighbours[::2]}
    assert len(act(world, pool, "remove_prefixes", every_other).json["prefixes"]) == PREFIX_LIMIT // 2 + 6
    more = {"prefixes": ["10.0.0.0/14", "10.255.255.255/32"]}
    left = act(world, pool, "remove_prefixes", more).json["prefixes"]
    assert (left[0], left[-1]) == ("10.4.0.0/14", "10.255.255.254/32")


def test_quotas_of_projects(world: World) -> None:
    pool = make_pool(world, "10.0.0.0/16", token="admin", default_prefixlen=24, default_quota=512, shared=True)
    assert cidr(world, pool, prefixlen=24) == "10.0.0.0/24"
    assert cut(world, pool, prefixlen=23).error == (409, "SubnetPoolQuotaExceeded")
    second = cut(world, pool).json["subnet"]
    assert cut(world, pool, cidr="10.0.9.0/28").error == (409, "SubnetPoolQuotaExceeded")
    assert cidr(world, pool, "red") == "10.0.2.0/24"
    world.remove("subnet", second["id"])
    assert cidr(world, pool, cidr="10.0.9.0/28") == "10.0.9.0/28"
    assert world.change("subnetpool", pool["id"], "admin", default_quota=None)["default_quota"] is None
    assert cidr(world, pool, prefixlen=20) == "10.0.16.0/20"
    wide = make_pool(world, "2001:db8::/48", default_quota=2)
    assert cidr(world, wide, prefixlen=64) == "2001:db8::/64"
    assert cidr(world, wide, prefixlen=65) == "2001:db8:0:1::/65"
    assert cut(world, wide, prefixlen=64).error == (409, "SubnetPoolQuotaExceeded")


def test_a_pool_stays_while_a_subnet_is_its_piece(world: World) -> None:
    pool = make_pool(world, "10.0.0.0/16", default_prefixlen=24)
    subnet = cut(world, pool).json["subnet"]
    assert world.refused("DELETE", f"subnetpools/{pool['id']}") == (400, "SubnetPoolDeleteError")
    world.remove("network", subnet["network_id"])
    world.remove("subnetpool", pool["id"])


def test_subnets_of_a_network_come_of_one_pool(world: World) -> None:
    pool, other = make_pool(world, "10.0.0.0/16"), make_pool(world, "10.1.0.0/16")
    subnet = cut(world, pool, prefixlen=24).json["subnet"]

    def refused(**fields: Any) -> Any:
        body = {"subnet": {"network_id": subnet["network_id"], **fields}}
        return world.refused("POST", "subnets", body)

    assert refused(cidr="10.2.0.0/24") == (400, "NetworkSubnetPoolAffinityError")
    assert refused(subnetpool_id=other["id"], prefixlen=24) == (400, "NetworkSubnetPoolAffinityError")
    world.make("subnet", network_id=subnet["network_id"], subnetpool_id=pool["id"], prefixlen=24)
    world.make("subnet", network_id=subnet["network_id"], ip_version=6, cidr="2001:db8::/64")


def test_default_pools(world: World) -> None:
    body = {"subnetpool": {"prefixes": ["10.0.0.0/16"], "is_default": True}}
    assert world.refused("POST", "subnetpools", body) == (403, "PolicyNotAuthorized")
    default = make_pool(world, "10.0.0.0/16", token="admin", is_default=True, default_prefixlen=24)
    assert world.refused("POST", "subnetpools", body, "admin") == (400, "InvalidInput")
    six = make_pool(world, "2001:db8::/48", token="admin", is_default=True, shared=True)
    network = world.make("network")

    def ask(token: str = "blue", **fields: Any) -> Any:
        wish = {"network_id": network["id"], "use_default_subnetpool": True, **fields}
        return world.ask("POST", "/v2.0/subnets", {"subnet": wish}, token)

    assert ask().error == ask(ip_version=4).error == (400, "BadRequest")
    assert ask(ip_version=6).json["subnet"]["subnetpool_id"] == six["id"]
    assert ask("admin", ip_version=4).json["subnet"]["cidr"] == "10.0.0.0/24"
    assert ask("admin", cidr="10.0.7.0/24").json["subnet"]["subnetpool_id"] == default["id"]
    assert world.change("subnetpool", default["id"], "admin", is_default=False)["is_default"] is False
    assert ask("admin", ip_version=4).error == (400, "BadRequest")
    second = make_pool(world, "10.9.0.0/16", token="admin", is_default=True)
    path = f"subnetpools/{default['id']}"
    assert world.refused("PUT", path, {"subnetpool": {"is_default": True}}, "admin") == (400, "InvalidInput")
    world.remove("subnetpool", second["id"], "admin")


def test_who_sees_a_pool(world: World) -> None:
    own, lent = make_pool(world, "10.0.0.0/16"), make_pool(world, "10.1.0.0/16", token="admin", shared=True)
    body = {"subnetpool": {"prefixes": ["10.0.0.0/16"], "shared": True}}
    assert world.refused("POST", "subnetpools", body) == (403, "PolicyNotAuthorized")
    assert world.refused("PUT", f"subnetpools/{own['id']}", {"subnetpool": {"shared": True}}) == (400, "HTTPBadRequest")
    assert {pool["id"] for pool in world.get("subnetpools")["subnetpools"]} == {own["id"], lent["id"]}
    assert [pool["id"] for pool in world.get("subnetpools", "red")["subnetpools"]] == [lent["id"]]
    assert cidr(world, lent, "red", prefixlen=24) == "10.1.0.0/24"
    assert cut(world, own, "red").error == (404, "SubnetPoolNotFound")
    assert act(world, own, "add_prefixes", {"prefixes": []}, "red").error == (404, "SubnetPoolNotFound")
    assert act(world, lent, "add_prefixes", {"prefixes": []}, "red").error == (403, "PolicyNotAuthorized")
    assert world.refused("DELETE", f"subnetpools/{lent['id']}", token="red") == (403, "PolicyNotAuthorized")


def test_subnets_come_on_board(world: World) -> None:
    network = world.make("network")
    first, second = (world.make("subnet", network_id=network["id"], cidr=f"10.{n}.0.0/24") for n in (1, 2))
    six = world.make("subnet", network_id=network["id"], ip_version=6, cidr="2001:db8::/64")
    pool = make_pool(world, "10.0.0.0/16", default_prefixlen=24)
    body = {"network_id": network["id"]}
    assert act(world, pool, "onboard_network_subnets", {"network_id": "none"}).error == (404, "NetworkNotFound")
    assert act(world, pool, "onboard_network_subnets", {}).error[0] == 400
    answer = act(world, pool, "onboard_network_subnets", body)
    expected = sorted(({"id": one["id"], "cidr": one["cidr"]} for one in (first, second)), key=lambda one: one["id"])
    assert (answer.status, answer.json) == (200, expected)
    assert world.get(f"subnetpools/{pool['id']}")["subnetpool"]["prefixes"] == [
        "10.0.0.0/16",
        "10.1.0.0/24",
        "10.2.0.0/24",
    ]
    assert world.get(f"subnets/{first['id']}")["subnet"]["subnetpool_id"] == pool["id"]
    assert world.get(f"subnets/{six['id']}")["subnet"]["subnetpool_id"] is None
    assert act(world, pool, "onboard_network_subnets", body).error == (400, "IllegalSubnetPoolUpdate")
    assert cut(world, pool, cidr="10.1.0.0/24").error == (409, "SubnetAllocationError")


def test_it_is_advertised(world: World) -> None:
    known = {extension["alias"] for extension in world.get("extensions")["extensions"]}
    assert {"subnet_allocation", "subnetpool-prefix-ops", "default-subnetpools", "subnet_onboard"} <= known
