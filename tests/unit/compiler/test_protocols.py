"""Protocols by name, and port ranges as prefixes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netplane.compiler.protocols import Match, matches, port_blocks

PORTS = st.integers(0, 65535)


@pytest.mark.parametrize(
    ("protocol", "low", "high", "expected"),
    [
        (None, None, None, [Match(192, 0, b"\0\0")]),
        ("tcp", None, None, [Match(208, 6, b"\0\0")]),
        ("tcp", 80, 80, [Match(224, 6, b"\0\x50")]),
        ("tcp", 0, 65535, [Match(208, 6, b"\0\0")]),
        ("udp", 1024, 2047, [Match(214, 17, b"\x04\0")]),
        ("udp", 3, 4, [Match(224, 17, b"\0\x03"), Match(224, 17, b"\0\x04")]),
        ("gre", None, None, [Match(208, 47, b"\0\0")]),
        ("icmp", None, None, [Match(208, 1, b"\0\0")]),
        ("icmp", 8, None, [Match(216, 1, b"\x08\0")]),
        ("icmp", 3, 4, [Match(224, 1, b"\x03\x04")]),
        ("icmp", 0, 0, [Match(224, 1, b"\0\0")]),
    ],
)
def test_matches(protocol: str | None, low: int | None, high: int | None, expected: list[Match]) -> None:
    assert list(matches(protocol, low, high)) == expected


@pytest.mark.parametrize(
    ("protocol", "low", "high"),
    [
        (None, 80, 80),
        ("any", 80, 80),
        ("gre", 1, 2),
        ("tcp", 80, None),
        ("tcp", None, 80),
        ("tcp", 81, 80),
        ("tcp", -1, 80),
        ("tcp", 0, 65536),
        ("icmp", None, 0),
        ("icmp", 256, None),
        ("icmp", 8, -1),
    ],
)
def test_ports_that_make_no_sense(protocol: str | None, low: int | None, high: int | None) -> None:
    with pytest.raises(ValueError, match=r"."):
        matches(protocol, low, high)


@given(PORTS, PORTS, PORTS)
def test_blocks_make_up_the_range_and_are_canonical(one: int, other: int, port: int) -> None:
    low, high = sorted((one, other))
    blocks = list(port_blocks(low, high))
    inside = [first for first, length in blocks if first <= port < first + (1 << (16 - length))]
    assert len(inside) == (low <= port <= high)
    assert all(first % (1 << (16 - length)) == 0 for first, length in blocks)
    assert sum(1 << (16 - length) for _, length in blocks) == high - low + 1
    assert len(blocks) <= 30
