"""Endpoints: who owns each address of the domain, and where it lives.

A slice may hold a million of these, so this feature reads nothing but its record, which therefore costs the engine
no bookkeeping, and makes plain tuples. A machine that has an IPv6 address also has the one that its interface makes
itself of its MAC address (RFC 4291, section 2.5.6), with which it asks for neighbours and routers.
"""

from netplane.base.addresses import is_ipv4, link_local
from netplane.base.incremental import Item
from netplane.base.world import View
from netplane.compiler.feature import Malformed, problem
from netplane.model import Endpoint
from netplane.tables.decisions import EndpointFlag
from netplane.tables.pipeline import ENDPOINT

NAME = ENDPOINT.name
pack_key = ENDPOINT.pack_key
pack_value = ENDPOINT.pack_value


def endpoints(endpoint: Endpoint, view: View) -> list[Item]:
    """One `endpoint` entry for each address, and for the link-local one."""
    entries: list[Item] = []
    try:
        flags = EndpointFlag.STATELESS if endpoint.stateless else 0
        value = pack_value(endpoint.mac, flags, endpoint.host, endpoint.identity)
        for address in endpoint.addresses:
            entries.append((NAME, pack_key(endpoint.vni, address), value))
            if len(address) != 16 or len(endpoint.mac) != 6:
                return [problem(endpoint, f"address {address.hex()} or MAC {endpoint.mac.hex()} has a wrong length")]
        if not all(map(is_ipv4, endpoint.addresses)) and (own := link_local(endpoint.mac)) not in endpoint.addresses:
            entries.append((NAME, pack_key(endpoint.vni, own), value))
    except Malformed as error:
        return [problem(endpoint, error)]
    return entries
