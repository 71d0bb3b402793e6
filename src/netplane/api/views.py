"""Records as clients see them."""

from collections.abc import Callable, Collection
from functools import cache
from operator import attrgetter
from typing import Any

from netplane.api.context import Context
from netplane.api.fields import fields_of
from netplane.api.policy import unseen
from netplane.model import Record

View = dict[str, Any]


@cache
def _shown(kind: type[Record], hidden: frozenset[str]) -> tuple[tuple[str, ...], Callable[[Record], tuple[Any, ...]]]:
    """What clients call the fields that are shown, and what reads them all."""
    fields = {field.wire: field.name for field in fields_of(kind) if field.wire not in hidden}
    if "project_id" in fields:
        fields["tenant_id"] = "project_id"
    return tuple(fields), attrgetter(*fields.values())


def view(record: Record, context: Context) -> View:
    """All of a record that a caller sees, by the names that clients use."""
    names, read = _shown(type(record), unseen(context, record))
    return dict(zip(names, read(record), strict=True))


def only(shown: View, fields: Collection[str]) -> View:
    """Those fields of a view that were asked for; all if none were."""
    return {name: value for name, value in shown.items() if name in fields} if fields else shown
