"""Each feature by itself: records in, entries out as text, and problems."""

from ipaddress import IPv6Address

from msgspec.structs import replace

from netplane.compiler import Compiler, compile_slice
from netplane.model import (
    ROUTER_INTERFACE,
    Change,
    Device,
    Endpoint,
    FixedIP,
    Host,
    Identity,
    More,
    Network,
    Operation,
    Port,
    Record,
    Router,
    SecurityGroupRule,
    Subnet,
    kind_of,
)
from netplane.tables.text import show_entries

MAC = "02:00:00:00:00:01"
PACKED_MAC = bytes.fromhex("020000000001")
NETWORK = Network(id="net", vni=100)
SUBNET = Subnet(id="sub", network_id="net", cidr="10.0.0.0/24")
ROUTER = Router(id="router", number=5)
FLOODING = ("spread", "crowd", "broadcast")


def compiled(*records: Record) -> tuple[dict[str, list[str]], list[str]]:
    """The entries of each table that has any, and the problems, of the compiler and from scratch alike.

    What every network has for its broadcasts stands in `test_flooding`.
    """
    compiler = Compiler()
    compiler.apply(Change(1, Operation.UPSERT, kind_of(record), record.id, record) for record in records)
    assert compiler.desired == compile_slice(records)
    plain = {table: entries for table, entries in compiler.desired.items() if entries and table not in FLOODING}
    shown = {table: show_entries(table, entries) for table, entries in plain.items()}
    return shown, [f"{kind} {id}: {text}" for kind, id, text in compiler.problems]


def address(text: str) -> bytes:
    return bytes(10) + b"\xff\xff" + bytes(map(int, text.split(".")))


def port(**changes: object) -> Port:
    fields: dict[str, object] = {"network_id": "net", "mac_address": MAC, "fixed_ips": (FixedIP("sub", "10.0.0.7"),)}
    return Port(id="port", **fields | changes)  # type: ignore[arg-type]


def interface(**changes: object) -> Port:
    return port(**{"device_id": "router", "device_owner": ROUTER_INTERFACE} | changes)


def test_hosts() -> None:
    shown, problems = compiled(
        Host(id="a", number=1, address="192.0.2.1"), Host(id="b", number=2, address="2001:db8::2")
    )
    assert shown == {"host": ["number=1 -> address=192.0.2.1", "number=2 -> address=2001:db8::2"]}
    assert not problems


def test_malformed_hosts() -> None:
    shown, problems = compiled(Host(id="a", number=1, address="here"), Host(id="b", number=0, address="192.0.2.1"))
    assert not shown
    assert problems == [
        "host a: 'here' does not appear to be an IPv4 or IPv6 address",
        "host b: 0 is no number for a host",
    ]


def test_hosts_with_the_same_number() -> None:
    shown, problems = compiled(Host(id="b", number=1, address="192.0.2.2"), Host(id="a", number=1, address="192.0.2.1"))
    assert shown == {"host": ["number=1 -> address=192.0.2.1"]}
    assert problems == ["host b: host number=1 also belongs to host a, whose value stands"]


def endpoint(id: str = "port", **changes: object) -> Endpoint:
    fields: dict[str, object] = {
        "vni": 100,
        "mac": PACKED_MAC,
        "addresses": (address("10.0.0.7"),),
        "identity": 3,
        "host": 2,
    }
    return Endpoint.of(id, **fields | changes)  # type: ignore[arg-type]


def test_endpoints() -> None:
    shown, problems = compiled(endpoint(addresses=(address("10.0.0.8"), address("10.0.0.7"))))
    tail = f"-> mac={MAC} flags=0 host=2 identity=3"
    assert shown == {"endpoint": [f"vni=100 address=10.0.0.7 {tail}", f"vni=100 address=10.0.0.8 {tail}"]}
    assert not problems


def test_malformed_endpoints() -> None:
    good = endpoint()
    for malformed in (
        replace(good, key=b"123"),
        replace(good, key=good.key[:4]),
        replace(good, key=good.key[:-1]),
        replace(good, key=good.key + b"1"),
        replace(good, value=b"123"),
        replace(good, more=More(addresses=(b"123",))),
        replace(good, key=b"1", more=More(addresses=(address("10.0.0.8"),))),
    ):
        shown, problems = compiled(malformed)
        assert not shown
        assert len(problems) == 1


