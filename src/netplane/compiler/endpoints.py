"""Endpoints: who owns each address of the domain, and where it lives.

A slice may hold a million of these, so this feature reads nothing but its record, which therefore costs the engine
no bookkeeping, and makes plain tuples.
"""

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
    """One `endpoint` entry for each address."""
    entries: list[Item] = []
    try:
        flags = EndpointFlag.STATELESS if endpoint.stateless else 0
        value = pack_value(endpoint.mac, flags, endpoint.host, endpoint.identity)
        for address in endpoint.addresses:
            entries.append((NAME, pack_key(endpoint.vni, address), value))
            if len(address) != 16 or len(endpoint.mac) != 6:
                return [problem(endpoint, f"address {address.hex()} or MAC {endpoint.mac.hex()} has a wrong length")]
    except Malformed as error:
        return [problem(endpoint, error)]
    return entries
