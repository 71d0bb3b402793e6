"""Records as clients see them."""

from collections.abc import Collection
from functools import cache
from typing import Any

from netplane.api.context import Context
from netplane.api.fields import fields_of
from netplane.api.policy import unseen
from netplane.model import Record

View = dict[str, Any]


@cache
def _shown(kind: type[Record], hidden: frozenset[str]) -> tuple[tuple[str, str], ...]:
    fields = [(field.wire, field.name) for field in fields_of(kind) if field.wire not in hidden]
    return tuple(fields) if all(wire != "project_id" for wire, _ in fields) else (*fields, ("tenant_id", "project_id"))


def view(record: Record, context: Context) -> View:
    """All of a record that a caller sees, by the names that clients use."""
    return {wire: getattr(record, name) for wire, name in _shown(type(record), unseen(context, record))}


def only(shown: View, fields: Collection[str]) -> View:
    """Those fields of a view that were asked for; all if none were."""
    return {name: value for name, value in shown.items() if name in fields} if fields else shown