def test_an_endpoint_without_addresses_or_with_one_twice() -> None:
    assert compiled(endpoint(addresses=())) == ({}, [])
    shown, problems = compiled(endpoint(addresses=(address("10.0.0.7"), address("10.0.0.7"))))
    assert len(shown["endpoint"]) == 1
    assert not problems


def test_ports() -> None:
    shown, problems = compiled(port(), Device(id="port", ifindex=9, peer=True), NETWORK, SUBNET)
    assert shown == {
        "port": [f"ifindex=9 vlan=0 -> vni=100 mac={MAC} flags=DHCP mtu=1450"],
        "device": [f"vni=100 mac={MAC} -> ifindex=9 flags=PEER vlan=0 identity=0 project=0"],
        "client": ["ifindex=9 vlan=0 address=10.0.0.7 -> peer=240.0.0.144"],
        "peer": [f"peer=240.0.0.144 -> address=10.0.0.7 ifindex=9 flags=PEER vlan=0 vni=100 mac={MAC}"],
    }
    assert not problems


def test_a_device_knows_its_ports_identity() -> None:
    identity = Identity(id="i", number=3, groups=())
    shown, _ = compiled(port(identity_id="i"), Device(id="port", ifindex=9), NETWORK, SUBNET, identity)
    assert shown["device"] == [f"vni=100 mac={MAC} -> ifindex=9 flags=0 vlan=0 identity=3 project=0"]


def test_a_port_without_dhcp() -> None:
    subnet = Subnet(id="sub", network_id="net", cidr="10.0.0.0/24", enable_dhcp=False)
    shown, _ = compiled(port(), Device(id="port", ifindex=9), NETWORK, subnet)
    assert shown == {
        "port": [f"ifindex=9 vlan=0 -> vni=100 mac={MAC} flags=0 mtu=1450"],
        "device": [f"vni=100 mac={MAC} -> ifindex=9 flags=0 vlan=0 identity=0 project=0"],
        "client": ["ifindex=9 vlan=0 address=10.0.0.7 -> peer=240.0.0.144"],
        "peer": [f"peer=240.0.0.144 -> address=10.0.0.7 ifindex=9 flags=0 vlan=0 vni=100 mac={MAC}"],
    }


def test_resolvers_out_of_reach_of_the_networks_routers_are_the_platforms_to_ask() -> None:
    subnet = replace(SUBNET, dns_nameservers=("9.9.9.9", "10.0.0.53", "10.0.1.53", "2001:db8::53"))
    far = Network(id="far", vni=101), Subnet(id="other", network_id="far", cidr="10.0.1.0/24")
    shown, problems = compiled(NETWORK, subnet, *far)
    far_away = [f"vni=100 address={address} -> flags=0" for address in ("9.9.9.9", "10.0.1.53")]
    assert sorted(shown["resolver"]) == sorted(far_away)
    there = replace(interface(), id="there", network_id="far", fixed_ips=(FixedIP("other", "10.0.1.1"),))
    shown, _ = compiled(NETWORK, subnet, *far, ROUTER, interface(), there)
    assert sorted(shown["resolver"]) == far_away[:1]
    assert not problems


def test_devices_and_addresses_that_services_cannot_tell_apart() -> None:
    many = tuple(FixedIP("sub", f"10.0.0.{last}") for last in range(10, 30))
    shown, problems = compiled(port(fixed_ips=many), Device(id="port", ifindex=9), NETWORK, SUBNET)
    assert (len(shown["client"]), len(shown["peer"])) == (16, 16)
    assert problems == ["port port: only its first 16 addresses are served names and metadata"]
    _, problems = compiled(port(), Device(id="port", ifindex=1 << 24), NETWORK, SUBNET)
    assert problems == ["port port: there is no peer for address 0 of slot 16777216"]


def test_ports_that_come_to_nothing() -> None:
    device = Device(id="port", ifindex=9)
    assert compiled(port(), NETWORK, SUBNET) == ({}, [])
    assert compiled(device, NETWORK, SUBNET) == ({}, [])
    assert compiled(port(admin_state_up=False), device, NETWORK, SUBNET) == ({}, [])
    assert compiled(port(), device, Network(id="net", vni=100, admin_state_up=False), SUBNET) == ({}, [])
    assert compiled(port(), device, SUBNET) == ({}, ["port port: network net is missing"])
    assert compiled(port(mac_address="02"), device, NETWORK, SUBNET) == ({}, ["port port: not a MAC address: '02'"])


