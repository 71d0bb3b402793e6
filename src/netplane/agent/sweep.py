"""What the datapath itself has written and nobody needs any more: connections that have ended, counters of ports gone.

Pure: entries in, keys to delete out. A connection that is deleted the moment it comes to life again is made anew by
its next packet that may open one; the programs take an expired entry for none at all, so they need no help to be
right, only to have room.
"""

from collections.abc import Collection, Container, Iterable, Mapping
from struct import Struct

from netplane.base.addresses import NO_MAC
from netplane.tables.decisions import TIMEOUTS
from netplane.tables.pipeline import CONNECTION, COUNTER

NS = 1_000_000_000
OTHER = 0
"""The protocol that stands for all without timeouts of their own."""

OWN = {protocol for protocol, _ in TIMEOUTS}

_SIDES = Struct("=4s4s16s16s4xI")
_LIFE = Struct("=8xQ32xH6x")
_COUNTED = Struct("=4s6s2x")

assert _SIDES.size == CONNECTION.key.size
assert _LIFE.size == CONNECTION.value.size
assert _COUNTED.size == COUNTER.key.size


def ended_connections(entries: Mapping[bytes, bytes], endpoints: Container[bytes], now: int) -> Iterable[bytes]:
    """Connections that have timed out by `now` (ns of CLOCK_MONOTONIC), or one of whose sides is no endpoint."""
    for key, value in entries.items():
        low, high, low_address, high_address, protocol = _SIDES.unpack(key)
        seen, state = _LIFE.unpack(value)
        if (
            seen + timeout(protocol, state) * NS <= now
            or low + low_address not in endpoints
            or high + high_address not in endpoints
        ):
            yield key


def timeout(protocol: int, state: int) -> int:
    """Seconds without a packet after which a connection has ended."""
    return _TIMEOUTS.get((protocol if protocol in OWN else OTHER, state), 0)


def orphaned_counters(keys: Iterable[bytes], devices: Collection[bytes]) -> Iterable[bytes]:
    """Counters of ports that have no device here; those of the tunnel, which has no port, go with the last device."""
    for key in keys:
        vni, mac = _COUNTED.unpack(key)
        tunnel = mac == NO_MAC and not any(vni)
        if not (tunnel and devices) and vni + mac + bytes(2) not in devices:
            yield key


_TIMEOUTS = {(protocol, int(state)): seconds for (protocol, state), seconds in TIMEOUTS.items()}
