"""How long to wait before the next attempt."""

from collections.abc import Callable

FIRST = 0.1
"""Seconds before the second attempt, at most."""
LONGEST = 2.0
"""Seconds between attempts, at most."""


class Backoff:
    """Pauses that double with each failure, spread at random so that agents do not come back in step."""

    def __init__(self, random: Callable[[], float], first: float = FIRST, longest: float = LONGEST) -> None:
        self._random = random
        self._first = first
        self._longest = longest
        self._ceiling = first

    def reset(self) -> None:
        """An attempt succeeded."""
        self._ceiling = self._first

    def pause(self) -> float:
        """Seconds to wait after a failure: at least half of a ceiling that doubles."""
        pause = self._ceiling * (0.5 + self._random() / 2)
        self._ceiling = min(2 * self._ceiling, self._longest)
        return pause
