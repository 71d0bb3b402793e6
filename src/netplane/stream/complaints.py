"""What the log says of connections that come to nothing: once a minute of each address, and only of so many.

Whoever looks why an agent does not come needs a line of it; whoever knocks a thousand times a second fills no disk.
"""

import logging
from collections.abc import Callable

EVERY = 60.0
"""Seconds for which one line of an address is enough."""
MOST = 20
"""Addresses that are named in that time."""


class Complaints:
    """What has been said lately."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float]) -> None:
        """`clock` tells seconds."""
        self._log = log
        self._clock = clock
        self._began = clock()
        self._named: set[str] = set()
        self._unsaid = 0

    def say(self, place: str, why: str) -> None:
        """Log why a connection from there has come to nothing, if that is to be said."""
        if self._clock() - self._began >= EVERY:
            if self._unsaid:
                self._log.warning("%d more connections came to nothing", self._unsaid)
            self._began, self._named, self._unsaid = self._clock(), set(), 0
        if place in self._named or len(self._named) >= MOST:
            self._unsaid += 1
            return
        self._named.add(place)
        self._log.warning("a connection from %s came to nothing: %s", place, why)
