"""Addresses that machines say have moved, at a pace: two machines that fight for one cost every host of their domain.

An address that has just moved rests for a while. Of what is said of it meanwhile the last counts, when that is over:
so nobody who has it in the end is forgotten, however often it went to and fro.
"""

from collections.abc import Iterable
from typing import NamedTuple

REST = 1.0
"""Seconds between two moves of one address."""


class Move(NamedTuple):
    """What a host has heard a machine say."""

    host: str
    port: str
    address: str
    mac: str


class Moves:
    """The addresses that rest, by the ids of their announcements, and what is to be done about them.

    The caller brings the clock, in seconds.
    """

    def __init__(self) -> None:
        self._resting: dict[str, float] = {}
        self._waiting: dict[str, Move] = {}

    def hear(self, place: str, move: Move, now: float) -> bool:
        """Whether an address may move at once; if not, it is `due` later, unless something else is said before."""
        if self._resting.get(place, now) > now:
            self._waiting[place] = move
            return False
        self._waiting.pop(place, None)
        self._resting[place] = now + REST
        return True

    def due(self, now: float) -> Iterable[Move]:
        """What has waited and is to be done now; what rests no longer is forgotten."""
        rested = [place for place, until in self._resting.items() if until <= now]
        for place in rested:
            del self._resting[place]
        ready = [(place, self._waiting.pop(place)) for place in rested if place in self._waiting]
        self._resting.update({place: now + REST for place, _ in ready})
        return [move for _, move in ready]

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)
