"""The slice: all records that this host needs, as the controller's messages have told it.

Messages go in, changes for the compiler come out. A snapshot replaces what was there before only when its last part
has come, so a session that breaks in the middle of one changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TypeVar

from netplane.base.world import World
from netplane.model import KINDS, Change, Endpoint, Filled, Network, News, Operation, Port, Record, Subnet, kind_of
from netplane.model.network import DEFAULT_DOMAIN
from netplane.stream.messages import Delta, Snapshot, Welcome

R = TypeVar("R", bound=Record)
Told = Welcome | Snapshot | Delta
"""The messages that a slice is made of."""

KIND = {kind_of(kind): kind for kind in KINDS}
NAME = {kind: name for name, kind in KIND.items()}


class Slice:
    """Records, this host's number, and how far in which change log they are complete."""

    def __init__(self) -> None:
        self.number = 0
        """This host's number; 0 before any controller has told it."""
        self.dns_domain = DEFAULT_DOMAIN
        """What machines' names end with on networks without a domain of their own."""
        self.log = ""
        self.revision = 0
        """0 as long as no whole slice has come."""
        self._world = World(KINDS)
        self._coming = _nothing()
        self._coming_log = ""

    def take(self, message: Told) -> Iterator[News]:
        """Take a message in as its news are drawn; it is in when all are, and only then does `revision` move.

        A slice may be large: whoever has others to serve does so between two of them. A first slice comes in whole
        kinds, which takes some tens of milliseconds for a million records.
        """
        match message:
            case Welcome():
                self.number, self._coming_log = message.number, message.log
                self.dns_domain = message.dns_domain
            case Snapshot():
                yield from self._take_part(message)
            case Delta():
                yield from self._upsert(chain(message.upserts, message.endpoints), message.revision)
                yield from self._delete(message.deletes, message.revision)
                self.revision = message.revision

    def get(self, kind: type[R], id: str) -> R | None:
        """The record of that kind and id, if the slice has it."""
        return self._world.get(kind, id)

    def find(self, kind: type[R], field: str, target: str) -> list[R]:
        """The records of a kind that refer to `target` by `field`, by id."""
        return self._world.find(kind, field, target)

    def all(self, kind: type[R]) -> Mapping[str, R]:
        """All records of a kind by id."""
        return self._world.all(kind)

    def machine_ports(self) -> Iterator[Port]:
        """The ports that this host carries for machines."""
        return (port for port in self._world.all(Port).values() if not port.is_router_interface)

    def surroundings(self, port: Port) -> tuple[dict[str, Subnet], Network | None]:
        """A port's subnets and its network, as far as they are known."""
        found = (self.get(Subnet, fixed.subnet_id) for fixed in port.fixed_ips)
        return {subnet.id: subnet for subnet in found if subnet is not None}, self.get(Network, port.network_id)

    def messages(self, size: int = 10_000) -> Iterator[Told]:
        """Messages that lead to this slice from nothing, the snapshot in parts of `size` records."""
        yield Welcome(number=self.number, log=self.log, dns_domain=self.dns_domain)
        records = [record for kind in KINDS for record in self._world.all(kind).values()]
        for start in range(0, max(len(records), 1), size):
            end = start + size
            yield Snapshot.of(self.revision, records[start:end], first=start == 0, last=end >= len(records))

    def _take_part(self, part: Snapshot) -> Iterator[News]:
        if part.first:
            self._coming = _nothing()
        coming = self._coming
        for record in part.records:
            coming[record.__class__][record.id] = record
        endpoints = coming[Endpoint]
        for endpoint in part.endpoints:
            endpoints[endpoint.id] = endpoint
        if part.last:
            self._coming = _nothing()
            gone = [
                (name, id)
                for name, kind in KIND.items()
                if (here := self._world.all(kind))
                for id in here.keys() - coming[kind].keys()
            ]
            for kind, records in coming.items():
                yield from self._replace(kind, records, part.revision)
            yield from self._delete(gone, part.revision)
            self.log, self.revision = self._coming_log, part.revision

    def _replace(self, kind: type[Record], records: dict[str, Record], revision: int) -> Iterator[News]:
        if not self._world.fill(kind, records):
            yield from self._upsert(records.values(), revision)
        elif records:
            yield Filled(revision, NAME[kind], records)

    def _upsert(self, records: Iterable[Record], revision: int) -> Iterator[Change]:
        replace, upsert = self._world.replace, Operation.UPSERT
        for record in records:
            kind, id = record.__class__, record.id
            if replace(kind, id, record) != record:
                yield Change(revision, upsert, NAME[kind], id, record)

    def _delete(self, names: Iterable[tuple[str, str]], revision: int) -> Iterator[Change]:
        for name, id in names:
            kind = KIND.get(name)
            if kind is not None and self._world.replace(kind, id, None) is not None:
                yield Change(revision, Operation.DELETE, name, id, None)


def _nothing() -> dict[type[Record], dict[str, Record]]:
    return {kind: {} for kind in KINDS}
