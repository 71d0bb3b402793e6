"""What this process has written lately, or met when it wrote: whoever follows the log need not read it back."""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from threading import Lock

from netplane.store.journal import Entry

LIMIT = 4_096
"""Entries that are kept."""


class Fresh:
    """The youngest entries of the log without a gap. What others have written and is not known makes it begin anew."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._turn = Lock()
        self.is_coming = False
        """Whether a writer here is about to learn what others have written: it waits for the log."""

    def add(self, entries: Sequence[Entry]) -> None:
        """What is kept, in the order of the log."""
        with self._turn:
            if self._entries and entries and self._entries[-1].change.revision + 1 != entries[0].change.revision:
                self._entries.clear()
            self._entries.extend(entries)

    def forget(self) -> None:
        """The log is not what it was."""
        with self._turn:
            self._entries.clear()

    def after(self, revision: int, count: int) -> list[Entry]:
        """Up to `count` entries that follow a revision; none if the one that follows it is not known here."""
        with self._turn:
            last = self._entries[-1].change.revision if self._entries else revision
            following = last - revision
            if not 0 < following <= len(self._entries):
                return []
            # From the young end: who follows the log is rarely far behind.
            return [*islice(reversed(self._entries), following)][::-1][:count]
