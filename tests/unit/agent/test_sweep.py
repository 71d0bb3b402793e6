"""What the datapath wrote and nobody needs any more."""

import pytest

from netplane.agent.sweep import NS, ended_connections, orphaned_counters, timeout
from netplane.base.addresses import NO_MAC, pack_address
from netplane.tables.decisions import TIMEOUTS, ConnectionState
from netplane.tables.pipeline import CONNECTION, COUNTER, DEVICE, ENDPOINT

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


def test_counters_go_with_their_port() -> None:
    here, gone = COUNTER.pack_key(7, MAC, 0, 1), COUNTER.pack_key(8, MAC, 1, 64)
    assert list(orphaned_counters([here, gone], {DEVICE.pack_key(7, MAC)})) == [gone]


def test_counters_of_the_tunnel_go_with_the_last_port() -> None:
    tunnel = COUNTER.pack_key(0, NO_MAC, 1, 88)
    assert list(orphaned_counters([tunnel], {DEVICE.pack_key(7, MAC)})) == []
    assert list(orphaned_counters([tunnel], set())) == [tunnel]
