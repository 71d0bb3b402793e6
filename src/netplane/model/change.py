"""A change: one record written or deleted, at a position in the log."""

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
