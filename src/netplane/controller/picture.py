"""What a controller holds in memory of the world, and what changes of it mean for hosts. No I/O, no clock.

changes ─▶ Interest ─▶ slices' deltas ─▶ bytes ─┬▶ parcels, by host
                                                ├▶ History    (for agents that come back)
                                                └▶ Revisions  (what is realised where)
           bindings ─▶ PortStates               (what is ACTIVE)
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from netplane.controller import history, revisions
from netplane.controller.ports import Place, PortStates
from netplane.interest import Interest, Section
from netplane.model import Binding, Change, Port, Record
from netplane.store import Entry
from netplane.stream.codec import Run, Runs, raw, runs
from netplane.stream.outbox import Parcel

BATCH = 100
"""Changes that are taken in at a time: each may concern many hosts, and nobody is answered meanwhile."""


class Picture:
    """The world as of a revision, and what hosts have been told and have made of it."""

    def __init__(self, records: Iterable[Record], revision: int, said: Mapping[str, str]) -> None:
        self.interest = Interest()
        self.interest.load(records, revision)
        self.history = history.History(revision)
        self.revisions = revisions.Revisions(revision)
        self.ports = PortStates(dict(said))
        self._runs = Runs[Section]()
        for host, bound in self.interest.bound().items():
            self.ports.fill(Place(host, revision), bound)

    @property
    def revision(self) -> int:
        """The revision that this picture is of."""
        return self.interest.revision

    def take(self, entries: Sequence[Entry]) -> dict[str, Parcel]:
        """Take in what follows in the change log, at least one entry; what each host must be told of it."""
        before = self.revision
        records = self.interest.tell((entry.change for entry in entries), raw)
        for entry in entries:
            self._note(entry.change)
        for section in self.interest.take_stale():
            self._runs.forget(section)
        self.history.add(history.Batch(before, self.revision, records))
        self.revisions.add(entries[0].change.revision, [entry.time for entry in entries], records)
        return {host: Parcel(self.revision, each) for host, each in records.items()}

    def catch_up(self, entries: Sequence[Entry]) -> None:
        """Take in what hosts that come back may have missed; what it meant for ports has been reported long since."""
        for start in range(0, len(entries), BATCH):
            self.take(entries[start : start + BATCH])
        self.ports.news()
        self.revisions = revisions.Revisions(self.revision)

    def slice(self, host: str) -> tuple[int, list[Run]]:
        """All that a host needs, as bytes, and the revision that it is as of."""
        shared = self._runs.get(self.interest.sections(host), self.interest.records)
        return self.revision, [*runs(self.interest.own(host)), *shared]

    def carrier(self, port: str) -> str | None:
        """The host that a port is bound to."""
        binding = self.interest.get(("binding", port))
        return binding.host_id if isinstance(binding, Binding) else None

    def carried(self, host: str, id: str) -> Port | None:
        """The port with this id, if it is bound to a host."""
        port = self.interest.get(("port", id))
        return port if isinstance(port, Port) and self.carrier(id) == host else None

    def ports_known(self) -> Iterator[str]:
        """The ids of all ports; the picture must not move meanwhile."""
        return iter(self.interest.all(Port))

    def has_port(self, id: str) -> bool:
        """Whether there is a port of this id."""
        return self.interest.get(("port", id)) is not None

    def unbound(self, entries: Sequence[Entry]) -> dict[str, list[str]]:
        """Ports that a change left without a host, by the host that has a device of them."""
        found: dict[str, list[str]] = {}
        for port in dict.fromkeys(entry.change.id for entry in entries if entry.change.kind in ("port", "binding")):
            host = self.ports.claimant(port)
            if host and self.carrier(port) is None and isinstance(self.interest.get(("port", port)), Port):
                found.setdefault(host, []).append(port)
        return found

    def _note(self, change: Change) -> None:
        if isinstance(change.record, Binding):
            self.ports.bind(change.id, Place(change.record.host_id, change.revision))
        elif change.kind == "binding":
            self.ports.bind(change.id, None)
        elif change.kind == "port" and change.record is None:
            self.ports.forget(change.id)
