"""Kinds that are worked out when somebody asks: listed, filtered and paged as those that are stored.

They belong to no project. Some can be written too: what comes of it is theirs to say.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from netplane.api.bodies import Wish, parse_create, parse_update, plural
from netplane.api.call import Answer, Call
from netplane.api.context import Context
from netplane.api.errors import bad_request, not_found
from netplane.api.policy import check_everywhere, never_seen
from netplane.api.queries import links, match_records, order, page, parse_query
from netplane.api.views import View, only, view
from netplane.api.writing import writing
from netplane.model import Record, kind_of
from netplane.store import Reader, Store, Transaction

Filters = Mapping[str, Sequence[str]]


class Writing(NamedTuple):
    """How one is made, changed and deleted."""

    create: Callable[[Transaction, Context, Wish], Any]
    update: Callable[[Transaction, Context, Any, Wish], Any]
    delete: Callable[[Transaction, Context, Any], None]
    filled: frozenset[str] = frozenset()
    """Required fields that `create` does without."""


class Rules(NamedTuple):
    """One kind."""

    kind: type[Record]
    compute: Callable[[Reader, Context, Filters], Sequence[Any]]
    """All that the caller may see; filters are met again later, and only may make it less work."""
    further: frozenset[str] = frozenset()
    """Filters that are no fields, which `compute` alone knows."""
    show: Callable[[Reader, Context, str], Any] | None = None
    """The one with an id, or None; None in its place if there is no such call."""
    writing: Writing | None = None
    """None for what can only be read; needs `show`."""


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
        fields = frozenset(value for name, value in call.query if name == "fields")
        with self.store.read() as reader:
            record = self._found(reader, call.context, id)
        return Answer(200, {kind_of(self.rules.kind): only(self._view(record, call.context), fields)})

    def create(self, call: Call) -> Answer:
        """POST: one or a list of them, all or none."""
        kind, ways = self.rules.kind, self._writing
        wishes, is_list = parse_create(kind, ways.filled, (), call.body)
        check_everywhere(call.context, kind, "create")
        with writing(self.store, call) as transaction:
            made = [ways.create(transaction, call.context, wish) for wish in wishes]
        views = [self._view(record, call.context) for record in made]
        return Answer(201, {plural(kind): views} if is_list else {kind_of(kind): views[0]}, transaction.revision)

    def update(self, call: Call, id: str) -> Answer:
        """PUT."""
        kind, ways = self.rules.kind, self._writing
        wish = parse_update(kind, (), call.body)
        with writing(self.store, call) as transaction:
            before = self._found(transaction.reader, call.context, id)
            check_everywhere(call.context, kind, "update")
            after = ways.update(transaction, call.context, before, wish)
        return Answer(200, {kind_of(kind): self._view(after, call.context)}, transaction.revision)

    def delete(self, call: Call, id: str) -> Answer:
        """DELETE."""
        with writing(self.store, call) as transaction:
            record = self._found(transaction.reader, call.context, id)
            check_everywhere(call.context, self.rules.kind, "delete")
            self._writing.delete(transaction, call.context, record)
        return Answer(204, None, transaction.revision)

    @property
    def _writing(self) -> Writing:
        assert self.rules.writing is not None, "there is no such call"
        return self.rules.writing

    def _found(self, reader: Reader, context: Context, id: str) -> Record:
        """The one with an id; 404 if there is none for this caller."""
        assert self.rules.show is not None, "there is no such call"
        record: Record | None = self.rules.show(reader, context, id)
        if record is None:
            raise not_found(self.rules.kind, id)
        return record

    def _view(self, record: Record, context: Context) -> View:
        return view(record, context)
