"""LOCAL_ANSWER, announcements: a machine says that it has an address that others may have too, and the agent hears it.

By gratuitous ARP (RFC 5944, section 4.6) or an unsolicited neighbour advertisement (RFC 4861, section 7.2.6), as
whoever takes an address over from another machine sends them.
"""

from netplane.tables import lookup, owners
from netplane.tables.decisions import EndpointFlag, Punt
from netplane.tables.lookup import PortValue
from netplane.tables.run import Run
from netplane.tables.serving import punt


def hear(run: Run, port: PortValue, ifindex: int, address: bytes) -> None:
    """Hand an announcement to the agent, unless it is of somebody's own address or says what is known."""
    known = lookup.endpoint(run.entries, port.vni, address)
    if known is not None and not known.flags & EndpointFlag.SHARED:
        return
    if known is not None and known.flags & EndpointFlag.ANNOUNCED and known.mac == run.frame[6:12]:
        owner = owners.unmasked(run.entries, port.vni, address, known)
        if owner is not None and owner.mac == port.mac:
            return
    punt(run, port, ifindex, Punt.ANNOUNCEMENT, in_fragments=False)
