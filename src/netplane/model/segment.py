"""Segments: how networks are carried, one each, and what operators call them."""

from collections.abc import Iterable
from typing import Annotated, ClassVar

from msgspec import Meta

from netplane.model.record import OnDelete, Record, Reference, describe

NETWORK_TYPE = "vxlan"
"""How every network is carried."""

Text = Annotated[str, Meta(max_length=255)]
Name = Annotated[Text | None, describe("A name for people; null for none.", create=True, update=True)]
Description = Annotated[Text | None, describe("Free text; null for none.", create=True, update=True)]


class Segment(Record, frozen=True, kw_only=True, gc=False, tag="segment"):
    """How a network is carried: by VXLAN, everywhere. It comes and goes with its network."""

    collection: ClassVar[str] = "segments"

    id: Annotated[str, describe("The network's id.")]
    network_id: Annotated[str, describe("The network.", create=True)]
    network_type: Annotated[str, describe("`vxlan`.", create=True)] = NETWORK_TYPE
    physical_network: Annotated[
        str | None, describe("The physical network that carries it: null, since all do.", create=True)
    ] = None
    segmentation_id: Annotated[int, describe("The VXLAN network identifier.", create=True)]
    name: Name = None
    description: Description = None


class SegmentLabel(Record, frozen=True, kw_only=True, gc=False, tag="segment_label"):
    """What operators call the segment of a network, where they have said so. No host hears of it."""

    network_id: Annotated[str, describe("The network.")]
    name: Name = None
    description: Description = None

    def references(self) -> Iterable[Reference]:
        """Its network, with which it goes."""
        return (Reference("network_id", "network", self.network_id, OnDelete.CASCADE),)


def segment_label_id(network: str) -> str:
    """The id of the label of a network's segment. Not the network's own, which the segment has."""
    return f"segment:{network}"
