"""How connections are named, and how packets move them on."""

import pytest

from netplane.base.addresses import pack_address
from netplane.tables.connection import SECOND, Connection, Side, advanced, connection_key, expired, opened, stamp_of
from netplane.tables.decisions import ConnectionFlag, ConnectionState
from netplane.tables.packet import ACK, FIN, RST, SYN, Packet
from netplane.tables.pipeline import CONNECTION

LOW, HIGH = Side(7, pack_address("10.0.0.2"), 1000), Side(8, pack_address("10.0.0.1"), 80)
NEW, ESTABLISHED, CLOSING, CLOSED, REVOKED = ConnectionState


def tcp(flags: int) -> Packet:
    return Packet(LOW.address, HIGH.address, 64, 6, 20, 40, 1000, 80, flags)


def states(*packets: tuple[str, int]) -> list[ConnectionState]:
    """The state after the low side's SYN and after each packet: who sent it, and its flags."""
    connection = opened(1, 0, tcp(SYN), 54, from_high=False)
    found = [ConnectionState(connection.state)]
    for who, flags in packets:
        connection = advanced(connection, tcp(flags), 54, 0, from_high=who == "high")
        found.append(ConnectionState(connection.state))
    return found


@pytest.mark.parametrize(
    ("packets", "after"),
    [
        ([("low", SYN), ("high", SYN | ACK), ("low", ACK)], [NEW, NEW, ESTABLISHED, ESTABLISHED]),
        ([("high", RST | ACK)], [NEW, CLOSED]),
        ([("high", ACK), ("low", FIN), ("low", FIN), ("high", ACK)], [NEW, ESTABLISHED, CLOSING, CLOSING, CLOSING]),
        ([("high", ACK), ("high", FIN), ("low", FIN)], [NEW, ESTABLISHED, CLOSING, CLOSED]),
        ([("low", RST), ("low", FIN), ("high", ACK)], [NEW, CLOSED, CLOSED, CLOSED]),
    ],
)
def test_states(packets: list[tuple[str, int]], after: list[ConnectionState]) -> None:
    assert states(*packets) == after


def test_key_is_the_same_both_ways() -> None:
    forth, back = connection_key(LOW, HIGH, 6), connection_key(HIGH, LOW, 6)
    assert forth == back
    assert CONNECTION.unpack_key(forth)["vni_low"] == 7
    assert CONNECTION.unpack_key(forth)["port_high"] == b"\0\x50"


def test_counters() -> None:
    connection = opened(1, 0, tcp(SYN), 54, from_high=True)
    assert connection.flags == ConnectionFlag.INITIATOR_HIGH
    connection = advanced(connection, tcp(SYN | ACK), 60, 0, from_high=False)
    connection = advanced(connection, tcp(ACK), 70, 0, from_high=True)
    assert connection[2:6] == (1, 60, 2, 124)


@pytest.mark.parametrize(
    ("now", "flags", "seen"), [(SECOND - 1, ACK, 0), (SECOND, ACK, SECOND), (1, FIN, 1), (1, RST, 1)]
)
def test_seen_is_written_seldom(now: int, flags: int, seen: int) -> None:
    connection = Connection(1, 0, 1, 1, 1, 1, ESTABLISHED, 0)
    assert advanced(connection, tcp(flags), 54, now, from_high=False).seen == seen


@pytest.mark.parametrize(
    ("protocol", "state", "seconds"),
    [(6, NEW, 120), (6, ESTABLISHED, 432_000), (6, CLOSED, 10), (17, NEW, 30), (1, NEW, 30), (47, ESTABLISHED, 600)],
)
def test_timeouts(protocol: int, state: ConnectionState, seconds: int) -> None:
    connection = Connection(1, 5, 0, 0, 0, 0, state, 0)
    assert not expired(connection, protocol, seconds * SECOND + 4)
    assert expired(connection, protocol, seconds * SECOND + 5)


def test_packed() -> None:
    connection = Connection(1, 2, 3, 4, 5, 6, ESTABLISHED, ConnectionFlag.FIN_LOW)
    assert Connection.unpack(connection.pack()) == connection


def test_stamps_tell_sides_and_rules_apart() -> None:
    stamps = {
        stamp_of((1, 10), (2, 20)),
        stamp_of((2, 20), (1, 10)),
        stamp_of((1, 10), (2, 0)),
        stamp_of((1, 0), (2, 20)),
        stamp_of((1, 11), (2, 20)),
        stamp_of((1, 10), (3, 20)),
    }
    assert len(stamps) == 6
    assert stamp_of((0, 0), (0, 1 << 63)) == 1