def test_a_port_whose_subnet_is_missing_forwards_all_the_same() -> None:
    shown, problems = compiled(port(), Device(id="port", ifindex=9), NETWORK)
    assert shown["port"] == [f"ifindex=9 vlan=0 -> vni=100 mac={MAC} flags=0 mtu=1450"]
    assert problems == ["port port: subnet sub is missing"]


def test_router_interfaces() -> None:
    shown, problems = compiled(interface(), NETWORK, SUBNET, ROUTER)
    assert shown == {
        "endpoint": [f"vni=100 address=10.0.0.7 -> mac={MAC} flags=ROUTER host=0 identity=0"],
        "gateway": [f"vni=100 mac={MAC} family=IPV4 -> router=5 address=10.0.0.7"],
        "route": [f"router=5 prefix=10.0.0.0/24 -> vni=100 mac={MAC} mtu=1450"],
    }
    assert not problems


def test_a_router_interface_in_two_subnets_and_twice_in_one() -> None:
    fixed = (FixedIP("sub", "10.0.0.7"), FixedIP("sub", "10.0.0.8"), FixedIP("sub2", "10.0.1.1"))
    wide = Subnet(id="sub2", network_id="net", cidr="10.0.1.1/20")
    shown, problems = compiled(interface(fixed_ips=fixed), NETWORK, SUBNET, wide, ROUTER)
    assert len(shown["endpoint"]) == 3
    assert shown["gateway"] == [f"vni=100 mac={MAC} family=IPV4 -> router=5 address=10.0.0.7"]
    assert [line.split(" ->")[0] for line in shown["route"]] == [
        "router=5 prefix=10.0.0.0/20",
        "router=5 prefix=10.0.0.0/24",
    ]
    assert not problems


def test_ipv6_addresses() -> None:
    """Who has one also has that of its MAC address on the link; routers speak from the one that they were given."""
    dual = (FixedIP("sub", "10.0.0.7"), FixedIP("sub6", "fd00::7"))
    subnet = Subnet(id="sub6", network_id="net", ip_version=6, cidr="fd00::/64", enable_dhcp=False)
    shown, problems = compiled(interface(fixed_ips=dual), NETWORK, SUBNET, subnet, ROUTER)
    assert shown == {
        "endpoint": [
            f"vni=100 address=10.0.0.7 -> mac={MAC} flags=ROUTER host=0 identity=0",
            f"vni=100 address=fd00::7 -> mac={MAC} flags=ROUTER host=0 identity=0",
            f"vni=100 address=fe80::ff:fe00:1 -> mac={MAC} flags=ROUTER host=0 identity=0",
        ],
        "gateway": [
            f"vni=100 mac={MAC} family=IPV4 -> router=5 address=10.0.0.7",
            f"vni=100 mac={MAC} family=IPV6 -> router=5 address=fd00::7",
        ],
        "route": [
            f"router=5 prefix=10.0.0.0/24 -> vni=100 mac={MAC} mtu=1450",
            f"router=5 prefix=fd00::/64 -> vni=100 mac={MAC} mtu=1450",
        ],
    }
    assert not problems
    machine = Endpoint.of("p", vni=100, mac=PACKED_MAC, addresses=(IPv6Address("fd00::8").packed,), identity=0, host=1)
    shown, problems = compiled(machine)
    assert shown["endpoint"] == [
        f"vni=100 address=fd00::8 -> mac={MAC} flags=0 host=1 identity=0",
        f"vni=100 address=fe80::ff:fe00:1 -> mac={MAC} flags=0 host=1 identity=0",
    ]
    assert not problems


def test_each_family_is_configured_by_its_own_subnets() -> None:
    device = Device(id="port", ifindex=9)
    fixed = (FixedIP("sub", "10.0.0.7"), FixedIP("sub6", "fd00::7"))
    for four in (True, False):
        for six in (True, False):
            subnets = (
                Subnet(id="sub", network_id="net", cidr="10.0.0.0/24", enable_dhcp=four),
                Subnet(id="sub6", network_id="net", ip_version=6, cidr="fd00::/64", enable_dhcp=six),
            )
            shown, _ = compiled(port(fixed_ips=fixed), device, NETWORK, *subnets)
            flags = "|".join(name for name, on in (("DHCP", four), ("DHCP6", six)) if on) or "0"
            assert shown["port"] == [f"ifindex=9 vlan=0 -> vni=100 mac={MAC} flags={flags} mtu=1450"]


