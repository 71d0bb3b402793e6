"""When each revision was made real, and on which hosts. Kept in memory, for the latest revisions. Pure."""

from bisect import bisect_left
from collections import deque
from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import islice

LIMIT = 20_000
"""Batches that are kept."""


class Batch:
    """Revisions that went out together: the hosts that need them, and when each had them in its kernel."""

    def __init__(self, first: int, times: Sequence[str], hosts: Collection[str]) -> None:
        self.first = first
        self.times = times
        """When each revision was committed, from the first on."""
        self.waiting = dict.fromkeys(hosts)
        self.realised: dict[str, datetime] = {}

    @property
    def last(self) -> int:
        """The last of the revisions."""
        return self.first + len(self.times) - 1


class Revisions:
    """The latest batches, in order."""

    def __init__(self, revision: int, limit: int = LIMIT) -> None:
        self.reached = revision
        """The last revision that hosts were told of."""
        self._limit = limit
        self._batches: deque[Batch] = deque()
        self._unacknowledged: dict[str, deque[Batch]] = {}

    def add(self, first: int, times: Sequence[str], hosts: Collection[str]) -> None:
        """A batch has gone out to the hosts that need it."""
        batch = Batch(first, times, hosts)
        self._batches.append(batch)
        if len(self._batches) > self._limit:
            self._batches.popleft()
        for host in hosts:
            waiting = self._unacknowledged.get(host)
            if waiting is None:
                waiting = self._unacknowledged[host] = deque(maxlen=self._limit)
            waiting.append(batch)
        self.reached = batch.last

    def acknowledge(self, host: str, revision: int, time: datetime) -> None:
        """All that a host needs up to a revision is in its kernel."""
        batches = self._unacknowledged.get(host)
        while batches and batches[0].last <= revision:
            batch = batches.popleft()
            del batch.waiting[host]
            batch.realised[host] = time

    def behind_since(self, host: str) -> str | None:
        """When the oldest change was committed that a host needs and has not acknowledged; None if there is none."""
        batches = self._unacknowledged.get(host)
        return batches[0].times[0] if batches else None

    def youngest(self, limit: int) -> list[Batch]:
        """Up to `limit` batches, the youngest first."""
        return list(islice(reversed(self._batches), limit))

    def find(self, revision: int) -> Batch | None:
        """The batch that a revision went out with; None if it is not known any more, or not yet."""
        index = bisect_left(self._batches, revision, key=lambda batch: batch.last)
        if index == len(self._batches) or self._batches[index].first > revision:
            return None
        return self._batches[index]
