"""Addresses changed in packets: checksums that were right stay right, wrong ones wrong, and none stays none."""

from random import Random

import pytest

from netplane.base.addresses import pack_address
from netplane.tables.packet import TCP, UDP, Packet, checksum, parse
from netplane.tables.peers import ADDRESSES, DEVICES, RANGE, peer_of, seen_slot
from netplane.tables.services import from_service, to_service
from tests import frames

MACS = bytes(range(6)), bytes(range(6, 12))


def frame(random: Random, protocol: int) -> bytes:
    """A packet with right checksums."""
    data = random.randbytes(random.randint(0, 30))
    numbers = random.randint(1, 65535), 53
    segment = bytearray(frames.tcp(*numbers, 2, data) if protocol == TCP else frames.udp(*numbers, data))
    at = 16 if protocol == TCP else 6
    segment[at : at + 2] = bytes(2)
    address = f"10.0.{random.randint(0, 255)}.{random.randint(1, 254)}"
    packet = frames.ipv4(bytes(segment), protocol, address, "169.254.169.254")
    pseudo = packet[12:20] + bytes((0, protocol)) + len(segment).to_bytes(2, "big")
    total = checksum(pseudo + bytes(segment))
    segment[at : at + 2] = (total or 0xFFFF).to_bytes(2, "big")
    return frames.ethernet(*MACS, 0x0800, frames.ipv4(bytes(segment), protocol, address, "169.254.169.254"))


def is_right(data: bytes) -> bool:
    """Whether both checksums are."""
    ip, segment = data[14:34], data[34:]
    pseudo = ip[12:20] + bytes((0, ip[9])) + len(segment).to_bytes(2, "big")
    return checksum(ip) == 0 and checksum(pseudo + segment) == 0


@pytest.mark.parametrize("protocol", [TCP, UDP])
def test_there_and_back(protocol: int) -> None:
    random = Random(protocol)
    for _ in range(2000):
        sent = frame(random, protocol)
        packet = parse(sent)
        assert isinstance(packet, Packet)
        peer = peer_of(random.choice((1, 77, 65_536)), random.randrange(ADDRESSES))
        there = to_service(sent, packet, peer)
        assert is_right(there)
        assert there[26:30] == peer[12:]
        back = from_service(there[:26] + there[30:34] + there[26:30] + there[34:], packet, MACS[1], packet.source)
        assert is_right(back)


def test_a_datagram_without_a_checksum_stays_without() -> None:
    sent = frames.ethernet(*MACS, 0x0800, frames.ipv4(frames.udp(9, 53), UDP, "10.0.0.5", "8.8.8.8"))
    packet = parse(sent)
    assert isinstance(packet, Packet)
    assert to_service(sent, packet, peer_of(7, 0))[40:42] == bytes(2)


def test_peers() -> None:
    assert peer_of(1, 0) == pack_address("240.0.0.16")
    assert peer_of(1, 2, ipv6=True) == pack_address("100:0:0:1::12")
    for ifindex in (1, 2, 4096, DEVICES[-1]):
        for which in (0, ADDRESSES - 1):
            for ipv6 in (False, True):
                assert seen_slot(peer_of(ifindex, which, ipv6=ipv6)) == ifindex
    assert seen_slot(pack_address("fe80::10")) == 0
    assert seen_slot(pack_address("10.0.0.1")) == 0
    assert peer_of(DEVICES[-1], ADDRESSES - 1)[12:] != RANGE.broadcast_address.packed
    for ifindex, which in ((0, 0), (DEVICES[-1] + 1, 0), (1, ADDRESSES), (1, -1)):
        with pytest.raises(ValueError, match="no peer"):
            peer_of(ifindex, which)
