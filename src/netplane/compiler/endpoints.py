"""Endpoints: who owns each address of the domain, where it lives, and what else it may use.

A slice may hold a million of these, so this feature reads nothing but its record, which therefore costs the engine
no bookkeeping, and which is an entry already: nothing is packed for what is plain. A machine that has an IPv6
address also has the one that its interface makes itself of its MAC address (RFC 4291, section 2.5.6), with which it
asks for neighbours and routers. What several ports have by their pairs belongs to the one with the smallest id.
"""

from collections.abc import Sequence
from struct import Struct

from netplane.base.addresses import MAPPED, MAPPED_BITS, NO_ADDRESS, is_ipv4, link_local
from netplane.base.incremental import Entry, Item, Plain
from netplane.base.world import View
from netplane.compiler.feature import Malformed, bits_before, problem
from netplane.model import Endpoint, Pair
from netplane.model import endpoint as wire
from netplane.tables.decisions import EndpointFlag, Family
from netplane.tables.pipeline import BY_NAME, ENDPOINT, PAIR, RANGE

NAME = ENDPOINT.name
KEY_SIZE, VALUE_SIZE, VNI_SIZE = ENDPOINT.key.size, ENDPOINT.value.size, ENDPOINT.key.offsets()["address"]
# An endpoint travels as its entry is here: numbers stand as they do in the memory of all machines that there are
# agents for. A release with another layout, or for others, has to make one of the other here.
assert (wire.KEY.size, wire.VALUE.size, wire.VNI_SIZE) == (KEY_SIZE, VALUE_SIZE, VNI_SIZE)
assert ENDPOINT.pack_key(1, NO_ADDRESS) == wire.KEY.pack(1, NO_ADDRESS)
assert ENDPOINT.pack_value(b"......", 2, 3, 4) == wire.VALUE.pack(b"......", 2, 3, 4)
assert (wire.STATELESS, wire.OPEN) == (EndpointFlag.STATELESS, EndpointFlag.OPEN)
pack_key = ENDPOINT.pack_key
pack_value = ENDPOINT.pack_value
EVERYTHING = ((MAPPED + bytes(4), MAPPED_BITS), (NO_ADDRESS, 0))
"""All addresses of each family."""
NOBODY = MAPPED + bytes(4)
"""From which a machine without an address asks for one (RFC 2131, section 4.1)."""
FOUND = (ENDPOINT.name, PAIR.name, RANGE.name)
_FLAGS = Struct("=6xH8x")
assert all(BY_NAME[table].value.offsets()["flags"] == 6 for table in FOUND)
assert all(BY_NAME[table].value.size == _FLAGS.size for table in FOUND)
BEFORE_PAIR, BEFORE_RANGE = bits_before(PAIR, "address"), bits_before(RANGE, "address")


def rank(table: str, value: bytes) -> int:
    """Addresses of pairs give way to whose own they are, and to who says to have them.

    What one without port security says counts only where no pair names the address.
    """
    flags = _FLAGS.unpack(value)[0] if table in FOUND else 0
    if not flags & EndpointFlag.SHARED:
        return 0
    if not flags & EndpointFlag.ANNOUNCED:
        return 2
    return 3 if flags & EndpointFlag.OPEN else 1


def endpoints(endpoint: Endpoint, view: View) -> list[Item]:
    """One `endpoint` entry for each address, and for the link-local one."""
    key, value, more = endpoint.key, endpoint.value, endpoint.more
    if len(value) != VALUE_SIZE or (len(key) != KEY_SIZE and (more is None or len(key) != VNI_SIZE)):
        return [problem(endpoint, f"key {key.hex()} or value {value.hex()} has a wrong length")]
    entries: list[Item] = [(NAME, key, value)] if len(key) == KEY_SIZE else []
    if more is None:
        return entries
    try:
        for address in more.addresses:
            entries.append((NAME, pack_key(endpoint.vni, address), value))
            if len(address) != 16:
                return [problem(endpoint, f"address {address.hex()} has a wrong length")]
        addresses, mac = endpoint.addresses, endpoint.mac
        if not all(map(is_ipv4, addresses)) and (own := link_local(mac)) not in addresses:
            entries.append((NAME, pack_key(endpoint.vni, own), value))
        if more.pairs or more.announced or more.asks or not endpoint.secured:
            entries += shared(endpoint, endpoint.flags)
    except Malformed as error:
        return [problem(endpoint, error)]
    return entries


