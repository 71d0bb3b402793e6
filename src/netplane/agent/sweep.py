"""What the datapath itself has written: what of it nobody needs any more, and what each machine has taken of the rest.

Pure: entries in, keys to delete and values to write out. The programs take an expired connection for none at all, so
they need no help to be right, only to have room. But an expired connection may come to life again at any moment, by
the first packet of a new one between the same ports; so whoever deletes looks at each once more just before.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from struct import Struct

from netplane.agent.owners import KEPT, Owners
from netplane.base.addresses import NO_MAC
from netplane.tables.decisions import TIMEOUTS, ConnectionFlag, Limit
from netplane.tables.pipeline import BUDGET, CONNECTION, COUNTER, DEVICE, FRAGMENT, PACE, PROJECT

NS = 1_000_000_000
OTHER = 0
"""The protocol that stands for all without timeouts of their own."""

OWN = {protocol for protocol, _ in TIMEOUTS}

_SIDES = Struct("=4s4s16s16s4xI")
_LIFE = Struct("=8xQ32xHH4x")
_COUNTED = Struct("=4s6s2x")
_SENT = Struct("=16s16xQ16x")

assert _SIDES.size == CONNECTION.key.size
assert _LIFE.size == CONNECTION.value.size
assert _COUNTED.size == COUNTER.key.size
assert _COUNTED.size == FRAGMENT.key.size
assert (_SENT.size, 0, 32) == (FRAGMENT.value.size, *(FRAGMENT.value.offsets()[name] for name in ("source", "seen")))

_PROJECT = DEVICE.value.offsets()["project"]
NO_PROJECT = bytes(4)
assert PROJECT.key.size == len(NO_PROJECT)


def ended_connections(entries: Mapping[bytes, bytes], owners: Owners, now: int) -> Iterable[bytes]:
    """Connections that have timed out by `now` (ns of CLOCK_MONOTONIC), or one of whose sides no port has."""
    for key, value in entries.items():
        low, high, low_address, high_address, protocol = _SIDES.unpack(key)
        seen, state, _ = _LIFE.unpack(value)
        if (
            seen + timeout(protocol, state) * NS <= now
            or owners.find(low, low_address) is None
            or owners.find(high, high_address) is None
        ):
            yield key


def ended_fragments(entries: Mapping[bytes, bytes], owners: Owners, now: int) -> Iterable[bytes]:
    """Packets in fragments of which the rest has come by `now` (ns of CLOCK_MONOTONIC), or never will.

    What a machine has sent goes with it: a later one that has its MAC address has no part in it.
    """
    for key, value in entries.items():
        vni, mac = _COUNTED.unpack(key)
        source, seen = _SENT.unpack(value)
        if seen + Limit.FRAGMENT_SECONDS * NS <= now or not owners.speaks(vni, mac, source):
            yield key


def timeout(protocol: int, state: int) -> int:
    """Seconds without a packet after which a connection has ended; `protocol` as in its key."""
    number = protocol & 0xFF
    return _TIMEOUTS.get((number if number in OWN else OTHER, state), 0)


def orphaned_counters(keys: Iterable[bytes], devices: Collection[bytes]) -> Iterable[bytes]:
    """Counters of ports that have no device here; those of the tunnel, which has no port, go with the last device."""
    for key in keys:
        vni, mac = _COUNTED.unpack(key)
        tunnel = mac == NO_MAC and not any(vni)
        if not (tunnel and devices) and vni + mac + bytes(2) not in devices:
            yield key


def taken(entries: Mapping[bytes, bytes], owners: Owners) -> Mapping[bytes, int]:
    """How many connections each machine has opened, by its key in `budget`."""
    counts: Counter[bytes] = Counter()
    for key, value in entries.items():
        low, high, low_address, high_address, _ = _SIDES.unpack(key)
        _, _, flags = _LIFE.unpack(value)
        vni, address = (high, high_address) if flags & ConnectionFlag.INITIATOR_HIGH else (low, low_address)
        if (mac := owners.find(vni, address)) is not None:
            counts[vni + mac + bytes(2)] += 1
    return counts


def corrected_budgets(budgets: Mapping[bytes, bytes], counts: Mapping[bytes, int]) -> dict[bytes, bytes]:
    """The entries of `budget` that do not say what was counted, as they should be."""
    found: dict[bytes, bytes] = {}
    for key in budgets.keys() | counts.keys():
        after = BUDGET.pack_value(counts.get(key, 0))
        if after != budgets.get(key):
            found[key] = after
    return found


def taken_by_projects(entries: Iterable[bytes], owners: Owners, devices: Mapping[bytes, bytes]) -> Mapping[bytes, int]:
    """How many connections have a machine of this host at an end, by its project's key in `project`."""

    @lru_cache(maxsize=KEPT)
    def project_of(vni: bytes, address: bytes) -> bytes:
        mac = owners.find(vni, address)
        value = None if mac is None else devices.get(vni + mac + bytes(2))
        return NO_PROJECT if value is None else value[_PROJECT : _PROJECT + 4]

    counts: Counter[bytes] = Counter()
    for key in entries:
        low, high, low_address, high_address, _ = _SIDES.unpack(key)
        one, other = project_of(low, low_address), project_of(high, high_address)
        counts[one] += 1
        if other != one:
            counts[other] += 1
    del counts[NO_PROJECT]
    return counts


def corrected_projects(projects: Mapping[bytes, bytes], counts: Mapping[bytes, int]) -> dict[bytes, bytes]:
    """The entries of `project` that do not say what was counted, as they should be."""
    found: dict[bytes, bytes] = {}
    for key in projects.keys() | counts.keys():
        before = PROJECT.unpack_value(projects[key]) if key in projects else {"connections": None, "refused": 0}
        if before["connections"] != counts.get(key, 0):
            found[key] = PROJECT.pack_value(counts.get(key, 0), before["refused"])
    return found


def idle_projects(
    projects: Iterable[bytes], counts: Mapping[bytes, int], devices: Mapping[bytes, bytes]
) -> Iterable[bytes]:
    """Entries of `project` of those that have no machine here, nor a connection that lives."""
    here = {value[_PROJECT : _PROJECT + 4] for value in devices.values()}
    return (key for key in projects if key not in here and key not in counts)


def idle_budgets(budgets: Iterable[bytes], counts: Mapping[bytes, int], devices: Collection[bytes]) -> Iterable[bytes]:
    """Entries of `budget` of machines that have no device here and have opened nothing that lives."""
    return (key for key in budgets if key not in devices and key not in counts)


def caught_up(paces: Mapping[bytes, bytes], now: int) -> Iterable[bytes]:
    """Entries of `pace` that no longer tell anything at `now` (ns of CLOCK_MONOTONIC): none at all says the same."""
    return (key for key, value in paces.items() if PACE.unpack_value(value)["until"] <= now)


_TIMEOUTS = {(protocol, int(state)): seconds for (protocol, state), seconds in TIMEOUTS.items()}
