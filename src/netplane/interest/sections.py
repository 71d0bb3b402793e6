"""A host's slice in sections: what hosts have in common comes in sections that are the same for all of them.

    a host's own      the ports of its machines, what is logged at them
    Domain            what belongs to a domain, and what no other domain holds: identities, rules of groups; the
                      endpoints of its networks, but for large ones
    Stand             the endpoints of some ports of a large network
    Crowd             the records of some hosts, for those that need all of them
    (kind, id)        what several domains hold: an identity, a group's rules; and hosts and address groups

So whoever sends slices makes each section once, whatever the number of hosts, and makes it again when it is told that
the section is stale.
"""

from collections.abc import Sequence

from netplane.interest.crowds import Crowd
from netplane.interest.domain import Domain
from netplane.interest.slices import GROUP, Slices
from netplane.interest.standing import Stand
from netplane.interest.world import Key
from netplane.model import Host, Record

Section = Domain | Stand | Crowd | Key


def sections_of(slices: Slices, host: str) -> Sequence[Section]:
    """All sections of a host's slice but its own records, each once."""
    domains, everybody, known = slices.domains.holding(("host", host)), slices.world.all(Host), slices.apart
    apart: dict[Stand | Key, None] = {}
    hosts: dict[str, None] = {host: None}
    for domain in domains:
        more = known.get(domain)
        if more is None:
            more = _apart(slices, domain)
        if more:
            apart.update(more)
        if len(hosts) < len(everybody):
            hosts.update(domain.hosts)
    crowds, rest = slices.crowds.within(hosts, everybody)
    return [*domains, *apart, *crowds, *(("host", one) for one in rest)]


def _apart(slices: Slices, domain: Domain) -> dict[Stand | Key, None]:
    """The sections that come with a domain, but for hosts."""
    found = slices.apart.get(domain)
    if found is None:
        parts = (part for network in domain.networks for part in _parts(slices, network))
        groups = [held for held in domain.held if held[0] == GROUP]
        shared = (held for held in domain.held if held[0] != "host" and len(slices.domains.holding(held)) > 1)
        named = (key for group in groups for key in slices.named_keys(group))
        found = slices.apart[domain] = dict.fromkeys((*parts, *shared, *named))
    return found


def _parts(slices: Slices, network: str) -> Sequence[Stand]:
    """The parts of a network that are sections of their own: of a small one there are none."""
    standing = slices.standing.get(network)
    return standing.parts if standing is not None and len(standing.parts) > 1 else ()


def records_in(slices: Slices, section: Section) -> list[Record]:
    """What a section says now."""
    if isinstance(section, Stand):
        return _endpoints(slices, section)
    if isinstance(section, Crowd):
        return [host for host in map(slices.world.all(Host).get, section.hosts) if host is not None]
    if not isinstance(section, Domain):
        return list(slices.shared(section).values())
    apart = _apart(slices, section)
    found = list(slices.frame(section).values())
    for held in section.held:
        if held[0] != "host" and held not in apart:
            found += slices.shared(held).values()
    for network in section.networks:
        if network in slices.standing and not _parts(slices, network):
            for part in slices.standing[network].parts:
                found += _endpoints(slices, part)
    return found


def _endpoints(slices: Slices, part: Stand) -> list[Record]:
    placed = slices.placed
    return [placed[port].endpoint for port in part.ports]
