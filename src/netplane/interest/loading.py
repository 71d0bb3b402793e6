"""A whole world taken in at once: the same as its changes lead to, but by whole kinds and networks, not one by one.

A controller that starts takes in a million records. What changes are careful about, whom they concern and which
sections they make stale, is nobody's business before anybody has asked.
"""

from collections.abc import Iterable
from itertools import groupby, islice

from netplane.interest.domain import held_by_all
from netplane.interest.placement import Placement
from netplane.interest.slices import Slices
from netplane.interest.standing import Standing
from netplane.model import (
    AddressGroup,
    Announcement,
    Binding,
    FirewallGroup,
    FirewallPolicy,
    FirewallRule,
    Host,
    Identity,
    LogResource,
    Network,
    Port,
    Record,
    Router,
    SecurityGroupRule,
    Subnet,
)

TAKEN: tuple[type[Record], ...] = (
    Host,
    Network,
    Subnet,
    Router,
    AddressGroup,
    SecurityGroupRule,
    Identity,
    Port,
    Binding,
    Announcement,
    LogResource,
    FirewallRule,
    FirewallPolicy,
    FirewallGroup,
)
"""The kinds that slices depend on. What ports name comes before them, so that they need not keep these names themselves
(`sharing`); any other order gives the same world in more memory."""

PIECE = 2_000
"""Records that are held at a time, besides those that are in."""


def load(slices: Slices, records: Iterable[Record]) -> None:
    """Let a world that is empty be these records, in any order, each once; in that of `TAKEN` it costs least."""
    for kind, several in groupby(records, type):
        while piece := list(islice(several, PIECE)):
            if kind in TAKEN:
                slices.world.fill(kind, piece)
    _join(slices)
    _stand(slices)
    slices.stale.clear()


def _join(slices: Slices) -> None:
    """Make one domain of the networks that a router joins."""
    domains = slices.domains
    for router in slices.world.found("interfaces_of"):
        one = None
        for network in slices.networks_of(router):
            other = domains.open(network)
            if one is not None and other is not one:
                small, other = sorted((one, other), key=lambda each: len(each.networks))
                domains.merge(small, other)
            one = other


def _stand(slices: Slices) -> None:
    """Put each port where it stands, network by network."""
    on: dict[str, dict[str, Placement]] = {}
    for port, placement in zip(bound := slices.world.all(Binding), slices.places(bound), strict=True):
        if placement is not None:
            there = on.get(placement.network_id)
            if there is None:
                there = on[placement.network_id] = {}
            there[port] = placement
    for network, placements in on.items():
        slices.placed.update(placements)
        slices.standing[network] = Standing(network, placements, [each.endpoint.host for each in placements.values()])
        slices.domains.fill(network, held_by_all(placements.values()))
