"""What hosts were sent lately, so that one that was away is told only what it missed. Pure."""

from collections import deque
from typing import NamedTuple

from msgspec import Raw

from netplane.stream.codec import Key
from netplane.stream.outbox import Parcel

LIMIT = 4_096
"""Batches that are kept."""
LIMIT_RECORDS = 200_000
"""Records in all of them: with more, the oldest batches go."""


class Batch(NamedTuple):
    """What one batch of changes meant for each host; `before` is the revision that it follows."""

    before: int
    revision: int
    records: dict[str, dict[Key, Raw | None]]


class History:
    """The latest batches, without gaps."""

    def __init__(self, revision: int, limit: int = LIMIT, limit_records: int = LIMIT_RECORDS) -> None:
        self._start = self._end = revision
        self._batches: deque[Batch] = deque()
        self._size = 0
        self._limit = limit
        self._limit_records = limit_records

    def add(self, batch: Batch) -> None:
        """The next batch: it follows the one before."""
        self._batches.append(batch)
        self._end = batch.revision
        self._size += _size(batch)
        while len(self._batches) > self._limit or self._size > self._limit_records:
            oldest = self._batches.popleft()
            self._start = oldest.revision
            self._size -= _size(oldest)

    def since(self, host: str, revision: int) -> Parcel | None:
        """What has changed for a host since a revision; None if that is too long ago, or yet to come.

        A revision within a batch gets the whole batch: what it has of it already, it gets as it now is.
        """
        if not self._start <= revision <= self._end:
            return None
        missed: dict[Key, Raw | None] = {}
        for batch in reversed(self._batches):
            if batch.revision <= revision:
                break
            missed = batch.records.get(host, {}) | missed
        return Parcel(self._end, missed)


def _size(batch: Batch) -> int:
    return sum(map(len, batch.records.values()))
