"""Finding free numbers without looking at all of them.

The search goes on where the last one stopped (next fit), so that what was just given back rests before it is given
again and the cost stays the same however full the range is. It asks in windows that grow: a thousand numbers cost a
handful of questions, and what one transaction has left of a window others take (`known`).
"""

from collections.abc import Callable, Iterator, Sequence

FIRST_WINDOW = 32
GROWTH = 8
LAST_WINDOW = 500

Text = Callable[[int], str]
"""How a number is written in a claim."""


def free_windows(
    low: int, high: int, start: int, text: Text, taken: Callable[[Sequence[str]], set[str]]
) -> Iterator[dict[str, int]]:
    """The free numbers of `low` to `high`, from `start` upwards, then from `low`; each once, by its text."""
    size = FIRST_WINDOW
    for first, last in ((start, high), (low, start - 1)):
        while first <= last:
            window = range(first, min(first + size, last + 1))
            values = {text(number): number for number in window}
            claimed = taken(list(values))
            yield {value: number for value, number in values.items() if value not in claimed}
            first, size = window.stop, min(size * GROWTH, LAST_WINDOW)


class Cursors:
    """Where each range's search goes on. Only a hint: it may be lost, or point at what was rolled back."""

    LIMIT = 100_000

    def __init__(self) -> None:
        self._next: dict[tuple[str, int, int], int] = {}

    def get(self, space: str, low: int, high: int, first: int | None = None) -> int:
        """Where to start in a range; the first time at `first`, or at its beginning."""
        return self._next.get((space, low, high), low if first is None else first)

    def given(self, space: str, low: int, high: int, number: int) -> None:
        """A number of the range was given."""
        if len(self._next) >= self.LIMIT:
            self._next.clear()
        self._next[space, low, high] = number + 1 if number < high else low
