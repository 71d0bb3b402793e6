"""Guessing takes time: who has failed often waits before the next attempt counts, longer each time.

Users and source addresses are counted apart, each by its own patience. A failure is noted before the password is
looked at and taken back when it was right, so that many attempts at once gain nothing. Nothing here knows whether a
user exists. It is counted in each controller by itself, and in memory: what is forgotten is only waiting.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

MOST = 20_000
"""Users and addresses that are counted; beyond, those that failed longest ago are forgotten."""


class Patience(NamedTuple):
    """How many failures are free, and how long the waits become (seconds)."""

    free: int
    longest: float = 300.0
    forgotten_after: float = 900.0


USER = Patience(free=5)
ADDRESS = Patience(free=30)


class Failures(NamedTuple):
    """What is remembered of one; `at` is the time of the last, in seconds."""

    number: int
    at: float


class Lockout:
    """Failures of users and of addresses. Any thread may use it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._turn = Lock()
        self._failures: OrderedDict[tuple[Patience, str], Failures] = OrderedDict()

    def attempt(self, user: str, address: str) -> float:
        """Note an attempt; answers 0, or how many seconds it came too early, and then it is none."""
        now = self._clock()
        keys = [(USER, user), (ADDRESS, address)]
        with self._turn:
            early = max(self._wait(key, now) for key in keys)
            if early > 0:
                return early
            for key in keys:
                self._failures[key] = Failures(self._count(key, now) + 1, now)
                self._failures.move_to_end(key)
            while len(self._failures) > MOST:
                self._failures.popitem(last=False)
        return 0.0

    def succeeded(self, user: str, address: str) -> None:
        """The attempt was good: the user's failures are forgotten, and it is none of the address's."""
        with self._turn:
            self._failures.pop((USER, user), None)
            found = self._failures.get((ADDRESS, address))
            if found is not None:
                self._failures[ADDRESS, address] = found._replace(number=max(0, found.number - 1))

    def _count(self, key: tuple[Patience, str], now: float) -> int:
        found = self._failures.get(key)
        return 0 if found is None or now - found.at > key[0].forgotten_after else found.number

    def _wait(self, key: tuple[Patience, str], now: float) -> float:
        patience, count = key[0], self._count(key, now)
        if count < patience.free:
            return 0.0
        pause = min(patience.longest, 2.0 ** min(count - patience.free, 30))
        return max(0.0, self._failures[key].at + pause - now)
