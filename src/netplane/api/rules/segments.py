"""Segments: what carries networks, as OpenStack Networking's operators look at it.

A network has one segment, which reaches all hosts: it is made and deleted with the network, and with nothing else.
Only what people call it can be changed.
"""

from collections.abc import Collection, Sequence
from typing import NoReturn

from msgspec.structs import replace

from netplane.api.bodies import Wish
from netplane.api.computed import Filters, Rules, Writing
from netplane.api.context import Context
from netplane.api.errors import conflict, not_found
from netplane.api.policy import sees_all
from netplane.model import Network, Segment, SegmentLabel, segment_label_id
from netplane.store import Reader, Transaction


def segments(reader: Reader, context: Context, filters: Filters) -> list[Segment]:
    """Those of all networks, or of those that are asked for, for operators."""
    if not sees_all(context, Segment):
        return []
    ids = filters.get("network_id", filters.get("id"))
    return _segments(
        reader, reader.list(Network, None, ids), None if ids is None else [segment_label_id(id) for id in ids]
    )


def segment(reader: Reader, context: Context, id: str) -> Segment | None:
    """That of a network, for operators."""
    network = reader.get(Network, id) if sees_all(context, Segment) else None
    return None if network is None else _segments(reader, [network], [segment_label_id(id)])[0]


def create(transaction: Transaction, _context: Context, wish: Wish) -> NoReturn:
    """404 or 409: a network has its one segment."""
    network = transaction.get(Network, wish["network_id"])
    if network is None:
        raise not_found(Network, wish["network_id"])
    text = f"Network {network.id} has a segment, which reaches all hosts; it cannot have another."
    raise conflict("NetworkSegmentExists", text)


def update(transaction: Transaction, _context: Context, before: Segment, wish: Wish) -> Segment:
    """What people call it."""
    after = replace(before, **wish)
    if after != before:
        id = segment_label_id(after.network_id)
        label = SegmentLabel(id=id, network_id=after.network_id, name=after.name, description=after.description)
        transaction.put(label)
    return after


def delete(_transaction: Transaction, _context: Context, segment: Segment) -> NoReturn:
    """409: it goes with its network."""
    text = f"Segment '{segment.id}' cannot be deleted: it is the only one of network {segment.network_id}."
    raise conflict("SegmentInUse", text)


def _segments(reader: Reader, networks: Sequence[Network], labels: Collection[str] | None) -> list[Segment]:
    known = {label.network_id: label for label in reader.list(SegmentLabel, None, labels)}
    return [_segment(network, known.get(network.id)) for network in networks]


def _segment(network: Network, label: SegmentLabel | None) -> Segment:
    return Segment(
        id=network.id,
        network_id=network.id,
        segmentation_id=network.vni,
        name=None if label is None else label.name,
        description=None if label is None else label.description,
    )


SEGMENTS = Rules(
    Segment, segments, show=segment, writing=Writing(create, update, delete, frozenset({"segmentation_id"}))
)
