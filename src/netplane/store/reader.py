"""Reading records: one consistent view, as of the moment it was opened."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar, cast

from sqlalchemy import Connection, bindparam, func, select, text, tuple_

from netplane.model import Record, kind_of
from netplane.model.resource import project_of
from netplane.store.audit import Line, Sought, read_audit
from netplane.store.codec import decode, decode_all
from netplane.store.distance import is_distant
from netplane.store.past import Past, read_past
from netplane.store.prepared import Prepared, Several, together
from netplane.store.reports import READ_SOME, Report, read_bodies, read_reports
from netplane.store.schema import CHANGE, CLAIM, LOG, REFERENCE, RESOURCE, TALLY

T = TypeVar("T", bound=Record)
V = TypeVar("V")
Records = list[V]
"""Spelled so, since readers have a method called `list`."""

VALUE = "="
"""What begins the target of a row of `reference` that is no record's id but what a record is found by."""

SOME = 500
"""Claimed values that are read at once."""

# Whoever asks for referrers has them in the order of references: by the order of records, which is the same, SQLite
# would go through all of their kind.
_REFERRERS = RESOURCE.join(REFERENCE, (RESOURCE.c.id == REFERENCE.c.source) & (RESOURCE.c.kind == REFERENCE.c.kind))
_REFERRING = (REFERENCE.c.kind == bindparam("kind")) & (REFERENCE.c.field == bindparam("field"))

