"""Addresses that move between ports: what a machine says of it, and what the others are told."""

import pytest

from netplane.agent.answers import moving
from netplane.base.addresses import pack_address
from netplane.verify.datagram6 import read_ipv6
from tests.frames import arp, ethernet

MAC, OTHER = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
MARKED = b"\x02\x05\0\0\0\7"


@pytest.mark.parametrize("address", ["10.0.0.100", "fd00::5"])
def test_what_is_told_is_understood(address: str) -> None:
    told = moving.write(pack_address(address), MAC)
    assert moving.read(MARKED + told[6:]) == moving.Said(address, MAC.hex(":"))


def test_the_advertisement_is_one() -> None:
    frame = moving.write(pack_address("fd00::5"), MAC)
    packet = read_ipv6(frame)
    assert packet is not None
    assert (str(packet.destination), packet.ttl, packet.icmp) == ("ff02::1", 255, (136, 0))


@pytest.mark.parametrize(
    "frame",
    [b"", bytes(41), ethernet(MARKED, MAC, 0x0806, bytes(20)), ethernet(MARKED, MAC, 0x86DD, bytes(63)), bytes(90)],
)
def test_anything_else_says_nothing(frame: bytes) -> None:
    assert moving.read(frame) is None


def test_the_frame_tells_the_mac_address() -> None:
    frame = ethernet(MARKED, MAC, 0x0806, arp(2, OTHER, "10.0.0.1", "10.0.0.1"))
    assert moving.read(frame) == moving.Said("10.0.0.1", MAC.hex(":"))
