"""Who watches what: each change goes to those whom it concerns, and costs nothing when nobody watches. No I/O.

An administrator is told of everything that he asks for, a project of its own resources, and of what of others it sees.
The latter is as it was when its watch began, and what comes onto shared networks since: when sharing changes, the watch
ends, and the client begins another.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from netplane.controller.watching.events import Rendered
from netplane.model import EVERY_PROJECT, RbacPolicy
from netplane.store import Entry

Key = tuple[str, str]
"""Kind and id."""

BACKLOG = 2_000
"""Entries that a reader may lag behind before its watch ends."""


class Wanted(NamedTuple):
    """What one watch is about."""

    kinds: frozenset[str]
    viewer: str | None
    """The project that watches; None for an administrator."""
    project: str | None = None
    """Only what belongs to this project; None for any."""
    lent: frozenset[Key] = frozenset()
    """What of other projects the viewer sees."""
    shares: frozenset[str] = frozenset()
    """The viewer's networks that others may use."""
    since: int = 0
    """The revision that both are as of: of what is lent, only what follows is told."""

    def has(self, entry: Entry) -> bool:
        """Whether a change is to be told."""
        if entry.change.kind not in self.kinds or self.project not in (None, entry.project):
            return False
        return self.viewer is None or self._sees(entry)

    def ends(self, entry: Entry) -> bool:
        """Whether a change may alter what of other projects the viewer sees."""
        record = entry.record
        if self.viewer is None or entry.change.revision <= self.since:
            return False
        if isinstance(record, RbacPolicy):
            is_known = (record.object_type, record.object_id) in self.lent or record.object_id in self.shares
            return is_known or entry.project == self.viewer or record.target_project in (EVERY_PROJECT, self.viewer)
        if entry.project == self.viewer:
            return False
        shared = getattr(entry.change.record, "shared", None)
        return shared is not None and bool(shared) != (key_of(entry) in self.lent)

    def _sees(self, entry: Entry) -> bool:
        if entry.project == self.viewer:
            return True
        if entry.change.revision <= self.since:
            return False
        network = getattr(entry.record, "network_id", "")
        is_on_lent = entry.change.kind == "subnet" and ("network", network) in self.lent
        return key_of(entry) in self.lent or is_on_lent or (entry.change.kind == "port" and network in self.shares)


class Watcher:
    """One watch: what it has still to be told."""

    def __init__(self, wanted: Wanted, wake: Callable[[], None]) -> None:
        self.wanted = wanted
        self.after = 0
        """What it knows from the log."""
        self.is_over = False
        """Whether it ends after what it has still to be told."""
        self._wake = wake
        self._waiting: list[Entry] = []

    def tell(self, entry: Entry) -> None:
        """A change that concerns it, unless it knows of it; if it lags too far behind, it ends instead."""
        if self.is_over or entry.change.revision <= self.after:
            return
        if len(self._waiting) >= BACKLOG:
            self.end()
            return
        self._waiting.append(entry)
        self._wake()

    def end(self) -> None:
        """Nothing more will be told."""
        self.is_over = True
        self._wake()

    def take(self) -> Sequence[Entry]:
        """What it has not been told yet."""
        taken, self._waiting = self._waiting, []
        return taken


class Watchers:
    """All that watch this controller."""

    def __init__(self, revision: int) -> None:
        self.revision = revision
        """The last revision that was told."""
        self.rendered = Rendered()
        self._all: set[Watcher] = set()
        self._places: dict[Key, set[Watcher]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def count(self, viewer: str | None) -> int:
        """How many watches a project has, or administrators have."""
        return len(self._places.get(_viewer(viewer), ()))

    def add(self, watcher: Watcher) -> None:
        """Tell it from now on."""
        self._all.add(watcher)
        for place in _places(watcher.wanted):
            self._places.setdefault(place, set()).add(watcher)

    def remove(self, watcher: Watcher) -> None:
        """Tell it no more."""
        self._all.discard(watcher)
        for place in _places(watcher.wanted):
            there = self._places.get(place, set())
            there.discard(watcher)
            if not there:
                self._places.pop(place, None)

    def publish(self, revision: int, entries: Iterable[Entry]) -> None:
        """Tell everybody whom they concern of changes, up to a revision."""
        if self._all:
            for entry in entries:
                for watcher in self._concerned(entry):
                    if watcher.wanted.ends(entry):
                        watcher.end()
                    elif watcher.wanted.has(entry):
                        watcher.tell(entry)
        self.revision = revision

    def close(self) -> None:
        """End all: the controller stops."""
        for watcher in self._all:
            watcher.end()

    def _concerned(self, entry: Entry) -> set[Watcher]:
        """Who may want to be told; what each wants is for itself to say."""
        record = entry.record
        if isinstance(record, RbacPolicy) or hasattr(record, "shared"):
            return self._all
        places = [_viewer(None), _viewer(entry.project), key_of(entry)]
        network = getattr(record, "network_id", None)
        if network is not None:
            places += [("network", network), ("shares", network)]
        return set().union(*(self._places.get(place, ()) for place in places))


def key_of(entry: Entry) -> Key:
    """What a change is of."""
    return entry.change.kind, entry.change.id


def _places(wanted: Wanted) -> Iterator[Key]:
    """Where a watch is looked for."""
    yield _viewer(wanted.viewer)
    yield from wanted.lent
    for network in wanted.shares:
        yield "shares", network


def _viewer(project: str | None) -> Key:
    return ("", "admin") if project is None else ("viewer", project)