REFERRING_PAGE = Prepared(
    select(RESOURCE.c.body)
    .select_from(_REFERRERS)
    .where(_REFERRING, REFERENCE.c.target == bindparam("target"), REFERENCE.c.source > bindparam("after"))
    .order_by(REFERENCE.c.source)
    .limit(bindparam("count"))
)
GET = Prepared(select(RESOURCE.c.body).where(RESOURCE.c.id == bindparam("id"), RESOURCE.c.kind == bindparam("kind")))
FIND = Prepared(
    select(RESOURCE.c.body)
    .select_from(_REFERRERS)
    .where(_REFERRING, REFERENCE.c.target == bindparam("target"))
    .order_by(REFERENCE.c.source)
)
_LIST = select(RESOURCE.c.body).where(RESOURCE.c.kind == bindparam("kind")).order_by(RESOURCE.c.id)
_LIST_PROJECT = _LIST.where(RESOURCE.c.project == bindparam("project"))
LIST = Prepared(_LIST)
LIST_PROJECT = Prepared(_LIST_PROJECT)
HOLDER = Prepared(select(CLAIM.c.owner).where(CLAIM.c.space == bindparam("space"), CLAIM.c.value == bindparam("value")))
CLAIMED = Prepared(select(CLAIM.c.value).where(CLAIM.c.space == bindparam("space")).order_by(CLAIM.c.value))
CLAIMED_FROM = Prepared(
    select(CLAIM.c.value)
    .where(CLAIM.c.space == bindparam("space"), CLAIM.c.value >= bindparam("first"))
    .order_by(CLAIM.c.value)
    .limit(SOME)
)
CLAIMED_BEFORE = Prepared(
    select(CLAIM.c.value)
    .where(CLAIM.c.space == bindparam("space"), CLAIM.c.value < bindparam("end"))
    .order_by(CLAIM.c.value.desc())
    .limit(1)
)
CLAIMED_UNTIL = Prepared(
    select(CLAIM.c.value)
    .where(CLAIM.c.space == bindparam("space"), CLAIM.c.value < bindparam("end"))
    .order_by(CLAIM.c.value.desc())
    .limit(bindparam("count"))
)
COUNTS = Several(CLAIM.c.space, select(CLAIM.c.space, func.count()).group_by(CLAIM.c.space))
PAGE = Prepared(_LIST.where(RESOURCE.c.id > bindparam("after")).limit(bindparam("count")))
# In the order in which they are stored: by the index by kind, which the sum hides, each would be looked up by itself.
WALK = Several(
    RESOURCE.c.kind + "",
    select(RESOURCE.c.body)
    .where(tuple_(RESOURCE.c.id, RESOURCE.c.kind) > tuple_(bindparam("id"), bindparam("kind")))
    .order_by(RESOURCE.c.id, RESOURCE.c.kind)
    .limit(bindparam("count")),
)
STRIDE = 2_000
"""Records that are read at once on a walk over all there are."""
PAGE_PROJECT = Prepared(_LIST_PROJECT.where(RESOURCE.c.id > bindparam("after")).limit(bindparam("count")))
_REFERRER = select(REFERENCE.c.kind, REFERENCE.c.source, REFERENCE.c.field).where(
    REFERENCE.c.target == bindparam("target")
)
# In the order of its index; any other first one PostgreSQL would rather look for among all references.
HOLDING = Prepared(
    _REFERRER.where(
        ~REFERENCE.c.cascade,
        tuple_(REFERENCE.c.kind, REFERENCE.c.field) > tuple_(bindparam("kind"), bindparam("field")),
    )
    .order_by(REFERENCE.c.kind, REFERENCE.c.field, REFERENCE.c.source)
    .limit(1)
)
FOLLOWING = Prepared(_REFERRER.where(REFERENCE.c.cascade))
ANY_REFERRER = Prepared(select(_REFERRER.where(_REFERRING).exists()))
USED = Prepared(select(TALLY.c.kind, TALLY.c.used).where(TALLY.c.project == bindparam("project")))
REVISION = Prepared(select(LOG.c.revision))
FIRST = Prepared(select(func.min(CHANGE.c.revision)))
TAKEN = Several(CLAIM.c.value, select(CLAIM.c.value).where(CLAIM.c.space == bindparam("space")))
# Of a list PostgreSQL would go through all that is claimed in the space, with each compared with all of the list; it
# cannot look otherwise than by the index for what it asks one by one.
TAKEN_FAR = Prepared(
    text(
        "SELECT asked.value FROM unnest(CAST(:asked AS VARCHAR[])) AS asked (value) WHERE (SELECT true FROM claim"
        ' WHERE claim.space = CAST(:space AS VARCHAR) AND claim.value = asked.value COLLATE "C" LIMIT 1)'
    )
)
GROUP = Several(
    REFERENCE.c.target,
    select(REFERENCE.c.target, RESOURCE.c.body).select_from(_REFERRERS).where(_REFERRING).order_by(REFERENCE.c.source),
)
BY_ID = Several(RESOURCE.c.id, select(RESOURCE.c.body).where(RESOURCE.c.kind == bindparam("kind")))
PRESENT = Several(RESOURCE.c.id, select(RESOURCE.c.kind, RESOURCE.c.id))


class Ahead(NamedTuple):
    """What is asked about each record of a kind when it is shown."""

    reports: tuple[str, ...] = ()
    """Kinds of reports."""
    referring: tuple[tuple[type[Record], str], ...] = ()
    """Kinds that refer to it, and by which field."""


