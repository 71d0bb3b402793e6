"""Whom a packet is sent to, router by router: what a trace's numbers leave out."""

from collections.abc import Mapping

from netplane.tables.packet import Packet
from netplane.tables.routing import route
from netplane.tables.run import End, Run

Station = tuple[int, bytes]
"""A network's VNI and an address on it, 16 bytes."""


def way_of(tables: Mapping[str, Mapping[bytes, bytes]], frame: bytes, vni: int, packet: Packet) -> list[Station]:
    """Where the sender on a network, and then each router, sends a packet; empty if nobody takes it."""
    try:
        hop = route(Run({**tables, "settings": {}}, frame, 0, {}), vni, packet)
    except End:
        return []
    return [*((passage.vni, passage.via) for passage in hop.passed), (hop.vni, hop.via)]
