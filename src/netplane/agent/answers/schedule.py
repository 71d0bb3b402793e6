"""When each machine hears router advertisements unasked (RFC 4861, section 6.2.4), by a clock that the caller brings.

At once when what there is to say changes or a machine comes, twice more soon after, and then now and again.
"""

from collections.abc import Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

from netplane.agent.answers.advert import Advert
from netplane.agent.answers.link import LONGEST_PAUSE, SHORTEST_PAUSE, changed

ROUNDS = 3
"""Times that news are told (section 10: MAX_INITIAL_RTR_ADVERTISEMENTS, MAX_FINAL_RTR_ADVERTISEMENTS)."""

SOON = 16.0
"""Seconds between them (there: MAX_INITIAL_RTR_ADVERT_INTERVAL)."""

P = TypeVar("P")
"""What a place is known by."""

Draw = Callable[[float, float], float]
"""A random number between two."""


class _Told(NamedTuple):
    """One machine: what holds, what is said so that it knows, and when next."""

    holds: tuple[Advert, ...]
    news: tuple[Advert, ...]
    rounds: int
    """How often the news are still to be told."""
    at: float


class Schedule(Generic[P]):
    """What the machine is told at each place, and when; times are in seconds."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._told: dict[P, _Told] = {}

    def set(self, holds: Mapping[P, tuple[Advert, ...]], now: float) -> None:
        """From now on this holds, and no other device is there."""
        before, self._told = self._told, {}
        for place, adverts in holds.items():
            told = before.get(place)
            if told is not None and told.holds == adverts:
                self._told[place] = told
            elif told is not None or adverts:
                news = changed(told.holds if told else (), adverts)
                self._told[place] = _Told(adverts, news, ROUNDS, now)

    def due(self, now: float) -> list[tuple[P, tuple[Advert, ...]]]:
        """What is to be said now, and to whom; it counts as said."""
        found = [(place, told) for place, told in self._told.items() if told.at <= now]
        for place, told in found:
            rounds = max(0, told.rounds - 1)
            pause = SOON if rounds else self._draw(SHORTEST_PAUSE, LONGEST_PAUSE)
            if rounds or told.holds:
                self._told[place] = told._replace(rounds=rounds, at=now + pause)
            else:
                self._told[place] = told._replace(rounds=0, at=float("inf"))
        return [(place, told.news if told.rounds else told.holds) for place, told in found]

    @property
    def next(self) -> float:
        """When something is due again; infinity if nothing is."""
        return min((told.at for told in self._told.values()), default=float("inf"))
