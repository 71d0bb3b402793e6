"""What a resource has of its own and clients see by itself: `/v2.0/{collection}/{id}/{parts}` and what is below.

Parts have no ids: each is found by one of its fields, such as the host of a port's binding.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from netplane.api.call import Answer, Call
from netplane.api.errors import ApiError, bad_request
from netplane.api.policy import allowed
from netplane.api.views import View, only
from netplane.store import Reader, Transaction

if TYPE_CHECKING:
    from netplane.api.resources import Resources


class Parts(NamedTuple):
    """The parts of one sort."""

    plural: str
    singular: str
    key: str
    """The field that tells them apart."""
    seen_by: str
    """The line of the policy about seeing them."""
    changed_by: str
    missing: Callable[[Any, str], ApiError]
    """What is said of one that is not there."""
    list: Callable[[Reader, Any], list[View]]
    create: Callable[[Transaction, Any, bytes], View]
    update: Callable[[Transaction, Any, str, bytes], View] | None
    """None for what says nothing but that it is there."""
    delete: Callable[[Transaction, Any, str], None]
    actions: Mapping[str, Callable[[Transaction, Any, str], View]]


def list_parts(calls: "Resources", parts: Parts, call: Call, id: str) -> Answer:
    """GET of many."""
    filters = [(name, value) for name, value in call.query if name != "fields"]
    fields = frozenset(value for name, value in call.query if name == "fields")
    with calls.store.read() as reader:
        found = parts.list(reader, allowed(reader, call.context, parts.seen_by, calls.rules.kind, id))
    unknown = sorted({name for name, _ in filters} - {name for view in found for name in view}) if found else []
    if unknown:
        raise bad_request(f"{unknown} is invalid attribute for filtering")
    kept = [view for view in found if all(str(view[name]) == value for name, value in filters)]
    return Answer(200, {parts.plural: [only(view, fields) for view in kept]})


def show_part(calls: "Resources", parts: Parts, call: Call, id: str, key: str) -> Answer:
    """GET of one."""
    with calls.store.read() as reader:
        record = allowed(reader, call.context, parts.seen_by, calls.rules.kind, id)
        found = next((view for view in parts.list(reader, record) if view[parts.key] == key), None)
    if found is None:
        raise parts.missing(record, key)
    return Answer(200, {parts.singular: found})


def add_part(calls: "Resources", parts: Parts, call: Call, id: str) -> Answer:
    """POST."""
    with calls.changing(call, id, parts.changed_by) as (transaction, record):
        shown = parts.create(transaction, record, call.body)
    return Answer(201, {parts.singular: shown}, transaction.revision)


def change_part(calls: "Resources", parts: Parts, call: Call, id: str, key: str) -> Answer:
    """PUT."""
    assert parts.update is not None, "there is no such call"
    with calls.changing(call, id, parts.changed_by) as (transaction, record):
        shown = parts.update(transaction, record, key, call.body)
    return Answer(200, {parts.singular: shown}, transaction.revision)


def remove_part(calls: "Resources", parts: Parts, call: Call, id: str, key: str) -> Answer:
    """DELETE."""
    with calls.changing(call, id, parts.changed_by) as (transaction, record):
        parts.delete(transaction, record, key)
    return Answer(204, None, transaction.revision)


def act_on_part(calls: "Resources", parts: Parts, call: Call, id: str, key: str, *, action: str) -> Answer:
    """PUT of an action."""
    with calls.changing(call, id, parts.changed_by) as (transaction, record):
        shown = parts.actions[action](transaction, record, key)
    return Answer(200, {parts.singular: shown}, transaction.revision)
