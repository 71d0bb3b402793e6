"""Connections as the datapath remembers them: who their sides are, and how packets move them on."""

from typing import NamedTuple

from netplane.tables.decisions import TIMEOUTS, ConnectionFlag, ConnectionState
from netplane.tables.packet import FIN, RST, TCP, Packet
from netplane.tables.pipeline import CONNECTION

SECOND = 1_000_000_000
GOLDEN = 0x9E3779B97F4A7C15
U64 = (1 << 64) - 1
FINS = {False: ConnectionFlag.FIN_LOW, True: ConnectionFlag.FIN_HIGH}
BOTH_FINS = ConnectionFlag.FIN_LOW | ConnectionFlag.FIN_HIGH


class Side(NamedTuple):
    """One end of a connection. Sides compare in this order."""

    vni: int
    address: bytes
    port: int


class Connection(NamedTuple):
    """The value of a `connection` entry."""

    stamp: int
    seen: int
    packets_low: int
    bytes_low: int
    packets_high: int
    bytes_high: int
    state: int
    flags: int

    @property
    def initiator_high(self) -> bool:
        """Whether the high side sent the first packet."""
        return bool(self.flags & ConnectionFlag.INITIATOR_HIGH)

    def pack(self) -> bytes:
        """The value as the table holds it."""
        return CONNECTION.pack_value(*self)

    @classmethod
    def unpack(cls, value: bytes) -> "Connection":
        """From what the table holds."""
        return cls(**CONNECTION.unpack_value(value))


def connection_key(source: Side, destination: Side, protocol: int) -> bytes:
    """The key of the connection between two sides, the same for both directions."""
    low, high = sorted((source, destination))
    return CONNECTION.pack_key(
        low.vni, high.vni, low.address, high.address, _be16(low.port), _be16(high.port), protocol
    )


def sides(packet: Packet, source_vni: int, destination_vni: int) -> tuple[Side, Side]:
    """The side that sent a packet and the one that gets it; an echo's identifier stands for both ports."""
    sport, dport = packet.numbers
    return Side(source_vni, packet.source, sport), Side(destination_vni, packet.destination, dport)


def expired(connection: Connection, protocol: int, now: int) -> bool:
    """Whether it has been silent for longer than its state allows; `now` in ns."""
    of = protocol if (protocol, ConnectionState.NEW) in TIMEOUTS else 0
    return connection.seen + TIMEOUTS[of, ConnectionState(connection.state)] * SECOND <= now


def opened(stamp: int, now: int, packet: Packet, size: int, *, from_high: bool) -> Connection:
    """A new connection with its first packet of `size` bytes."""
    flags = ConnectionFlag.INITIATOR_HIGH if from_high else 0
    return counted(Connection(stamp, now, 0, 0, 0, 0, ConnectionState.NEW, flags), size, from_high=from_high)


def advanced(connection: Connection, packet: Packet, size: int, now: int, *, from_high: bool) -> Connection:
    """The connection after one more packet. States only move forward; `seen` is written once a second at most."""
    flags = connection.flags | (FINS[from_high] if packet.protocol == TCP and packet.flags & FIN else 0)
    state = max(connection.state, _state_after(connection, packet, flags, from_high=from_high))
    touch = state != connection.state or now - connection.seen >= SECOND
    moved = connection._replace(state=state, flags=flags, seen=now if touch else connection.seen)
    return counted(moved, size, from_high=from_high)


def _state_after(connection: Connection, packet: Packet, flags: int, *, from_high: bool) -> ConnectionState:
    if packet.protocol == TCP and (packet.flags & RST or flags & BOTH_FINS == BOTH_FINS):
        return ConnectionState.CLOSED
    if flags & BOTH_FINS:
        return ConnectionState.CLOSING
    answered = from_high != connection.initiator_high
    return ConnectionState.ESTABLISHED if answered else ConnectionState.NEW


def counted(connection: Connection, size: int, *, from_high: bool) -> Connection:
    """The connection with one more packet of one side in its counters."""
    if from_high:
        return connection._replace(packets_high=connection.packets_high + 1, bytes_high=connection.bytes_high + size)
    return connection._replace(packets_low=connection.packets_low + 1, bytes_low=connection.bytes_low + size)


def stamp_of(initiator: tuple[int, int], responder: tuple[int, int]) -> int:
    """What a connection was allowed under: each side is (identity, stamp of its profile, 0 if it is not local)."""
    identities = (initiator[0] << 32 | responder[0]) * GOLDEN & U64
    return initiator[1] ^ _rotated(responder[1]) ^ identities


def _rotated(number: int) -> int:
    return (number << 1 | number >> 63) & U64


def _be16(number: int) -> bytes:
    return number.to_bytes(2, "big")
