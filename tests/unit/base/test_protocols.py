"""Protocols by name and number."""

import pytest

from netplane.base.protocols import IPV6_ONLY, PROTOCOLS, WITH_PORTS, family_protocol_number, protocol_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (None, None),
        ("any", None),
        ("0", None),
        ("00", None),
        ("ip", None),
        ("hopopt", None),
        ("tcp", 6),
        ("TCP", 6),
        ("6", 6),
        ("255", 255),
        ("vrrp", 112),
        ("icmpv6", 58),
        ("ipv6-icmp", 58),
    ],
)
def test_protocol_number(text: str | None, number: int | None) -> None:
    assert protocol_number(text) == number


def test_icmp_of_ipv6() -> None:
    for text, number in (("icmp", 58), ("1", 58), ("icmpv6", 58), ("tcp", 6), (None, None)):
        assert family_protocol_number(text, ipv6=True) == number
        assert family_protocol_number(text, ipv6=False) == protocol_number(text)


@pytest.mark.parametrize("text", ["", "tcpp", "256", "-1", "1.5", "\u0661", " 6"])
def test_unknown_protocols(text: str) -> None:
    with pytest.raises(ValueError, match="unknown protocol"):
        protocol_number(text)


def test_sets_of_protocols() -> None:
    """The 25 names of OpenStack Networking, `hopopt` and the old `icmpv6` among them."""
    assert len(PROTOCOLS) == 25
    assert sorted(WITH_PORTS) == [6, 17, 33, 132, 136]
    assert sorted(IPV6_ONLY) == [41, 43, 44, 58, 59, 60]
