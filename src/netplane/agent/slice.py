"""The slice: all records that this host needs, as the controller's messages have told it.

Messages go in, changes for the compiler come out. A snapshot replaces what was there before only when its last part
has come, so a session that breaks in the middle of one changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar, cast

from netplane.base.world import World
from netplane.model import KINDS, AnyRecord, Change, Network, Operation, Port, Record, Subnet, kind_of
from netplane.stream.messages import Delta, Snapshot, Welcome

R = TypeVar("R", bound=Record)
Told = Welcome | Snapshot | Delta
"""The messages that a slice is made of."""

KIND = {kind_of(kind): kind for kind in KINDS}


class Slice:
    """Records, this host's number, and how far in which change log they are complete."""

    def __init__(self) -> None:
        self.number = 0
        """This host's number; 0 before any controller has told it."""
        self.log = ""
        self.revision = 0
        """0 as long as no whole slice has come."""
        self._world = World(KINDS)
        self._coming: list[AnyRecord] = []
        self._coming_log = ""

    def take(self, message: Told) -> list[Change]:
        """Take a message in; what has changed by it."""
        match message:
            case Welcome():
                self.number, self._coming_log = message.number, message.log
                return []
            case Snapshot():
                return self._take_part(message)
            case Delta():
                return self._take_delta(message)

    def get(self, kind: type[R], id: str) -> R | None:
        """The record of that kind and id, if the slice has it."""
        return self._world.get(kind, id)

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
        yield Welcome(number=self.number, log=self.log)
        records = [record for kind in KINDS for record in cast("dict[str, AnyRecord]", self._world.all(kind)).values()]
        for start in range(0, max(len(records), 1), size):
            yield Snapshot(
                revision=self.revision,
                first=start == 0,
                last=start + size >= len(records),
                records=records[start : start + size],
            )

    def _take_part(self, part: Snapshot) -> list[Change]:
        self._coming = [*([] if part.first else self._coming), *part.records]
        if not part.last:
            return []
        whole = {(kind_of(record), record.id): record for record in self._coming}
        gone = [(name, id) for name, kind in KIND.items() for id in self._world.all(kind) if (name, id) not in whole]
        self.log, self.revision, self._coming = self._coming_log, part.revision, []
        return [*self._upsert(whole.values()), *self._delete(gone)]

    def _take_delta(self, delta: Delta) -> list[Change]:
        self.revision = delta.revision
        return [*self._upsert(delta.upserts), *self._delete(delta.deletes)]

    def _upsert(self, records: Iterable[AnyRecord]) -> Iterator[Change]:
        for record in records:
            if self._world.replace(type(record), record.id, record) != record:
                yield Change(self.revision, Operation.UPSERT, kind_of(record), record.id, record)

    def _delete(self, names: list[tuple[str, str]]) -> Iterator[Change]:
        for name, id in names:
            kind = KIND.get(name)
            if kind is not None and self._world.replace(kind, id, None) is not None:
                yield Change(self.revision, Operation.DELETE, name, id, None)