def test_a_subnet_that_has_all_of_ipv4_in_it_is_not_routed() -> None:
    wide = Subnet(id="sub", network_id="net", ip_version=6, cidr="::/64")
    shown, problems = compiled(interface(fixed_ips=(FixedIP("sub", "::7"),)), NETWORK, wide, ROUTER)
    assert "route" not in shown
    assert problems == ["port port: ::/64 has every IPv4 address in it (RFC 4291, section 2.5.5.2)"]


def test_a_router_that_is_down_or_missing_routes_nothing_but_keeps_its_addresses() -> None:
    down = Router(id="router", number=5, admin_state_up=False)
    shown, problems = compiled(interface(), NETWORK, SUBNET, down)
    assert list(shown) == ["endpoint"]
    assert not problems
    shown, problems = compiled(interface(), NETWORK, SUBNET)
    assert list(shown) == ["endpoint"]
    assert problems == ["port port: router router is missing"]


def test_router_interfaces_with_what_they_need_missing_or_malformed() -> None:
    shown, problems = compiled(interface(), NETWORK, ROUTER)
    assert list(shown) == ["endpoint", "gateway"]
    assert problems == ["port port: subnet sub is missing"]
    assert compiled(interface(), SUBNET, ROUTER) == ({}, ["port port: network net is missing"])
    bad = Subnet(id="sub", network_id="net", cidr="10.0.0.0/33")
    for records in ((interface(fixed_ips=(FixedIP("sub", "10"),)), SUBNET), (interface(), bad)):
        shown, problems = compiled(*records, NETWORK, ROUTER)
        assert not shown
        assert len(problems) == 1


def test_an_address_of_a_machine_and_a_router() -> None:
    machine = Endpoint.of("port2", vni=100, mac=PACKED_MAC, addresses=(address("10.0.0.7"),), identity=0, host=1)
    shown, problems = compiled(interface(), NETWORK, SUBNET, ROUTER, machine)
    assert shown["endpoint"] == [f"vni=100 address=10.0.0.7 -> mac={MAC} flags=0 host=1 identity=0"]
    assert problems == [
        "port port: endpoint vni=100 address=10.0.0.7 also belongs to endpoint port2, whose value stands"
    ]


def test_other_kinds_come_to_nothing() -> None:
    assert compiled(NETWORK, SUBNET, ROUTER, SecurityGroupRule(id="r", security_group_id="g", direction="up")) == (
        {},
        [],
    )
    assert compiled(Identity(id="i", number=1, groups=()))[1] == []


def test_of_many_endpoints_the_plain_ones_take_a_shortcut_to_the_same_entries() -> None:
    """Others among them, and two that want the same address, are compiled one by one."""
    addresses = [address(f"10.0.{number // 200}.{number % 200 + 1}") for number in range(300)]
    plain = [
        Endpoint.of(f"e{number:03}", vni=100, mac=PACKED_MAC, addresses=(each,), identity=number % 7, host=1)
        for number, each in enumerate(addresses)
    ]
    odd = [
        endpoint("stateless", addresses=(address("10.1.0.1"),), stateless=True),
        endpoint("rival", addresses=(addresses[0],)),
        endpoint("open", addresses=(address("10.1.0.2"),), secured=False),
        endpoint("asking", addresses=(address("10.1.0.3"),), asks=True),
        endpoint("two", addresses=(address("10.1.0.4"), address("10.1.0.5"))),
        endpoint("none", addresses=()),
        endpoint("named", addresses=(address("10.1.0.6"),), names=("web",)),
        endpoint("six", addresses=(IPv6Address("fd00::1").packed,)),
        endpoint("named six", addresses=(IPv6Address("fd00::2").packed,), names=("six",)),
    ]
    for records in (plain + odd, odd + plain, [*odd, replace(plain[0], id="short", key=b"short"), *plain]):
        compiler = Compiler()
        changes = [Change(1, Operation.UPSERT, "endpoint", record.id, record) for record in records]
        compiler.apply(changes[:150])
        compiler.apply(changes[100:])
        assert compiler.desired == compile_slice(records)
        one_by_one = Compiler()
        for change in changes:
            one_by_one.apply([change])
        assert one_by_one.problems == compiler.problems
        first = min(compiler.desired["endpoint"])
        assert compiler.owners("endpoint", first) == [("endpoint", "e000"), ("endpoint", "rival")]
        compiler.apply(Change(1, Operation.DELETE, "endpoint", record.id, None) for record in records)
        assert not any(compiler.footprint().values())
