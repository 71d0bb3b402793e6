"""A whole world taken in at once: the same as its changes lead to, but by whole kinds and networks, not one by one.

A controller that starts takes in a million records. What changes are careful about, whom they concern and which
sections they make stale, is nobody's business before anybody has asked.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import islice

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

NAMED: tuple[type[Record], ...] = (
    Host,
    Network,
    Subnet,
    Router,
    AddressGroup,
    SecurityGroupRule,
    Identity,
    Announcement,
    LogResource,
    FirewallRule,
    FirewallPolicy,
    FirewallGroup,
)
NAMING: tuple[type[Record], ...] = (Port, Binding)
SLICED = frozenset((*NAMED, *NAMING))
"""The kinds that slices depend on. What ports name comes before them, so that they need not keep these names themselves
(`sharing`); any other order gives the same world in more memory."""

PIECE = 2_000
"""Records that are held at a time, besides those that are in."""


def load(slices: Slices, records: Iterable[Record]) -> None:
    """Let a world that is empty be these records, in any order, each once; `NAMED` before `NAMING` costs least."""
    coming = iter(records)
    while piece := list(islice(coming, PIECE)):
        by_kind: dict[type[Record], list[Record]] = {}
        for record in piece:
            by_kind.setdefault(type(record), []).append(record)
        for kind, several in by_kind.items():
            if kind in SLICED:
                slices.world.fill(kind, several)
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
    bound, on = slices.world.all(Binding), defaultdict[str, dict[str, Placement]](dict)
    for port, placement in zip(bound, slices.places(bound), strict=True):
        if placement is not None:
            on[placement.network_id][port] = placement
    numbers = {host.id: host.number for host in slices.world.all(Host).values()}
    for network, placements in on.items():
        slices.placed.update(placements)
        hosts = [numbers[placement.host] for placement in placements.values()]
        slices.standing[network] = Standing(network, placements, hosts)
        slices.domains.fill(network, held_by_all(placements.values()))
