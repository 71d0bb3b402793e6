"""What the datapath wrote and nobody needs any more."""

from collections.abc import Mapping

import pytest

from netplane.agent.owners import Owners
from netplane.agent.sweep import (
    NS,
    caught_up,
    corrected_budgets,
    corrected_projects,
    ended_connections,
    ended_fragments,
    idle_budgets,
    idle_projects,
    orphaned_counters,
    taken,
    taken_by_projects,
    timeout,
)
from netplane.base.addresses import NO_MAC, pack_address
from netplane.tables.decisions import TIMEOUTS, ConnectionFlag, ConnectionState
from netplane.tables.pipeline import BUDGET, CONNECTION, COUNTER, DEVICE, ENDPOINT, FRAGMENT, PACE, PROJECT

LOW, HIGH = pack_address("10.0.0.5"), pack_address("10.0.0.6")
MAC = b"\2\0\0\0\0\5"
ENDPOINTS = {key: ENDPOINT.pack_value(MAC, 0, 1, 1) for key in (ENDPOINT.pack_key(7, LOW), ENDPOINT.pack_key(8, HIGH))}
SENDERS = {ENDPOINT.pack_key(7, LOW): ENDPOINT.pack_value(MAC, 0, 1, 1)}
REPLACED = {ENDPOINT.pack_key(7, LOW): ENDPOINT.pack_value(b"\2\0\0\0\0\6", 0, 1, 1)}
NOW = 10**15


def without(gone: bytes) -> dict[bytes, bytes]:
    return {key: value for key, value in ENDPOINTS.items() if key != gone}


def check_connection(*, protocol: int, state: ConnectionState, age: float, ended: bool) -> None:
    key = CONNECTION.pack_key(7, 8, LOW, HIGH, b"\0\1", b"\0\2", protocol)
    value = CONNECTION.pack_value(1, NOW - int(age * NS), 9, 9, 9, 9, state, 1)
    assert list(ended_connections({key: value}, Owners(ENDPOINTS, {}), NOW)) == ([key] if ended else [])
    assert list(ended_connections({key: value}, Owners(without(ENDPOINT.pack_key(8, HIGH)), {}), NOW)) == [key]
    assert list(ended_connections({key: value}, Owners(without(ENDPOINT.pack_key(7, LOW)), {}), NOW)) == [key]


@pytest.mark.parametrize(("protocol", "state"), TIMEOUTS)
def test_connections_end_by_their_timeouts(protocol: int, state: ConnectionState) -> None:
    seconds = TIMEOUTS[protocol, state]
    check_connection(protocol=protocol, state=state, age=seconds - 0.1, ended=False)
    check_connection(protocol=protocol, state=state, age=seconds, ended=True)


def test_packets_in_fragments_end_after_half_a_minute() -> None:
    ages = {FRAGMENT.pack_key(7, MAC, number): age for number, age in enumerate((0, 29.9, 30, 31, 10**5))}
    entries = {
        key: FRAGMENT.pack_value(LOW, HIGH, NOW - int(age * NS), 1, 0, 17, b"\0\1", b"\0\2", b"\0\2")
        for key, age in ages.items()
    }
    assert list(ended_fragments(entries, Owners(SENDERS, {}), NOW)) == [key for key, age in ages.items() if age >= 30]


@pytest.mark.parametrize(
    ("endpoints", "ended"),
    [(SENDERS, False), ({}, True), (REPLACED, True)],
    ids=["as before", "gone", "another machine's address now"],
)
def test_packets_in_fragments_go_with_their_sender(endpoints: dict[bytes, bytes], ended: bool) -> None:
    key = FRAGMENT.pack_key(7, MAC, 1)
    entries = {key: FRAGMENT.pack_value(LOW, HIGH, NOW, 1, 0, 17, b"\0\1", b"\0\2", b"\0\2")}
    assert list(ended_fragments(entries, Owners(endpoints, {}), NOW)) == ([key] if ended else [])


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


