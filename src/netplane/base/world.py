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
Index = dict[str, set[str]]
"""The ids of the records of a kind by what one field of them refers to."""


class View(Protocol):
    """Reading access to records."""

    def get(self, kind: type[R], id: str) -> R | None:
        """The record of that kind and id, if there is one."""
        ...

    def find(self, kind: type[R], field: str, target: str) -> list[R]:
        """All records of that kind whose references hold `target` in `field`, sorted by id."""
        ...


class World:
    """A `View` that can be written. What records refer to is indexed from the first time that somebody asks for it."""

    def __init__(self, kinds: Iterable[type[Any]]) -> None:
        self.records: dict[type[Any], dict[str, Any]] = {kind: {} for kind in kinds}
        """By kind and id, to be read only."""
        self._indexes: dict[type[Any], dict[str, Index]] = {kind: {} for kind in self.records}

    def get(self, kind: type[R], id: str) -> R | None:
        """The record of that kind and id, if there is one."""
        found: R | None = self.records[kind].get(id)
        return found

    def find(self, kind: type[R], field: str, target: str) -> list[R]:
        """All records of that kind whose references hold `target` in `field`, sorted by id."""
        index = self._indexes[kind].get(field)
        if index is None:
            index = self._index(kind, field)
        ids = index.get(target)
        if ids is None:
            return []
        records = self.records[kind]
        return [records[id] for id in (sorted(ids) if len(ids) > 1 else ids)]

    def replace(self, kind: type[Any], id: str, record: Row | None) -> Any:
        """Put a record in the place of the one of that id, or take it out with None; returns what stood there."""
        records, indexes = self.records[kind], self._indexes[kind]
        old = records.get(id)
        if old is not None and indexes:
            for link in old.references():
                _leave(indexes.get(link.field), link.target, id)
        if record is None:
            records.pop(id, None)
            return old
        records[id] = record
        if indexes:
            for link in record.references():
                if link.field in indexes:
                    indexes[link.field].setdefault(link.target, set()).add(id)
        return old

    def fill(self, kind: type[Any], records: Mapping[str, Row]) -> bool:
        """Put in records, by id, of a kind that none is there of; False, and nothing is done, if some are."""
        if self.records[kind]:
            return False
        self.records[kind].update(records)
        self._indexes[kind].clear()
        return True

    def _index(self, kind: type[Any], field: str) -> Index:
        index = self._indexes[kind][field] = {}
        for id, record in self.records[kind].items():
            for link in record.references():
                if link.field == field:
                    index.setdefault(link.target, set()).add(id)
        return index

    def all(self, kind: type[R]) -> Mapping[str, R]:
        """All records of a kind by id."""
        return self.records[kind]

    def __len__(self) -> int:
        return sum(map(len, self.records.values()))

    @property
    def indexed(self) -> int:
        """How many buckets of references are kept."""
        return sum(len(index) for indexes in self._indexes.values() for index in indexes.values())


def _leave(index: Index | None, target: str, id: str) -> None:
    ids = index.get(target) if index is not None else None
    if index is not None and ids is not None:
        ids.discard(id)
        if not ids:
            del index[target]


def buckets(kind: type[Any], record: Row) -> Iterator[Bucket]:
    """The buckets that a record stands in."""
    for link in record.references():
        yield kind, link.field, link.target
