"""Frames that the lab makes are what they say."""

from netplane.lab.traffic.frames import Seen, arp_reply, checksum, echo_request, ethernet, ipv4, vxlan

ONE, TWO = "02:00:00:00:00:01", "02:00:00:00:00:02"


def test_checksum_of_rfc_1071() -> None:
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D
    assert checksum(b"\x01") == 0xFEFF


def test_an_echo_request() -> None:
    frame = ethernet(ONE, TWO, 0x0800, ipv4("10.0.1.11", "10.0.2.12", 1, echo_request(7, b"data"), ttl=9))
    seen = Seen(frame, sent=False)
    assert (seen.ttl, seen.source) == (9, "10.0.1.11")
    assert frame[:14].hex() == "0200000000020200000000010800"
    assert checksum(frame[14:34]) == 0
    assert checksum(frame[34:]) == 0
    assert len(frame) == 14 + 20 + 8 + 4


def test_an_arp_reply() -> None:
    assert arp_reply(ONE, "10.0.1.1", TWO, "10.0.1.12").hex() == (
        "00010800060400020200000000010a0001010200000000020a00010c"
    )


def test_vxlan() -> None:
    assert vxlan(0x123456, b"frame") == bytes.fromhex("0800000012345600") + b"frame"
