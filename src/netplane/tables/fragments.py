"""Fragments: the first one is judged like a whole packet, the others pass as part of it.

Only the first has the transport header. What it says is remembered when it passes, on each host that it passes; a
later fragment that comes before its first is dropped (RFC 791, section 3.2; RFC 8200, section 4.5). So is one of IPv6
that overlaps its first (RFC 5722), whose protocol counts for all. What IPv4's may not overwrite is seen without it.
"""

from typing import NamedTuple

from netplane.tables.connection import SECOND
from netplane.tables.decisions import Limit, Reason
from netplane.tables.packet import Packet
from netplane.tables.pipeline import FRAGMENT
from netplane.tables.run import Run


class First(NamedTuple):
    """The value of a `fragment` entry."""

    source: bytes
    destination: bytes
    seen: int
    number: int
    end: int
    protocol: int
    source_port: bytes
    destination_port: bytes
    service: bytes


def place(vni: int, mac: bytes, packet: Packet) -> bytes:
    """The key of what is remembered of a packet that a machine sends in fragments."""
    return FRAGMENT.pack_key(vni, mac, packet.id % Limit.FRAGMENTS)


def remember(run: Run, vni: int, packet: Packet) -> None:
    """Note a first fragment, so that the rest may follow if it passes."""
    if not packet.more or packet.offset:
        return
    key = place(vni, run.frame[6:12], packet)
    if key in run.entries["fragment"] or len(run.entries["fragment"]) < run.rooms["fragment"]:
        sport, dport = packet.numbers
        first = First(
            packet.source,
            packet.destination,
            run.now,
            packet.id,
            packet.end,
            packet.protocol,
            _be16(sport),
            _be16(dport),
            _be16(packet.service),
        )
        run.fragments[key] = FRAGMENT.pack_value(*first)


def follow(run: Run, vni: int, packet: Packet) -> Packet | Reason:
    """A later fragment, with what its first said; any other packet as it is."""
    if not packet.offset:
        return packet
    value = run.entries["fragment"].get(place(vni, run.frame[6:12], packet))
    first = None if value is None else First(**FRAGMENT.unpack_value(value))
    if first is None or first.seen + Limit.FRAGMENT_SECONDS * SECOND <= run.now:
        return Reason.FRAGMENT
    if (packet.source, packet.destination, packet.id) != (first.source, first.destination, first.number):
        return Reason.FRAGMENT
    if packet.offset < first.end or (not packet.is_ipv6 and packet.protocol != first.protocol):
        return Reason.FRAGMENT
    packet = packet._replace(protocol=first.protocol)
    sport, dport, service = (
        int.from_bytes(part, "big") for part in (first.source_port, first.destination_port, first.service)
    )
    if packet.is_icmp:
        return packet._replace(type=service >> 8, code=service & 255, echo=sport)
    return packet._replace(sport=sport, dport=dport)


def _be16(number: int) -> bytes:
    return number.to_bytes(2, "big")