def plain(endpoints: Sequence[Endpoint]) -> Plain:
    """The entries of those that have one address, of IPv4, and use no other: nearly all."""
    fast = [each for each in endpoints if each.more is None or each.is_plain]
    entries = {each.key: each.value for each in fast}
    owners = {each.key: each for each in fast}
    if len(owners) < len(fast) or {*map(len, entries)} - {KEY_SIZE} or {*map(len, entries.values())} - {VALUE_SIZE}:
        return _sorted_out(endpoints)
    return Plain(
        entries, owners, [each for each in endpoints if not each.is_plain] if len(fast) < len(endpoints) else []
    )


def _sorted_out(endpoints: Sequence[Endpoint]) -> Plain:
    """The same, where some are malformed or want an address that another one wants."""
    entries: dict[bytes, bytes] = {}
    owners: dict[bytes, Endpoint] = {}
    rest: list[Endpoint] = []
    for each in endpoints:
        is_whole = len(each.key) == KEY_SIZE and len(each.value) == VALUE_SIZE
        if is_whole and each.is_plain and owners.setdefault(each.key, each) is each:
            entries[each.key] = each.value
        else:
            rest.append(each)
    return Plain(entries, owners, rest)


def shared(endpoint: Endpoint, flags: int) -> list[Entry]:
    """What a port may use besides its own addresses: its pairs, or everything by its own MAC address if it is open.

    And no address at all, to ask for one; what else it may say from none, the datapath knows.
    """
    entries: dict[tuple[str, bytes], Entry] = {}
    if endpoint.asks:
        key = pair_key(endpoint.vni, Pair(NOBODY, 128, endpoint.mac))
        value = PAIR.pack_value(endpoint.mac, flags, endpoint.host, endpoint.identity)
        entries[PAIR.name, key] = (PAIR.name, key, value)
    said = [(pair, flags | EndpointFlag.SHARED | EndpointFlag.ANNOUNCED) for pair in endpoint.announced]
    for pair, with_flags in (*said, *((pair, flags | EndpointFlag.SHARED) for pair in endpoint.pairs)):
        virtual = EndpointFlag.VIRTUAL if pair.mac != endpoint.mac else 0
        held = pack_value(pair.mac, with_flags | virtual, endpoint.host, endpoint.identity)
        own = PAIR.pack_value(endpoint.mac, with_flags, endpoint.host, endpoint.identity)
        spoken = [(PAIR.name, pair_key(endpoint.vni, pair), own)] if endpoint.secured else []
        for table, key, value in (*spoken, *found_at(endpoint, pair, held)):
            entries.setdefault((table, key), (table, key, value))
    if not endpoint.secured:
        value = PAIR.pack_value(endpoint.mac, flags, endpoint.host, endpoint.identity)
        for address, length in EVERYTHING:
            key = pair_key(endpoint.vni, Pair(address, length, endpoint.mac))
            entries[PAIR.name, key] = (PAIR.name, key, value)
    return list(entries.values())


def family_of(pair: Pair) -> Family:
    """The family of a pair's addresses."""
    return Family.IPV4 if is_ipv4(pair.address) else Family.IPV6


def pair_key(vni: int, pair: Pair) -> bytes:
    """A pair's key."""
    return PAIR.pack_key(BEFORE_PAIR + pair.length, vni, pair.mac, family_of(pair), pair.address)


def found_at(endpoint: Endpoint, pair: Pair, value: bytes) -> list[Entry]:
    """Where a pair's addresses are found; the port's own are so already, and who may use everything holds nothing."""
    if pair.is_everything or (pair.is_single and pair.address in endpoint.addresses):
        return []
    if pair.is_single:
        return [(NAME, pack_key(endpoint.vni, pair.address), value)]
    key = RANGE.pack_key(BEFORE_RANGE + pair.length, endpoint.vni, family_of(pair), pair.address)
    return [(RANGE.name, key, value)]
