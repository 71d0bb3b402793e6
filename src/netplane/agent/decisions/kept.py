"""The latest decisions, kept for the controller: all of them are said again after each `Welcome`.

So a controller that comes back, or another one, knows the recent past; what it has heard already it passes over.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

from netplane.model import Decision
from netplane.stream.messages import Decisions

KEPT = 1_000
"""Decisions kept, the youngest."""
AT_ONCE = 200
"""Decisions in one message."""


class Kept:
    """The youngest decisions, and how many of them this session's controller has not heard."""

    def __init__(self) -> None:
        self._kept: deque[Decision] = deque(maxlen=KEPT)
        self._unsaid = 0
        self._lost = 0

    def add(self, decisions: Iterable[Decision]) -> None:
        """Keep some more; those that make room unheard are lost."""
        for decision in decisions:
            if self._unsaid == KEPT:
                self._lost += 1
            self._kept.append(decision)
            self._unsaid = min(self._unsaid + 1, KEPT)

    def renew(self) -> None:
        """A session begins: all is to be said."""
        self._unsaid = len(self._kept)

    def say(self) -> Iterator[Decisions]:
        """What has not been said in this session; it then counts as said."""
        unsaid = list(islice(self._kept, len(self._kept) - self._unsaid, None))
        for start in range(0, len(unsaid), AT_ONCE):
            yield Decisions(unsaid[start : start + AT_ONCE], self._lost)
            self._lost = 0
        self._unsaid = 0
