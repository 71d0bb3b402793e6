"""Create, show, list, update, delete: the same for every kind."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from netplane.api.bodies import Wish, parse_create, parse_update, plural
from netplane.api.call import Answer, Call
from netplane.api.context import Context
from netplane.api.errors import in_use
from netplane.api.finding import Sought, find_all, find_page
from netplane.api.limits import check_limit
from netplane.api.policy import (
    allowed,
    check_create,
    check_update,
    never_seen,
    unseen,
    visible,
)
from netplane.api.preconditions import check_revision
from netplane.api.queries import (
    Query,
    has_view_filters,
    links,
    match_views,
    page,
    parse_query,
)
from netplane.api.rules import Rules, Services
from netplane.api.views import View, only, view
from netplane.api.writing import writing
from netplane.model import kind_of
from netplane.model.resource import Resource
from netplane.store import InUse, Reader, Store, Transaction


class Resources(NamedTuple):
    """The calls of one kind, on a store."""

    rules: Rules
    store: Store
    services: Services

    def create(self, call: Call) -> Answer:
        """POST: one resource or a list of them, all or none."""
        kind, create = self.rules.kind, self.rules.create
        assert create is not None, "what comes by itself has no such call"
        wishes, is_list = parse_create(kind, self.rules.filled, self.rules.further, call.body)
        with writing(self.store, call) as transaction:
            for wish in wishes:
                check_create(transaction, call.context, kind, wish)
            self._check_room(transaction, wishes)
            records = []
            for wish in wishes:
                records.append(create(transaction, call.context, self._fitted(wish)))
                transaction.send_some()
            for project in {record.project_id for record in records}:
                check_limit(transaction, self.services.limits, kind, project)
            views = self._views(transaction.reader, call.context, records)
        body = {plural(kind): views} if is_list else {kind_of(kind): views[0]}
        return Answer(201, body, transaction.revision)

    def show(self, call: Call, id: str) -> Answer:
        """GET of one."""
        fields = frozenset(value for name, value in call.query if name == "fields")
        with self.store.read() as reader:
            self.foresee(reader, id)
            record = visible(reader, call.context, self.rules.kind, id)
            shown = self._views(reader, call.context, [record])[0]
        return Answer(200, {kind_of(self.rules.kind): only(shown, fields)})

    def foresee(self, reader: Reader, id: str) -> None:
        """What `show` will ask."""
        reader.look_ahead(self.rules.kind, id, self.rules.ahead)

    def list(self, call: Call) -> Answer:
        """GET of many."""
        kind = self.rules.kind
        extras = frozenset(extra.name for extra in self.rules.extras)
        query = parse_query(kind, call.query, extras, never_seen(call.context, kind))
        self._prepare_list(call.context)
        with self.store.read() as reader:
            views = self._page(reader, call.context, query)
        ids = [shown["id"] for shown in views]
        body = {plural(kind): [only(shown, query.fields) for shown in views]}
        return Answer(200, body | links(kind, query, call.query, call.url, ids))

    def update(self, call: Call, id: str) -> Answer:
        """PUT."""
        kind = self.rules.kind
        wish = parse_update(kind, self.rules.further, call.body)
        with self.changing(call, id, "update") as (transaction, before):
            check_update(transaction, call.context, before, wish)
            after = self.rules.update(transaction, call.context, before, self._fitted(wish, before))
            shown = self._views(transaction.reader, call.context, [after])[0]
        return Answer(200, {kind_of(kind): shown}, transaction.revision)

    def delete(self, call: Call, id: str) -> Answer:
        """DELETE."""
        with self.changing(call, id, "delete") as (transaction, record):
            try:
                self.rules.delete(transaction, call.context, record)
            except InUse as error:
                raise in_use(self.rules.kind, id, error) from error
        return Answer(204, None, transaction.revision)

    def act(self, call: Call, id: str, action: str) -> Answer:
        """PUT of an action."""
        with self.changing(call, id, action) as (transaction, record):
            shown = self.rules.actions[action](transaction, call.context, record, call.body)
        return Answer(200, shown, transaction.revision)

    def _check_room(self, transaction: Transaction, wishes: Sequence[Wish]) -> None:
        """409 for a list that cannot fit, before the work that it takes; one resource is soon made and then counted."""
        if len(wishes) > 1:
            for project, more in Counter(wish["project_id"] for wish in wishes).items():
                check_limit(transaction, self.services.limits, self.rules.kind, project, more)

    def _fitted(self, wish: Wish, before: Resource | None = None) -> Wish:
        return wish if self.rules.fit is None else self.rules.fit(self.services, wish, before)

    def ask(self, call: Call, id: str, question: str) -> Answer:
        """GET of a question."""
        with self.store.read() as reader:
            record = allowed(reader, call.context, question, self.rules.kind, id)
            return Answer(200, self.rules.questions[question](reader, record))

    def seen(self, call: Call, id: str) -> Resource:
        """The resource with this id; 404 if there is none for this caller."""
        with self.store.read() as reader:
            return visible(reader, call.context, self.rules.kind, id)

    @contextmanager
    def changing(self, call: Call, id: str, action: str) -> Iterator[tuple[Transaction, Resource]]:
        """A transaction, and in it the resource to which a call may do an action, and shall."""
        with writing(self.store, call) as transaction:
            record = allowed(transaction, call.context, action, self.rules.kind, id)
            check_revision(call.if_match, record)
            yield transaction, record

    def _views(self, reader: Reader, context: Context, records: Sequence[Resource]) -> Sequence[View]:
        extras = self.rules.show(reader, self.services, context, records)
        shown = [view(record, context) | more for record, more in zip(records, extras, strict=True)]
        for record, one in zip(records, shown, strict=True):
            for name in unseen(context, record):
                one.pop(name, None)
        return shown

    def _prepare_list(self, context: Context) -> None:
        rules = self.rules
        if rules.before_list is None or rules.is_ready is None:
            return
        with self.store.read() as reader:
            is_ready = rules.is_ready(reader, context)
        if not is_ready:
            with self.store.write(context.actor, context.request) as transaction:
                rules.before_list(transaction, context)

    def _page(self, reader: Reader, context: Context, query: Query) -> Sequence[View]:
        """Filters on records come first, then those that need views, then paging, then the views that are shown."""
        kind = self.rules.kind
        sought = Sought(kind, self.rules.indexed, context, query)
        let_through = partial(self._let_through, reader, context, query)
        if query.is_forward and "id" not in query.filters:
            return self._views(reader, context, find_page(reader, sought, let_through))
        records = [*let_through(find_all(reader, sought))]
        return self._views(reader, context, page(kind, query, records))

    def _let_through(
        self, reader: Reader, context: Context, query: Query, records: Sequence[Resource]
    ) -> Sequence[Resource]:
        """The records that pass the filters on what only their views have."""
        if not has_view_filters(self.rules.kind, query):
            return records
        matching = match_views(self.rules.kind, query, self._views(reader, context, records))
        ids = {shown["id"] for shown in matching}
        return [record for record in records if record.id in ids]


Handler = Callable[..., Answer]
