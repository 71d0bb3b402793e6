"""The names of a slice: who is called what on which network, and which networks a machine hears of.

A machine finds the machines of its own network, and of those networks of its project that routers join with it.
Only names that users gave are kept here; those made from an address are read off the endpoints' own table.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, cast

from netplane.agent.slice import Slice
from netplane.model import Change, Endpoint, Network, News, Port, Subnet, kind_of

ENDPOINT = kind_of(Endpoint)
Owner = Callable[[int, bytes], str | None]
"""The id of the port that has an address (16 bytes) on a network (its VNI); None if nobody has."""


class Here(NamedTuple):
    """A network that a machine hears of."""

    network: Network
    domain: str
    """What its machines' names end with, lower case, with a final dot."""
    subnets: tuple[Subnet, ...]


class Directory:
    """Names, kept up to date change by change."""

    def __init__(self, slice: Slice, owner: Owner) -> None:
        self._slice = slice
        self._owner = owner
        self._called: dict[tuple[int, str], dict[str, None]] = {}
        self._names: dict[str, tuple[int, tuple[str, ...]]] = {}

    @property
    def default_domain(self) -> str:
        """What names end with on networks that have no domain of their own."""
        return self._slice.dns_domain

    def take(self, news: Iterable[News]) -> None:
        """Take in what has changed in the slice."""
        for each in news:
            if isinstance(each, Change):
                self._take(each)
            elif each.kind == ENDPOINT:
                self._begin(cast("Mapping[str, Endpoint]", each.records))

    def _take(self, change: Change) -> None:
        if isinstance(change.record, Endpoint):
            self._enter(change.id, change.record)
        elif change.kind == ENDPOINT:
            self._leave(change.id)

    def _begin(self, endpoints: Mapping[str, Endpoint]) -> None:
        """There was none before, and few have more than an address."""
        for endpoint in [each for each in endpoints.values() if each.more]:
            self._enter(endpoint.id, endpoint)

    def _enter(self, id: str, endpoint: Endpoint) -> None:
        if not endpoint.names and id not in self._names:
            return
        now = (endpoint.vni, endpoint.names)
        if self._names.get(id, (0, ())) == now:
            return
        self._leave(id)
        if endpoint.names:
            self._names[id] = now
            for name in endpoint.names:
                self._called.setdefault((endpoint.vni, name), {})[id] = None

    def _leave(self, id: str) -> None:
        vni, names = self._names.pop(id, (0, ()))
        for name in names:
            ids = self._called[vni, name]
            del ids[id]
            if not ids:
                del self._called[vni, name]

    def surroundings(self, port: Port) -> list[Here]:
        """The networks that a machine hears of, its own first."""
        own = self._slice.get(Network, port.network_id)
        if own is None:
            return []
        joined = sorted(network_id for network_id in self._joined(own.id) if network_id != own.id)
        others = (self._slice.get(Network, network_id) for network_id in joined)
        return [self._here(own), *(self._here(one) for one in others if one and one.project_id == port.project_id)]

    def _here(self, network: Network) -> Here:
        subnets = tuple(self._slice.find(Subnet, "network_id", network.id))
        return Here(network, domain_of(network, self.default_domain), subnets)

    def _joined(self, network: str) -> set[str]:
        found, waiting = {network}, [network]
        while waiting:
            for port in self._slice.find(Port, "network_id", waiting.pop()):
                if port.is_router_interface:
                    others = {other.network_id for other in self._slice.find(Port, "device_id", port.device_id)}
                    waiting += others - found
                    found |= others
        return found

    def called(self, vni: int, name: str) -> Iterator[Endpoint]:
        """The endpoints of a network that have a name, relative to its domain, or with a final dot."""
        for id in self._called.get((vni, name), ()):
            endpoint = self._slice.get(Endpoint, id)
            if endpoint is not None:
                yield endpoint

    def names(self, vni: int, address: bytes) -> tuple[str, ...] | None:
        """The names that the owner of an address was given; None if nobody has the address."""
        owner = self._owner(vni, address)
        if owner is None:
            return None
        endpoint = self._slice.get(Endpoint, owner)
        return () if endpoint is None else endpoint.names


def domain_of(network: Network, default: str) -> str:
    """What the names of a network's machines end with, lower case, with a final dot; empty for nothing."""
    return (network.dns_domain or default).lower()
