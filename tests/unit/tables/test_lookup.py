"""Look-ups: exact ones, and the longest prefix."""

import pytest

from netplane.base.addresses import pack_address, pack_prefix
from netplane.tables import lookup
from netplane.tables.machine import empty_tables
from netplane.tables.pipeline import POLICY, ROUTE


def routes(*prefixes: str) -> dict[str, dict[bytes, bytes]]:
    """Routes of router 5, each to a network whose VNI is its position from 1."""
    tables = empty_tables()
    for vni, text in enumerate(prefixes, 1):
        prefix, length = pack_prefix(text)
        tables["route"][ROUTE.pack_key(32 + length, 5, prefix)] = ROUTE.pack_value(vni, bytes(6), 0, 0, 0, 0)
    return tables


@pytest.mark.parametrize(
    ("address", "vni"), [("10.0.0.200", 2), ("10.0.0.1", 3), ("10.9.0.1", 1), ("10.0.0.129", 4), ("11.0.0.1", None)]
)
def test_the_longest_prefix_wins(address: str, vni: int | None) -> None:
    tables = routes("10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/25", "10.0.0.129/32")
    found = lookup.route(tables, 5, pack_address(address))
    assert (None if found is None else found.vni) == vni
    assert lookup.route(tables, 6, pack_address(address)) is None


def test_a_policy_key_is_a_prefix_too() -> None:
    tables = empty_tables()
    for bits, port, rule in ((208, 0, 1), (219, 64, 2), (224, 80, 3)):
        key = POLICY.pack_key(bits, 9, 1, 0, 0, bytes(16), 6, port.to_bytes(2, "big"))
        tables["policy"][key] = POLICY.pack_value(rule)
    asked = {port: lookup.policy(tables, 9, 1, (0, 0, bytes(16)), 6, port) for port in (63, 64, 80, 95, 96)}
    assert asked == {63: 1, 64: 2, 80: 3, 95: 2, 96: 1}
    assert lookup.policy(tables, 9, 1, (0, 0, bytes(16)), 17, 80) is None
    assert lookup.policy(tables, 9, 0, (0, 0, bytes(16)), 6, 80) is None


def test_nothing_is_there_at_first() -> None:
    tables = empty_tables()
    assert lookup.settings(tables) == (0, 0, 0, 0)
    assert lookup.profile_stamp(tables, 1) == 0
    assert lookup.port(tables, 1, 0) is None
    assert lookup.host_address(tables, 1) is None
    assert lookup.device(tables, 1, bytes(6)) is None
