"""What the datapath wrote and nobody needs any more."""

import pytest

from netplane.agent.sweep import NS, corrected_budgets, ended_connections, orphaned_counters, taken, timeout
from netplane.base.addresses import NO_MAC, pack_address
from netplane.tables.decisions import TIMEOUTS, ConnectionFlag, ConnectionState
from netplane.tables.pipeline import BUDGET, CONNECTION, COUNTER, DEVICE, ENDPOINT

LOW, HIGH = pack_address("10.0.0.5"), pack_address("10.0.0.6")
ENDPOINTS = {ENDPOINT.pack_key(7, LOW), ENDPOINT.pack_key(8, HIGH)}
MAC = b"\2\0\0\0\0\5"
NOW = 10**15


def check_connection(*, protocol: int, state: ConnectionState, age: float, ended: bool) -> None:
    key = CONNECTION.pack_key(7, 8, LOW, HIGH, b"\0\1", b"\0\2", protocol)
    value = CONNECTION.pack_value(1, NOW - int(age * NS), 9, 9, 9, 9, state, 1)
    assert list(ended_connections({key: value}, ENDPOINTS, NOW)) == ([key] if ended else [])
    assert list(ended_connections({key: value}, {*ENDPOINTS} - {ENDPOINT.pack_key(8, HIGH)}, NOW)) == [key]
    assert list(ended_connections({key: value}, {*ENDPOINTS} - {ENDPOINT.pack_key(7, LOW)}, NOW)) == [key]


@pytest.mark.parametrize(("protocol", "state"), TIMEOUTS)
def test_connections_end_by_their_timeouts(protocol: int, state: ConnectionState) -> None:
    seconds = TIMEOUTS[protocol, state]
    check_connection(protocol=protocol, state=state, age=seconds - 0.1, ended=False)
    check_connection(protocol=protocol, state=state, age=seconds, ended=True)


def test_other_protocols_share_a_timeout() -> None:
    assert timeout(132, ConnectionState.ESTABLISHED) == TIMEOUTS[0, ConnectionState.ESTABLISHED]


def test_echoes_of_both_directions_share_a_timeout() -> None:
    assert timeout(257, ConnectionState.NEW) == TIMEOUTS[1, ConnectionState.NEW]


def test_counters_go_with_their_port() -> None:
    here, gone = COUNTER.pack_key(7, MAC, 0, 1), COUNTER.pack_key(8, MAC, 1, 64)
    assert list(orphaned_counters([here, gone], {DEVICE.pack_key(7, MAC)})) == [gone]


def test_counters_of_the_tunnel_go_with_the_last_port() -> None:
    tunnel = COUNTER.pack_key(0, NO_MAC, 1, 88)
    assert list(orphaned_counters([tunnel], {DEVICE.pack_key(7, MAC)})) == []
    assert list(orphaned_counters([tunnel], set())) == [tunnel]


@pytest.mark.parametrize(
    ("flags", "low_host", "high_host", "payer"),
    [(0, 1, 1, "low"), (0, 1, 2, "low"), (0, 2, 1, "high"), (0, 2, 3, "")]
    + [(ConnectionFlag.INITIATOR_HIGH, *hosts) for hosts in ((1, 1, "high"), (2, 1, "high"), (1, 2, "low"))],
)
def test_a_connection_counts_for_who_opened_it_or_else_for_who_was_asked(
    flags: int, low_host: int, high_host: int, payer: str
) -> None:
    macs = {"low": MAC, "high": b"\2\0\0\0\0\6"}
    endpoints = {
        ENDPOINT.pack_key(7, LOW): ENDPOINT.pack_value(macs["low"], 0, low_host, 3),
        ENDPOINT.pack_key(8, HIGH): ENDPOINT.pack_value(macs["high"], 0, high_host, 3),
    }
    key = CONNECTION.pack_key(7, 8, LOW, HIGH, b"\0\1", b"\0\2", 6)
    value = CONNECTION.pack_value(1, NOW, 9, 9, 9, 9, ConnectionState.NEW, flags)
    wanted = {"low": 7, "high": 8}
    assert taken({key: value}, endpoints, 1) == ({BUDGET.pack_key(wanted[payer], macs[payer]): 1} if payer else {})


def test_budgets_say_what_was_counted() -> None:
    right, wrong, new = (BUDGET.pack_key(vni, MAC) for vni in (7, 8, 9))
    before = {right: BUDGET.pack_value(2, 5), wrong: BUDGET.pack_value(3, 6)}
    after = {wrong: BUDGET.pack_value(0, 6), new: BUDGET.pack_value(1, 0)}
    assert corrected_budgets(before, {right: 2, new: 1}) == after
