"""A change: one record written or deleted, at a position in the log; or many at once, where there were none."""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from netplane.model.record import Record


class Operation(Enum):
    """What happened to a record."""

    UPSERT = "upsert"
    DELETE = "delete"


class Change(NamedTuple):
    """An upsert carries the record; a delete carries None."""

    revision: int
    operation: Operation
    kind: str
    id: str
    record: Record | None


class Filled(NamedTuple):
    """All records of a kind, of which there were none before: what would else be an upsert of each."""

    revision: int
    kind: str
    records: Mapping[str, Record]
    """By id; they stay as they are."""


News = Change | Filled
"""What has happened to one record, or to all of a kind."""


def one_by_one(news: Iterable[News]) -> Iterator[Change]:
    """The same as changes of single records."""
    for each in news:
        if isinstance(each, Filled):
            revision, kind, records = each
            for id, record in records.items():
                yield Change(revision, Operation.UPSERT, kind, id, record)
        else:
            yield each
