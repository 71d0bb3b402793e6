"""How long to wait before the next attempt."""

from collections.abc import Callable

FIRST = 0.1
"""Seconds before the second attempt, at most."""
LONGEST = 2.0
"""Seconds between attempts, at most."""
GROWTH = 1.2
"""How much longer each pause is than the one before.

Whoever comes back is met a fifth, at most, of the time later that nobody was there: with pauses that double it is as
long again. An attempt where nobody listens costs a host some dozens of microseconds, and the controller nothing.
"""


class Backoff:
    """Pauses that grow with each failure, spread at random so that agents do not come back in step."""

    def __init__(
        self, random: Callable[[], float], first: float = FIRST, longest: float = LONGEST, growth: float = GROWTH
    ) -> None:
        self._random = random
        self._first = first
        self._longest = longest
        self._growth = growth
        self._ceiling = first

    def reset(self) -> None:
        """An attempt succeeded."""
        self._ceiling = self._first

    def pause(self) -> float:
        """Seconds to wait after a failure: at least half of a ceiling that grows."""
        pause = self._ceiling * (0.5 + self._random() / 2)
        self._ceiling = min(self._growth * self._ceiling, self._longest)
        return pause