def test_connections_count_for_who_opened_them() -> None:
    other = b"\2\0\0\0\0\6"
    endpoints = {
        ENDPOINT.pack_key(7, LOW): ENDPOINT.pack_value(MAC, 0, 1, 3),
        ENDPOINT.pack_key(8, HIGH): ENDPOINT.pack_value(other, 0, 2, 3),
    }
    opened = {
        CONNECTION.pack_key(7, 8, LOW, HIGH, port, b"\0\2", 6): CONNECTION.pack_value(1, NOW, 9, 9, 9, 9, 0, flags)
        for port, flags in ((b"\0\1", 0), (b"\0\2", 0), (b"\0\3", ConnectionFlag.INITIATOR_HIGH))
    }
    assert taken(opened, Owners(endpoints, {})) == {BUDGET.pack_key(7, MAC): 2, BUDGET.pack_key(8, other): 1}
    assert taken(opened, Owners({}, {})) == {}


def test_budgets_go_with_the_last_connection_and_the_device() -> None:
    plugged, opener, idle = (BUDGET.pack_key(vni, MAC) for vni in (7, 8, 9))
    assert list(idle_budgets([plugged, opener, idle], {opener: 1}, {plugged})) == [idle]


def test_budgets_say_what_was_counted() -> None:
    right, wrong, new = (BUDGET.pack_key(vni, MAC) for vni in (7, 8, 9))
    before = {right: BUDGET.pack_value(2), wrong: BUDGET.pack_value(3)}
    after = {wrong: BUDGET.pack_value(0), new: BUDGET.pack_value(1)}
    assert corrected_budgets(before, {right: 2, new: 1}) == after


def test_connections_count_for_the_projects_whose_machines_are_here() -> None:
    other = b"\2\0\0\0\0\x0b"
    endpoints = {
        ENDPOINT.pack_key(7, LOW): ENDPOINT.pack_value(MAC, 0, 1, 3),
        ENDPOINT.pack_key(8, HIGH): ENDPOINT.pack_value(other, 0, 2, 3),
    }
    opened = [CONNECTION.pack_key(7, 8, LOW, HIGH, port, b"\0\2", 6) for port in (b"\0\1", b"\0\2")]

    def counted(here: int, there: int | None) -> Mapping[bytes, int]:
        devices = {DEVICE.pack_key(7, MAC): DEVICE.pack_value(11, 0, 0, 3, here)}
        if there is not None:
            devices[DEVICE.pack_key(8, other)] = DEVICE.pack_value(12, 0, 0, 3, there)
        return taken_by_projects(opened, Owners(endpoints, {}), devices)

    one, two = PROJECT.pack_key(1), PROJECT.pack_key(2)
    assert counted(1, None) == counted(1, 1) == counted(1, 0) == {one: 2}
    assert counted(1, 2) == {one: 2, two: 2}
    assert counted(0, None) == {}
    assert taken_by_projects(opened, Owners({}, {}), {}) == {}


def test_projects_say_what_was_counted_and_go_with_their_machines() -> None:
    right, wrong, new, idle = map(PROJECT.pack_key, range(1, 5))
    before = {right: PROJECT.pack_value(2, 7), wrong: PROJECT.pack_value(3, 8), idle: PROJECT.pack_value(0, 9)}
    after = {wrong: PROJECT.pack_value(0, 8), new: PROJECT.pack_value(1, 0)}
    assert corrected_projects(before, {right: 2, new: 1}) == after
    devices = {DEVICE.pack_key(7, MAC): DEVICE.pack_value(11, 0, 0, 3, 2)}
    assert list(idle_projects(before, {right: 2}, devices)) == [idle]


def test_who_has_caught_up_is_forgotten() -> None:
    before = {PACE.pack_key(7, MAC, kind): PACE.pack_value(until) for kind, until in enumerate((99, 100, 101))}
    assert list(caught_up(before, 100)) == [PACE.pack_key(7, MAC, kind) for kind in (0, 1)]
