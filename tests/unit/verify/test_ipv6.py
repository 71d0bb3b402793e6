"""What the reference says of IPv6, checked by hand."""

from ipaddress import IPv6Address

import pytest
from msgspec.structs import replace

from netplane.model import FixedIP, Port, Subnet
from netplane.verify.datagram import sum_of
from netplane.verify.intent import DROPPED, Fate, Kind, intent
from netplane.verify.world import World, addresses
from tests.frames import ethernet, tcp, udp
from tests.frames6 import icmp6, ipv6, solicitation, solicited_node
from tests.unit.verify.records import RECORDS, rule
from tests.worlds import replaced

ANN, BEN, CAT = (bytes((2, 0, 0, 0, 0, number)) for number in (2, 3, 4))
GATEWAY = b"\2\0\0\0\1a"


def dual(port: Port) -> Port:
    """The port with an address of IPv6 that ends as its own."""
    network = port.network_id
    last = port.fixed_ips[0].ip_address.rsplit(".", 1)[1]
    own = FixedIP(f"{network}-v6", f"fd00:{ord(network):x}::{last}")
    return replace(port, fixed_ips=(*port.fixed_ips, own))


def dual_stack() -> World:
    records = [
        *RECORDS,
        *(Subnet(id=f"{name}-v6", network_id=name, ip_version=6, cidr=f"fd00:{ord(name):x}::/64") for name in "ab"),
        rule(5, "friends", "egress", ethertype="IPv6"),
        rule(6, "friends", "ingress", ethertype="IPv6", remote_group_id="friends"),
        rule(7, "web", "ingress", ethertype="IPv6", protocol="tcp", port_range_min=80, port_range_max=80),
    ]
    for record in list(records):
        if isinstance(record, Port):
            records = replaced(records, dual(record))
    return World(records)


WORLD = dual_stack()


def sent(
    payload: bytes, protocol: int, destination: str, mac: bytes, *, source: str = "fd00:61::2", hops: int = 64
) -> Fate:
    return intent(WORLD, "p2", ethernet(mac, ANN, 0x86DD, ipv6(payload, protocol, source, destination, hops=hops)))


def test_who_has_an_address_has_another_on_the_link() -> None:
    (port,) = (port for port in WORLD.all(Port) if port.id == "p2")
    assert [str(address) for address in addresses(port)] == ["10.0.0.2", "fd00:61::2", "fe80::ff:fe00:2"]


@pytest.mark.parametrize(
    ("destination", "mac", "port"),
    [("fd00:61::3", BEN, "p3"), ("fe80::ff:fe00:3", BEN, "p3"), ("fd00:62::4", GATEWAY, "p4"), ("fd00:61::3", CAT, "")],
)
def test_where_packets_go(destination: str, mac: bytes, port: str) -> None:
    assert sent(tcp(1000, 80, 2), 6, destination, mac).port_id == port


@pytest.mark.parametrize(
    ("destination", "source", "hops", "said"),
    [
        ("2001:db8::1", "fd00:61::2", 64, (1, 0)),
        ("fe80::99", "fd00:61::2", 64, (1, 0)),
        ("fd00:62::99", "fd00:61::2", 64, (1, 3)),
        ("fd00:62::1", "fd00:61::2", 64, (1, 4)),
        ("fd00:62::4", "fe80::ff:fe00:2", 64, (1, 2)),
        ("fd00:62::4", "fd00:61::2", 1, (3, 0)),
    ],
)
def test_what_the_router_says(destination: str, source: str, hops: int, said: tuple[int, int]) -> None:
    fate = sent(udp(1, 2), 17, destination, GATEWAY, source=source, hops=hops)
    assert (fate.kind, fate.port_id, tuple(fate.frame[54:56])) == (Kind.ANSWERED, "p2", said)
    pseudo = fate.frame[22:54] + (len(fate.frame) - 54).to_bytes(4, "big") + b"\0\0\0\x3a"
    assert sum_of(pseudo + fate.frame[54:]) == 0


@pytest.mark.parametrize(
    ("target", "source", "owner"),
    [
        ("fd00:61::3", "fd00:61::2", BEN),
        ("fe80::ff:fe00:3", "fe80::ff:fe00:2", BEN),
        ("fd00:61::1", "::", GATEWAY),
        ("fd00:61::2", "::", None),
        ("fd00:61::9", "fd00:61::2", None),
        ("fd00:61::3", "fd00:61::3", None),
    ],
)
def test_neighbours(target: str, source: str, owner: bytes | None) -> None:
    group, mac = solicited_node(target)
    fate = sent(solicitation(source, target, group), 58, group, mac, source=source, hops=255)
    assert fate.kind is (Kind.DROPPED if owner is None else Kind.ANSWERED)
    if owner is not None:
        assert fate.frame[-6:] == owner
        assert fate.frame[62:78] == IPv6Address(target).packed


@pytest.mark.parametrize("kind", [134, 136, 137])
def test_what_machines_need_not_say(kind: int) -> None:
    message = solicitation("fd00:61::2", "fd00:61::3", "fd00:61::3", kind=kind)
    assert sent(message, 58, "fd00:61::3", BEN, hops=255) == DROPPED


def test_what_the_agent_is_asked() -> None:
    asked = icmp6("fe80::ff:fe00:2", "ff02::2", 133, rest=bytes(4))
    assert sent(asked, 58, "ff02::2", b"\x33\x33\0\0\0\2", source="fe80::ff:fe00:2", hops=255).kind is Kind.PUNTED
    assert sent(asked, 58, "ff02::2", b"\x33\x33\0\0\0\2", source="fe80::ff:fe00:2", hops=64) == DROPPED
    dhcp = {"destination": "ff02::1:2", "mac": b"\x33\x33\0\1\0\2", "source": "fe80::ff:fe00:2"}
    assert sent(udp(546, 547), 17, **dhcp).kind is Kind.PUNTED  # type: ignore[arg-type]
    assert sent(udp(547, 546), 17, **dhcp) == DROPPED  # type: ignore[arg-type]


def test_rules_of_one_family_say_nothing_of_the_other() -> None:
    only_ipv4 = World([record for record in WORLD.records if getattr(record, "ethertype", "IPv4") == "IPv4"])
    frame = ethernet(BEN, ANN, 0x86DD, ipv6(tcp(1000, 80, 2), 6, "fd00:61::2", "fd00:61::3"))
    assert intent(only_ipv4, "p2", frame) == DROPPED
    assert intent(WORLD, "p2", frame).kind is Kind.DELIVERED
