"""Records in memory, found by kind and id or by what they point at.

It knows nothing of what the records mean: a record has an id and references, and its kind is its Python type.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeVar


class Link(Protocol):
    """A reference of a record."""

    @property
    def field(self) -> str:
        """What the record holds it in."""
        ...

    @property
    def target(self) -> str:
        """The id that it points at."""
        ...


class Row(Protocol):
    """A record, as far as this floor must know one."""

    @property
    def id(self) -> str:
        """Unique among the records of its kind."""
        ...

    def references(self) -> Iterable[Link]:
        """What the record points at."""
        ...


R = TypeVar("R", bound=Row)
Bucket = tuple[type[Any], str, str]
"""All records of a kind that refer, in a field, to a target."""


class View(Protocol):
    """Reading access to records."""

    def get(self, kind: type[R], id: str) -> R | None:
        """The record of that kind and id, if there is one."""
        ...

    def find(self, kind: type[R], field: str, target: str) -> list[R]:
        """All records of that kind whose references hold `target` in `field`, sorted by id."""
        ...


class World:
    """A `View` that can be written."""

    def __init__(self, kinds: Iterable[type[Any]]) -> None:
        self._records: dict[type[Any], dict[str, Any]] = {kind: {} for kind in kinds}
        self._index: dict[Bucket, set[str]] = {}

    def get(self, kind: type[R], id: str) -> R | None:
        """The record of that kind and id, if there is one."""
        found: R | None = self._records[kind].get(id)
        return found

    def find(self, kind: type[R], field: str, target: str) -> list[R]:
        """All records of that kind whose references hold `target` in `field`, sorted by id."""
        records = self._records[kind]
        return [records[id] for id in sorted(self._index.get((kind, field, target), ()))]

    def replace(self, kind: type[Any], id: str, record: Row | None) -> Any:
        """Put a record in the place of the one of that id, or take it out with None; returns what stood there."""
        records = self._records[kind]
        old = records.get(id)
        if old is not None:
            for bucket in buckets(kind, old):
                self._leave(bucket, id)
        if record is None:
            records.pop(id, None)
            return old
        records[id] = record
        for link in record.references():
            self._index.setdefault((kind, link.field, link.target), set()).add(id)
        return old

    def _leave(self, bucket: Bucket, id: str) -> None:
        ids = self._index.get(bucket)
        if ids is not None:
            ids.discard(id)
            if not ids:
                del self._index[bucket]

    def all(self, kind: type[R]) -> Mapping[str, R]:
        """All records of a kind by id."""
        return self._records[kind]

    def __len__(self) -> int:
        return sum(map(len, self._records.values()))

    @property
    def indexed(self) -> int:
        """How many buckets of references are kept."""
        return len(self._index)


def buckets(kind: type[Any], record: Row) -> Iterator[Bucket]:
    """The buckets that a record stands in."""
    for link in record.references():
        yield kind, link.field, link.target
