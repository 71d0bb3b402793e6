"""Who speaks from an address, and who is reached at it: a port by its own address, or by one of its address pairs.

A port's own address is nobody else's: no pair of another port, and no port without port security, speaks from it or is
reached at it. An address of a pair is where its `endpoint` or `range` entry says, and any port with such a pair speaks
from it.
"""

from netplane.tables import lookup
from netplane.tables.decisions import EndpointFlag
from netplane.tables.lookup import EndpointValue, Entries


def speaker(entries: Entries, vni: int, mac: bytes, address: bytes) -> EndpointValue | None:
    """Who may send a frame from this MAC address and this IP address; the value's MAC address is the port's own."""
    exact = lookup.endpoint(entries, vni, address)
    if exact is not None and exact.mac == mac and not exact.flags & (EndpointFlag.ROUTER | EndpointFlag.VIRTUAL):
        return exact
    return paired(entries, vni, mac, address, exact)


def paired(entries: Entries, vni: int, mac: bytes, address: bytes, exact: EndpointValue | None) -> EndpointValue | None:
    """The port that has this MAC address and this IP address by a pair; `exact` is the address's `endpoint` entry."""
    found = lookup.pair(entries, vni, mac, address)
    if found is None or exact is None or exact.flags & EndpointFlag.SHARED or exact.mac == found.mac:
        return found
    return None


def holder(entries: Entries, vni: int, address: bytes) -> EndpointValue | None:
    """Where an address is found; the value's MAC address is what frames to it are sent to."""
    exact = lookup.endpoint(entries, vni, address)
    return lookup.range(entries, vni, address) if exact is None else exact


def unmasked(entries: Entries, vni: int, address: bytes, found: EndpointValue) -> EndpointValue | None:
    """The same with the owner's own MAC address; None if no pair tells it."""
    return lookup.pair(entries, vni, found.mac, address) if found.flags & EndpointFlag.VIRTUAL else found
