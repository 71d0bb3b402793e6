"""A host's slice in sections: what hosts have in common comes in sections that are the same for all of them.

    a host's own      its record, the ports of its machines, what is logged at them
    Domain            what belongs to a domain, but for its endpoints
    Stand             the endpoints of some ports of a network
    (kind, id)        what several domains may hold: an identity, a host, a group's rules, an address group

So whoever sends slices makes each section once, whatever the number of hosts, and makes it again when it is told that
the section is stale.
"""

from collections.abc import Iterator

from netplane.interest.domain import Domain
from netplane.interest.slices import GROUP, Slices
from netplane.interest.standing import Stand
from netplane.interest.world import Key
from netplane.model import Record

Section = Domain | Stand | Key


def sections_of(slices: Slices, host: str) -> Iterator[Section]:
    """All sections of a host's slice but its own records, each once."""
    met: set[Key] = {("host", host)}
    for domain in slices.domains.holding(("host", host)):
        yield domain
        for network in domain.networks:
            if network in slices.standing:
                yield from slices.standing[network].parts
        for held in domain.held:
            if held not in met:
                met.add(held)
                yield held
                if held[0] == GROUP:
                    named = dict.fromkeys(key for key in slices.named_keys(held) if key not in met)
                    met.update(named)
                    yield from named


def records_in(slices: Slices, section: Section) -> list[Record]:
    """What a section says now."""
    if isinstance(section, Stand):
        placed = slices.placed
        return [placed[port].endpoint for port in section.ports]
    keys = slices.frame_keys(section) if isinstance(section, Domain) else slices.shared_keys(section)
    found = map(slices.at, dict.fromkeys(keys))
    return [record for record in found if record is not None]


def own_records(slices: Slices, host: str) -> list[Record]:
    """What concerns one host alone."""
    keys: list[Key] = [("host", host)]
    if slices.at(("host", host)) is not None:
        ports = filter(slices.is_machine, slices.world.find("bound_to", host))
        keys += [(kind, port) for port in ports for kind in ("port", "logged")]
    found = map(slices.at, keys)
    return [record for record in found if record is not None]
