"""Kinds that are worked out when somebody asks: listed, filtered and paged as those that are stored."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from netplane.api.bodies import plural
from netplane.api.call import Answer, Call
from netplane.api.context import Context
from netplane.api.errors import bad_request, not_found
from netplane.api.policy import never_seen
from netplane.api.queries import links, match_records, order, page, parse_query
from netplane.api.views import View, only, view
from netplane.model import Record, kind_of
from netplane.store import Reader, Store

Filters = Mapping[str, Sequence[str]]


class Rules(NamedTuple):
    """One kind."""

    kind: type[Record]
    compute: Callable[[Reader, Context, Filters], Sequence[Any]]
    """All that the caller may see; filters are met again later, and only may make it less work."""
    further: frozenset[str] = frozenset()
    """Filters that are no fields, which `compute` alone knows."""
    show: Callable[[Reader, Context, str], Any] | None = None
    """The one with an id, or None; None in its place if there is no such call."""


class Computed(NamedTuple):
    """The calls of one kind, on a store."""

    rules: Rules
    store: Store

    def list(self, call: Call) -> Answer:
        """GET of many."""
        kind = self.rules.kind
        query = parse_query(kind, call.query, self.rules.further, never_seen(call.context, kind))
        if query.tests:
            raise bad_request(f"{[name for name, _ in query.tests]} is invalid attribute for filtering")
        with self.store.read() as reader:
            records = self.rules.compute(reader, call.context, query.filters)
        found = page(kind, query, order(query, match_records(kind, query, records)))
        views = [only(self._view(record, call.context), query.fields) for record in found]
        ids = [str(record.id) for record in found]
        return Answer(200, {plural(kind): views} | links(kind, query, call.query, call.url, ids))

    def show(self, call: Call, id: str) -> Answer:
        """GET of one."""
        assert self.rules.show is not None, "there is no such call"
        fields = frozenset(value for name, value in call.query if name == "fields")
        with self.store.read() as reader:
            record = self.rules.show(reader, call.context, id)
        if record is None:
            raise not_found(self.rules.kind, id)
        return Answer(200, {kind_of(self.rules.kind): only(self._view(record, call.context), fields)})

    def _view(self, record: Record, context: Context) -> View:
        return view(record, context)
