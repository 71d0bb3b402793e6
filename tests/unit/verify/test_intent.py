"""The reference itself, checked by hand on a world small enough to reason about."""

from ipaddress import IPv4Address

import pytest
from msgspec.structs import replace

from netplane.model import Host, Port, Router
from netplane.verify.intent import DROPPED, Fate, Kind, intent, intent_of_tunnel
from netplane.verify.talks import SECOND, Memory
from netplane.verify.world import World
from tests.frames import arp, ethernet, icmp, internet_sum, ipv4, tcp, udp
from tests.unit.verify.records import RECORDS
from tests.worlds import replaced

ANN, BEN, CAT = (bytes((2, 0, 0, 0, 0, number)) for number in (2, 3, 4))
GATEWAY, FAR_GATEWAY = b"\2\0\0\0\1a", b"\2\0\0\0\1b"
SYN, ACK = 0x02, 0x10
WORLD = World(RECORDS)


def packet(
    destination: str,
    payload: bytes,
    protocol: int = 6,
    *,
    mac: bytes = GATEWAY,
    ttl: int = 64,
    source: str = "10.0.0.2",
) -> bytes:
    """A packet of ANN's, by way of the router unless `mac` says otherwise."""
    return ethernet(mac, ANN, 0x0800, ipv4(payload, protocol, source, destination, ttl=ttl))


def sent(frame: bytes, memory: Memory | None = None, now: int = 0) -> Fate:
    return intent(WORLD, "p2", frame, memory, now * SECOND)


def test_neighbours() -> None:
    frame = packet("10.0.0.3", tcp(1000, 22, SYN), mac=BEN)
    assert sent(frame) == Fate(Kind.DELIVERED, "p3", frame)


def test_through_the_router() -> None:
    fate = sent(packet("10.0.1.4", tcp(1000, 80, SYN)))
    assert (fate.kind, fate.port_id) == (Kind.DELIVERED, "p4")
    assert fate.frame[:12] == CAT + FAR_GATEWAY
    assert fate.frame[22] == 63
    assert internet_sum(fate.frame[14:34]) == 0


@pytest.mark.parametrize(
    "frame",
    [
        packet("10.0.1.4", tcp(1000, 444, SYN)),
        packet("10.0.1.4", udp(1000, 80), 17),
        packet("10.0.1.4", tcp(1000, 80, ACK)),
        packet("10.0.1.4", tcp(1000, 80, SYN), source="10.0.0.3"),
        packet("10.0.1.4", tcp(1000, 80, SYN), mac=CAT),
        packet("10.0.0.3", tcp(1000, 22, SYN), mac=b"\xff" * 6),
        packet("10.0.0.1", tcp(1000, 22, SYN)),
        packet("8.8.8.8", icmp(3), 1),
        packet("10.0.1.4", tcp(1000, 80, SYN))[:50],
        b"short",
    ],
)
def test_dropped(frame: bytes) -> None:
    assert sent(frame) == DROPPED


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (packet("8.8.8.8", udp(1, 2), 17), (3, 0)),
        (packet("10.0.1.99", udp(1, 2), 17), (3, 1)),
        (packet("10.0.1.1", udp(1, 2), 17), (3, 3)),
        (packet("10.0.1.4", tcp(1000, 80, SYN), ttl=1), (11, 0)),
        (packet("10.0.1.1", icmp(8), 1, ttl=1), (0, 0)),
    ],
)
def test_what_the_router_says(frame: bytes, kind: tuple[int, int]) -> None:
    fate = sent(frame)
    assert (fate.kind, fate.port_id) == (Kind.ANSWERED, "p2")
    assert tuple(fate.frame[34:36]) == kind
    assert fate.frame[:12] == ANN + GATEWAY
    assert fate.frame[30:34] == bytes((10, 0, 0, 2))
    assert internet_sum(fate.frame[14:34]) == internet_sum(fate.frame[34:]) == 0


@pytest.mark.parametrize(("target", "owner"), [("10.0.0.3", BEN), ("10.0.0.1", GATEWAY), ("10.0.0.9", None)])
def test_arp(target: str, owner: bytes | None) -> None:
    fate = sent(ethernet(b"\xff" * 6, ANN, 0x0806, arp(1, ANN, "10.0.0.2", target)))
    assert fate.kind is (Kind.DROPPED if owner is None else Kind.ANSWERED)
    assert fate.frame[22:28] == (owner or b"")


def test_dhcp() -> None:
    for source in ("0.0.0.0", "198.51.100.9"):
        asked = ethernet(b"\xff" * 6, ANN, 0x0800, ipv4(udp(68, 67), 17, source, "255.255.255.255"))
        assert sent(asked) == Fate(Kind.PUNTED, "p2", asked[6:])
    assert sent(packet("255.255.255.255", udp(67, 68), 17)) == DROPPED


def test_replies() -> None:
    memory = Memory()
    answer = ethernet(FAR_GATEWAY, CAT, 0x0800, ipv4(tcp(80, 1000, SYN | ACK), 6, "10.0.1.4", "10.0.0.2"))
    assert intent(WORLD, "p4", answer, memory) == DROPPED
    sent(packet("10.0.1.4", tcp(1000, 80, SYN)), memory)
    assert intent(WORLD, "p4", answer, memory).port_id == "p2"
    assert intent(WORLD, "p4", answer, memory, 432_000 * SECOND) == DROPPED


def test_hosts_speak_for_their_own_machines_only() -> None:
    host = WORLD.get(Host, "h2")
    assert host is not None
    frame = packet("10.0.0.3", tcp(1000, 22, SYN), mac=BEN)
    for outer, vni, kind in (
        ("192.0.2.1", 7, Kind.DELIVERED),
        ("192.0.2.2", 7, Kind.DROPPED),
        ("192.0.2.1", 8, Kind.DROPPED),
        ("192.0.2.9", 7, Kind.DROPPED),
        ("192.0.2.1", 99, Kind.DROPPED),
    ):
        assert intent_of_tunnel(WORLD, host, vni, IPv4Address(outer), frame).kind is kind


def test_what_is_switched_off() -> None:
    frame = packet("10.0.1.4", tcp(1000, 80, SYN))
    port = WORLD.get(Port, "p4")
    assert port is not None
    down = replace(port, admin_state_up=False)
    assert intent(World(replaced(RECORDS, down)), "p2", frame) == DROPPED
    assert intent(World(replaced(RECORDS, down)), "p4", frame) == DROPPED
    off = World(replaced(RECORDS, Router(id="r", number=1, admin_state_up=False)))
    assert intent(off, "p2", frame) == DROPPED
