"""What a controller still has to say to one agent. It merges, so that a slow agent costs bounded memory.

Deltas that wait become one: of each record only the last state counts. When too many wait, they are thrown away and
the agent gets its slice anew, as it then is.
"""

from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from msgspec import Raw

from netplane.stream.codec import Key
from netplane.stream.messages import Ask, Controllers, Renewed

Word = Ask | Renewed | Controllers
"""What goes as it is."""

LIMIT = 50_000
"""Records in a delta; beyond it a snapshot, which goes in parts, serves better."""


class Parcel(NamedTuple):
    """What changes for a host up to a revision: records as bytes by key; None for what it needs no more."""

    revision: int
    records: dict[Key, Raw | None]


class Outbox:
    """One agent's."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._records: dict[Key, Raw | None] = {}
        self.revision = 0
        """The last revision that was put in."""
        self._moved = False
        self.needs_snapshot = False
        """Whether the whole slice must go before any delta."""
        self.words: deque[Word] = deque()
        """What goes as it is, whatever else waits."""

    def __bool__(self) -> bool:
        return self._moved or self.needs_snapshot or bool(self.words)

    def put(self, parcel: Parcel) -> None:
        """Add what has changed since the last parcel."""
        self.revision = parcel.revision
        if self.needs_snapshot:
            return
        self._moved = True
        self._records |= parcel.records
        if len(self._records) > self._limit:
            self.renew()

    def renew(self) -> None:
        """Let the whole slice go next, as it then is, instead of what waits."""
        self._records = {}
        self._moved = False
        self.needs_snapshot = True

    def take_snapshot(self) -> bool:
        """Whether the whole slice must go, which then counts as sent."""
        needed, self.needs_snapshot = self.needs_snapshot, False
        return needed

    def take(self) -> Parcel | None:
        """What waits as one delta, which counts as sent; None if nothing does."""
        if not self._moved:
            return None
        parcel = Parcel(self.revision, self._records)
        self._records, self._moved = {}, False
        return parcel

    def say(self, word: Word) -> None:
        """Add what goes as it is. Of papers, and of where controllers are, only the last is worth hearing."""
        if not isinstance(word, Ask):
            self.words = deque(other for other in self.words if type(other) is not type(word))
        self.words.append(word)

    def take_words(self) -> Iterable[Word]:
        """What goes as it is, which counts as sent."""
        while self.words:
            yield self.words.popleft()

    def withdraw(self, word: Word) -> None:
        """Nobody waits for what would come of it any more."""
        with suppress(ValueError):  # It may be on its way.
            self.words.remove(word)
