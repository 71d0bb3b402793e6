"""Changes as server-sent events (HTML standard, section 9.2): `id` is the revision to resume from.

```
id: 4711
event: upsert
data: {"revision":4711,"operation":"upsert","kind":"port","id":"...","project_id":"...","time":"...","resource":{...}}
```

`begin` comes first, `lent` tells a project what it sees of others, `end` says that the watch is over: begin another.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import structs
from msgspec.json import encode

from netplane.api.context import Context
from netplane.api.policy import unseen
from netplane.api.views import view
from netplane.model import Record, kind_of
from netplane.model.resource import Resource
from netplane.store import Entry

KEPT = 4_096
"""Events that are kept, so that one change is encoded once for all who see it alike."""


class Rendered:
    """Changes as events."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, frozenset[str]], bytes] = {}

    def event(self, entry: Entry, context: Context) -> bytes:
        """A change as a caller sees it."""
        record = entry.change.record
        key = (entry.change.revision, unseen(context, record) if isinstance(record, Resource) else frozenset())
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= KEPT:
                self._known.clear()
            found = self._known[key] = _event(entry, context)
        return found


def named(name: str, revision: int, body: Any) -> bytes:
    """An event that is no change."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (revision, name.encode(), encode(body))


def heartbeat(revision: int) -> bytes:
    """A sign of life; whoever resumes after it need not see again what did not concern it."""
    return b": alive\nid: %d\n\n" % revision


def shown(record: Record, context: Context) -> dict[str, Any]:
    """A record as a caller sees it."""
    if isinstance(record, Resource):
        return view(record, context)
    return structs.asdict(record)


def _event(entry: Entry, context: Context) -> bytes:
    change = entry.change
    body = {
        "revision": change.revision,
        "operation": change.operation.value,
        "kind": change.kind,
        "id": change.id,
        "project_id": entry.project,
        "time": entry.time,
        "resource": None if change.record is None else shown(change.record, context),
    }
    return named(change.operation.value, change.revision, body)


def lent_event(revision: int, records: Sequence[Resource], context: Context) -> bytes:
    """All that a project sees of others: whatever else it has heard of that is not its own is gone."""
    resources = [{"kind": kind_of(record), "resource": shown(record, context)} for record in records]
    return named("lent", revision, {"revision": revision, "lent": resources})
