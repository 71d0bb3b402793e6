"""Those who have connected and not yet said who they are: anybody can, so they may be only so many at a time.

Whoever is the longest at it makes room for one more, and first of those who have come from the same address as most
others: who opens a thousand connections keeps nobody out but himself.
"""

import asyncio


class Strangers:
    """The calls of strangers by where they have come from."""

    def __init__(self) -> None:
        self._calls: dict[str, dict[asyncio.Task[None], None]] = {}
        self._places: dict[asyncio.Task[None], str] = {}

    def add(self, call: asyncio.Task[None], place: str, most: int) -> None:
        """One more has come; while there are so many already, others must go."""
        while len(self._places) >= most:
            crowd = max(self._calls.values(), key=len)
            oldest = next(iter(crowd))
            self.remove(oldest)
            oldest.cancel()
        self._calls.setdefault(place, {})[call] = None
        self._places[call] = place

    def remove(self, call: asyncio.Task[None]) -> None:
        """One is no stranger any more, or has gone; nothing if it was none."""
        place = self._places.pop(call, None)
        if place is not None:
            del self._calls[place][call]
            if not self._calls[place]:
                del self._calls[place]

    def cancel(self) -> None:
        """All must go."""
        for call in self._places:
            call.cancel()