class Reader:
    """Look-ups on one connection."""

    def __init__(self, connection: Connection, lone: Collection[str] = ()) -> None:
        """`lone` are ids that are known to be in no reference and in no report: they are not asked for."""
        self._connection = connection
        self._lone = lone

    @property
    def revision(self) -> int:
        """The last revision in this view; 0 before the first change."""
        return int(REVISION.first(self._connection, {}))

    @property
    def kept(self) -> tuple[int, int]:
        """The first revision that the change log still has, and the last; the first is one more if it has none."""
        last = self.revision
        first = FIRST.first(self._connection, {})
        return (last + 1 if first is None else int(first)), last

    def get(self, kind: type[T], id: str) -> T | None:
        """The record with this id, or None."""
        body = GET.first(self._connection, {"id": id, "kind": kind_of(kind)})
        return None if body is None else cast(T, decode(body))

    def look_ahead(self, kind: type[Record], id: str, ahead: "Ahead") -> None:
        """A record will be asked for, and more about it: a distant database answers all of it at once."""
        connection = self._connection
        if not is_distant(connection):
            return
        with together(connection):
            GET.expect(connection, {"id": id, "kind": kind_of(kind)})
            for report in ahead.reports:
                READ_SOME.expect(connection, id, {"kind": report})
            for referring, field in ahead.referring:
                GROUP.expect(connection, id, {"kind": kind_of(referring), "field": field})

    def find(self, kind: type[T], field: str, target: str) -> Records[T]:
        """The records of a kind that refer to `target` by `field`, by id."""
        values = {"kind": kind_of(kind), "field": field, "target": target}
        return [cast(T, decode(body)) for body in FIND.column(self._connection, values)]

    def group(self, kind: type[T], field: str, targets: Iterable[str]) -> dict[str, Records[T]]:
        """As `find` for many targets at once; a target that nothing refers to has an empty list."""
        found: dict[str, Records[T]] = {target: [] for target in targets}
        values = {"kind": kind_of(kind), "field": field}
        for target, body in GROUP.rows(self._connection, self._met(found), values):
            found[target].append(cast(T, decode(body)))
        return found

    def list(self, kind: type[T], project: str | None = None, ids: Collection[str] | None = None) -> Records[T]:
        """The records of a kind, by id: all, of one project, with these ids, or both."""
        if ids is not None:
            return [record for record in self._by_id(kind, ids) if project is None or project_of(record) == project]
        values: dict[str, Any] = {"kind": kind_of(kind)}
        if project is None:
            return self._records(LIST, values)
        return self._records(LIST_PROJECT, values | {"project": project})

    def walk(self, kinds: Collection[type[Record]]) -> Iterator[Record]:
        """All records of some kinds, one by one, read in pieces: of SQLite in the order in which they are stored."""
        if is_distant(self._connection):
            # With statistics PostgreSQL would begin anew for each piece of a walk over all kinds.
            for kind in kinds:
                yield from self._walk_kind(kind)
            return
        names, values = [kind_of(kind) for kind in kinds], {"id": "", "kind": "", "count": STRIDE}
        while found := decode_all([body for (body,) in WALK.rows(self._connection, names, values)]):
            yield from found
            values |= {"id": found[-1].id, "kind": kind_of(found[-1])}

    def _walk_kind(self, kind: type[T]) -> Iterator[T]:
        after = ""
        while found := self.page(kind, after, STRIDE):
            yield from found
            after = found[-1].id

    def past(self, kinds: Collection[type[Record]]) -> Past:
        """How the records of some kinds were a short while ago."""
        return read_past(self._connection, self.revision, {kind_of(kind) for kind in kinds})

    def page(self, kind: type[T], after: str, count: int, project: str | None = None) -> Records[T]:
        """The first `count` records of a kind whose ids follow one, by id: of all, or of one project."""
        values: dict[str, Any] = {"kind": kind_of(kind), "after": after, "count": count}
        if project is None:
            return self._records(PAGE, values)
        return self._records(PAGE_PROJECT, values | {"project": project})

    def referring(self, kind: type[T], field: str, target: str, after: str, count: int) -> Records[T]:
        """The first `count` of those that `find` gives whose ids follow one; what precedes them costs nothing."""
        values = {"kind": kind_of(kind), "field": field, "target": target, "after": after, "count": count}
        return self._records(REFERRING_PAGE, values)

    def holder(self, space: str, value: str) -> str | None:
        """The id of the record that claims a value, or None."""
        return cast("str | None", HOLDER.first(self._connection, {"space": space, "value": value}))

    def claimed(self, space: str) -> Records[str]:
        """All values that are claimed in a space, in order."""
        return [str(value) for value in CLAIMED.column(self._connection, {"space": space})]

    def claimed_from(self, space: str, first: str) -> Records[str]:
        """The first `SOME` values that are claimed in a space, of those that do not sort before one, in order."""
        return [str(value) for value in CLAIMED_FROM.column(self._connection, {"space": space, "first": first})]

    def claimed_until(self, space: str, end: str, count: int) -> Records[str]:
        """The last `count` values that are claimed in a space, of those that sort before one, in order."""
        values = {"space": space, "end": end, "count": count}
        return [str(value) for value in reversed(CLAIMED_UNTIL.column(self._connection, values))]

    def claimed_before(self, space: str, end: str) -> str | None:
        """The last value that is claimed in a space of those that sort before one, or None."""
        return cast("str | None", CLAIMED_BEFORE.first(self._connection, {"space": space, "end": end}))

    def counts(self, spaces: Iterable[str]) -> dict[str, int]:
        """How many values are claimed in each of some spaces."""
        found = dict.fromkeys(spaces, 0)
        return found | dict(COUNTS.rows(self._connection, list(found), {}))

    def taken(self, space: str, values: Sequence[str]) -> set[str]:
        """Which of some values are claimed."""
        if is_distant(self._connection):
            return {str(value) for value in TAKEN_FAR.column(self._connection, {"space": space, "asked": [*values]})}
        return {value for (value,) in TAKEN.rows(self._connection, values, {"space": space})}

    def present(self, ids: Iterable[str]) -> set[tuple[str, str]]:
        """Kinds and ids of the records that have one of these ids."""
        return {(kind, id) for kind, id in PRESENT.rows(self._connection, list(ids), {})}

    def audit(self, sought: Sought, limit: int) -> Records[Line]:
        """Up to `limit` lines of the change log, the youngest first."""
        return read_audit(self._connection, sought, limit)

    def held_by(self, target: str, kind: str = "", field: str = "") -> tuple[str, str, str] | None:
        """(kind, id, field) of a record that holds back what has this id, whatever that is; None if there is none.

        Of those that do it in one way (kind and field), one; `kind` and `field` are the way that was found before.
        """
        rows = HOLDING.rows(self._connection, {"target": target, "kind": kind, "field": field})
        return cast("tuple[str, str, str]", tuple(rows[0])) if rows else None

    def followers(self, target: str) -> Records[tuple[str, str]]:
        """(kind, id) of the records that go with what has this id, whatever that is."""
        return [(kind, id) for kind, id, _field in FOLLOWING.rows(self._connection, {"target": target})]

    def is_referred(self, kind: type[Record], field: str, target: str) -> bool:
        """Whether any record of a kind refers to `target` by `field`."""
        return bool(ANY_REFERRER.first(self._connection, {"kind": kind_of(kind), "field": field, "target": target}))

    def used(self, project: str) -> dict[str, int]:
        """How many resources a project has, by kind; a kind that it never had is not there."""
        return {str(kind): int(used) for kind, used in USED.rows(self._connection, {"project": project})}

    def reports(self, kind: str, ids: Collection[str] | None = None) -> dict[str, Report]:
        """The latest reports of a kind by the id of what they are about: all, or of these."""
        return read_reports(self._connection, kind, ids if ids is None else self._met(ids))

    def said(self, kind: str) -> dict[str, Any]:
        """What every report of a kind says, by the id of what it is about."""
        return read_bodies(self._connection, kind)

    def _met(self, ids: Iterable[str]) -> Records[str]:
        return [id for id in ids if id not in self._lone]

    def _by_id(self, kind: type[T], ids: Collection[str]) -> Records[T]:
        rows = BY_ID.rows(self._connection, sorted(set(ids)), {"kind": kind_of(kind)})
        return sorted((cast(T, decode(body)) for (body,) in rows), key=_id)

    def _records(self, statement: Prepared, values: dict[str, Any]) -> Records[Any]:
        return decode_all(statement.column(self._connection, values))


def _id(record: Record) -> str:
    return record.id
