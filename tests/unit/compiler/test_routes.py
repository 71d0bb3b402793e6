"""Routes of routers: records in, entries out as text, and problems."""

from netplane.compiler import Compiler
from netplane.model import (
    ROUTER_INTERFACE,
    Change,
    FixedIP,
    Network,
    Operation,
    Port,
    Record,
    Route,
    Router,
    Subnet,
    kind_of,
)
from netplane.tables.text import show_entries

MAC = "02:00:00:00:00:01"
NETWORK = Network(id="net", vni=100)
SUBNET = Subnet(id="sub", network_id="net", cidr="10.0.0.0/24")
SUBNET6 = Subnet(id="sub6", network_id="net", cidr="fd00::/64", ip_version=6)
INTERFACE = Port(
    id="port",
    network_id="net",
    mac_address=MAC,
    fixed_ips=(FixedIP("sub", "10.0.0.1"), FixedIP("sub6", "fd00::1")),
    device_id="router",
    device_owner=ROUTER_INTERFACE,
)
CONNECTED = [f"router=5 prefix=10.0.0.0/24 -> vni=100 mac={MAC} mtu=1450"]
CONNECTED6 = [f"router=5 prefix=fd00::/64 -> vni=100 mac={MAC} mtu=1450"]


def compiled(router: Router, *others: Record) -> tuple[list[str], list[str], list[str]]:
    """The lines of `hop` and `route`, and the problems."""
    records = (router, *(others or (INTERFACE, NETWORK, SUBNET, SUBNET6)))
    compiler = Compiler()
    compiler.apply(Change(1, Operation.UPSERT, kind_of(record), record.id, record) for record in records)
    shown = [show_entries(table, compiler.desired[table]) for table in ("hop", "route")]
    return shown[0], shown[1], [f"{kind} {id}: {text}" for kind, id, text in compiler.problems]


def router(*routes: tuple[str, str], is_up: bool = True) -> Router:
    return Router(id="router", number=5, admin_state_up=is_up, routes=tuple(Route(*route) for route in routes))


def hop(prefix: str, index: int, via: str) -> str:
    return f"router=5 prefix={prefix} index={index} -> via={via} vni=100 mac={MAC} mtu=1450"


def test_next_hops() -> None:
    hops, routes, problems = compiled(
        router(("172.16.0.0/12", "10.0.0.9"), ("0.0.0.0/0", "10.0.0.8"), ("172.16.0.0/12", "10.0.0.7"))
    )
    assert hops == [
        hop("0.0.0.0/0", 0, "10.0.0.8"),
        hop("172.16.0.0/12", 0, "10.0.0.7"),
        hop("172.16.0.0/12", 1, "10.0.0.9"),
    ]
    assert routes == [
        "router=5 prefix=0.0.0.0/0 -> hops=1",
        *CONNECTED,
        "router=5 prefix=172.16.0.0/12 -> hops=2",
        *CONNECTED6,
    ]
    assert not problems


def test_a_router_that_is_down_routes_nothing() -> None:
    assert compiled(router(("172.16.0.0/12", "10.0.0.9"), is_up=False)) == ([], [], [])


def test_next_hops_that_are_nowhere() -> None:
    hops, routes, problems = compiled(
        router(("172.16.0.0/12", "10.0.0.9"), ("172.16.0.0/12", "10.0.1.9"), ("8.0.0.0/8", "10.0.0.1"))
    )
    assert hops == [hop("172.16.0.0/12", 0, "10.0.0.9")]
    assert len(routes) == 3
    assert problems == ["router router: 1 of its next hops are on no network of it, or too many"]
    assert compiled(router(("172.16.0.0/12", "10.0.0.9")), NETWORK)[:2] == ([], [])


def test_malformed_routes() -> None:
    hops, _, problems = compiled(
        router(("somewhere", "10.0.0.9"), ("172.16.0.0/12", "somebody"), ("8.0.0.0/8", "10.0.0.9"))
    )
    assert hops == [hop("8.0.0.0/8", 0, "10.0.0.9")]
    assert len(problems) == 2


def test_ways_of_ipv6_are_none_for_ipv4() -> None:
    """IPv4's addresses stand within IPv6's, so a default route of IPv6 must not be taken for theirs."""
    _, routes, _ = compiled(router(("::/0", "fd00::9")))
    assert routes == [
        "router=5 prefix=::/0 -> hops=1",
        "router=5 prefix=0.0.0.0/0 -> hops=nowhere",
        *CONNECTED,
        *CONNECTED6,
    ]
    _, routes, _ = compiled(router(("::/0", "fd00::9"), ("0.0.0.0/0", "10.0.0.9")))
    assert "router=5 prefix=0.0.0.0/0 -> hops=1" in routes
    _, routes, _ = compiled(router(("::/0", "fd00::9"), ("0.0.0.0/0", "10.0.1.9")))
    assert "router=5 prefix=0.0.0.0/0 -> hops=nowhere" in routes
    _, routes, _ = compiled(router(("8000::/1", "fd00::9")))
    assert not [line for line in routes if "nowhere" in line]


def test_a_routers_own_addresses_stay_its_own() -> None:
    """Where a route is about a longer prefix than that of its own network."""
    hops, routes, problems = compiled(router(("10.0.0.0/25", "10.0.0.9"), ("10.0.0.1/32", "10.0.0.9")))
    assert hops == [hop("10.0.0.0/25", 0, "10.0.0.9")]
    assert f"router=5 prefix=10.0.0.1/32 -> vni=100 mac={MAC} mtu=1450" in routes
    assert not problems


def test_a_connected_network_comes_before_a_route_to_it() -> None:
    hops, routes, problems = compiled(router(("10.0.0.0/24", "10.0.0.9")))
    assert routes[:1] == CONNECTED
    assert len(hops) == 1
    assert problems == [
        "router router: route router=5 prefix=10.0.0.0/24 also belongs to port port, whose value stands"
    ]
