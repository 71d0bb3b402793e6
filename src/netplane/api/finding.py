"""Which resources a list is made of: seen by the caller, let through by the filters, and read by the narrowest way.

A page in the order of ids, which is how clients walk through long lists, costs what is on it: what comes before it is
not read, and of what follows no more than it takes to fill it.
"""

from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
from typing import NamedTuple

from netplane.api.context import Context
from netplane.api.policy import sees, sees_all, sees_own, sees_shared, unseen, visible
from netplane.api.policy.sharing import of_others
from netplane.api.queries import Query, match_records, order
from netplane.model.resource import Resource
from netplane.store import Reader
from netplane.store.reader import VALUE

GROWTH = 8
"""How much more is read next where filters let few through: a handful of reads must do even if it takes all records."""

Following = Callable[[str, int], Sequence[Resource]]
"""So many records at most, whose ids follow one, in the order of ids."""

LetThrough = Callable[[Sequence[Resource]], Sequence[Resource]]
"""Those of some records that pass filters which records alone do not answer."""


class Sought(NamedTuple):
    """What a caller looks for."""

    kind: type[Resource]
    indexed: tuple[str, ...]
    """Fields that always refer to a record: filters on them need not read the others."""
    context: Context
    query: Query


def find_all(reader: Reader, sought: Sought) -> list[Resource]:
    """All that a caller sees and filters on records let through, in the order that was asked for."""
    return order(sought.query, _matching(sought, _candidates(reader, sought)))


def find_page(reader: Reader, sought: Sought, let_through: LetThrough) -> list[Resource]:
    """The page of it that a query asks for that `is_forward`, of what further filters let through."""
    kind, context, query = sought.kind, sought.context, sought.query
    if query.marker is not None:
        visible(reader, context, kind, query.marker)
    after, count = query.marker or "", query.limit or 0
    following, found = _source(reader, sought)
    found = [*let_through(_matching(sought, [record for record in found if record.id > after]))]
    size, left = count, count
    while left > 0:
        batch = following(after, size)
        seen = batch if sees_all(context, kind) else [record for record in batch if sees(reader, context, record)]
        matching = let_through(_matching(sought, seen))
        found += matching
        if len(batch) < size:
            break
        after, left, size = batch[-1].id, left - len(matching), size * GROWTH
    return sorted(found, key=attrgetter("id"))[:count]


def _matching(sought: Sought, records: Sequence[Resource]) -> list[Resource]:
    """Those that filters on records let through, and of which the caller sees what it filters by."""
    found = match_records(sought.kind, sought.query, records)
    asked = sought.query.filters.keys()
    return [record for record in found if asked.isdisjoint(unseen(sought.context, record))] if asked else found


def _source(reader: Reader, sought: Sought) -> tuple[Following, list[Resource]]:
    """Where records can be read from in their order, and what is seen besides."""
    kind, context = sought.kind, sought.context
    field, targets = _narrow(sought)
    if len(targets) == 1:
        return partial(reader.referring, kind, field, targets[0]), []
    if sees_all(context, kind):
        owners = _owners(sought.query)
        return partial(_page, reader, kind, owners[0] if len(owners) == 1 else None), []
    lent = _lent(reader, sought)
    return (partial(_page, reader, kind, context.project), lent) if sees_own(context, kind) else (_nothing, lent)


def _narrow(sought: Sought) -> tuple[str, list[str]]:
    """A field whose filter spares reading the rest, and what the store finds there; nothing if there is none."""
    filters = sought.query.filters
    for field in sought.indexed:
        if values := filters.get(field):
            return field, values
    for field in sought.kind.found_by:
        if (values := filters.get(field)) and all(values):
            return field, [VALUE + value for value in values]
    return "", []


def _page(reader: Reader, kind: type[Resource], project: str | None, after: str, count: int) -> Sequence[Resource]:
    return reader.page(kind, after, count, project)


def _nothing(_after: str, _count: int) -> Sequence[Resource]:
    return ()


def _candidates(reader: Reader, sought: Sought) -> Sequence[Resource]:
    kind, _indexed, context, query = sought
    field, targets = _narrow(sought)
    if "id" in query.filters:
        return [record for record in reader.list(kind, None, query.filters["id"]) if sees(reader, context, record)]
    if targets:
        found = reader.group(kind, field, targets)
        return [record for records in found.values() for record in records if sees(reader, context, record)]
    if sees_all(context, kind):
        owners = _owners(query)
        return reader.list(kind, owners[0] if len(owners) == 1 else None)
    own = reader.list(kind, context.project) if sees_own(context, kind) else []
    return [*own, *_lent(reader, sought)]


def _owners(query: Query) -> Sequence[str]:
    return query.filters.get("project_id", query.filters.get("tenant_id", []))


def _lent(reader: Reader, sought: Sought) -> list[Resource]:
    kind, context = sought.kind, sought.context
    return list(of_others(reader, context, kind)) if sees_shared(context, kind) else []
