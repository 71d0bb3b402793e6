"""The youngest of what several owners have, where one who has very much takes no room from the others."""

from collections import deque
from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

Owner = TypeVar("Owner", bound=Hashable)
Item = TypeVar("Item")


class Fair(Generic[Owner, Item]):
    """At most so many items; for one too many, whoever has most gives up his oldest.

    So each of n owners keeps the youngest limit/n of his own, whatever the others add.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._items: dict[Owner, deque[Item]] = {}

    def __len__(self) -> int:
        return self._count

    @property
    def items(self) -> Mapping[Owner, deque[Item]]:
        """What each owner has, his oldest first; to be read only."""
        return self._items

    def add(self, owner: Owner, item: Item) -> Item | None:
        """One more; gives what had to go for it."""
        self._items.setdefault(owner, deque()).append(item)
        self._count += 1
        if self._count <= self._limit:
            return None
        self._count -= 1
        most = max(self._items, key=lambda other: len(self._items[other]))
        gone = self._items[most].popleft()
        if not self._items[most]:
            del self._items[most]
        return gone
