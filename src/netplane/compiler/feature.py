"""What features share: how they say that a record makes no sense."""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from struct import error as PackError
from typing import TypeVar

from netplane.base.incremental import Item
from netplane.base.problem import Problem
from netplane.base.world import View
from netplane.model import Record, kind_of
from netplane.tables.schema import FieldType, Table

R = TypeVar("R", bound=Record)

Malformed = (ValueError, OverflowError, PackError)
"""What parsing and packing raise for values that no record should hold."""


def problem(record: Record, text: object) -> Problem:
    """A problem of a record."""
    return Problem(kind_of(record), record.id, str(text))


def feature(compile: Callable[[R, View], Iterable[Item]]) -> Callable[[R, View], Sequence[Item]]:
    """A feature whose malformed records come to nothing but a problem."""

    @wraps(compile)
    def checked(record: R, view: View) -> Sequence[Item]:
        try:
            found = compile(record, view)
            return found if found.__class__ is list else list(found)
        except Malformed as error:
            return [problem(record, error)]

    return checked


def bits_before(table: Table, field: str) -> int:
    """How many bits of an LPM table's key come before a field; `bits` itself is not counted."""
    return 8 * (table.key.offsets()[field] - FieldType.U32.size)
