"""The latest decisions, kept for the controller: all of them are said again after each `Welcome`.

So a controller that comes back, or another one, knows the recent past; what it has heard already it passes over.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, takewhile

from netplane.base.fair import Fair
from netplane.model import Decision
from netplane.stream.messages import Decisions

KEPT = 1_000
"""Decisions kept, the youngest; of a project that has more than others, its own go first."""
AT_ONCE = 200
"""Decisions in one message."""


class Kept:
    """The youngest decisions, and how far this session's controller has heard them."""

    def __init__(self) -> None:
        self._kept: Fair[str, Decision] = Fair(KEPT)
        self._said = -1
        """The number of the last that was said."""
        self._lost = 0

    def add(self, decisions: Iterable[Decision]) -> None:
        """Keep some more, whose numbers rise; those that make room unheard are lost."""
        for decision in decisions:
            gone = self._kept.add(decision.project_id, decision)
            if gone is not None and self._is_unsaid(gone):
                self._lost += 1

    def renew(self) -> None:
        """A session begins: all is to be said."""
        self._said = -1

    def say(self) -> Iterator[Decisions]:
        """What has not been said in this session; it then counts as said."""
        shares = (takewhile(self._is_unsaid, reversed(share)) for share in self._kept.items.values())
        unsaid = sorted(chain.from_iterable(shares), key=lambda one: one.number)
        for start in range(0, len(unsaid), AT_ONCE):
            yield Decisions(unsaid[start : start + AT_ONCE], self._lost)
            self._lost = 0
        if unsaid:
            self._said = unsaid[-1].number

    def _is_unsaid(self, decision: Decision) -> bool:
        return decision.number > self._said
