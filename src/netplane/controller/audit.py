"""`GET /netplane/v1/audit`: every write, by whom, for which request, and when; never what was written.

Administrators see all, a project sees what was written of its own. What hosts and the controller itself have written
has an actor like `host:NAME` and no request.
"""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request

from netplane.api.app import context_of
from netplane.api.context import Context
from netplane.api.errors import forbidden, invalid
from netplane.api.policy import may_call
from netplane.api.queries import parse_moment
from netplane.api.responses import url_of
from netplane.controller.controller import Controller
from netplane.controller.parameters import check_known, parse_number
from netplane.store import Line, Sought

FILTERS = {
    "kind": "kind",
    "id": "id",
    "operation": "operation",
    "project_id": "project",
    "actor": "actor",
    "request_id": "request",
}
"""Filters by the columns that they are about."""
PARAMETERS = (*FILTERS, "since", "until", "limit", "marker")
MOST, USUAL = 1_000, 100
"""Lines of an answer."""


async def audit(controller: Controller, request: Request) -> object:
    """The youngest lines first; `marker` is the revision of the last one seen."""
    query = dict(request.query_params)
    check_known(query, PARAMETERS)
    sought, limit = _sought(context_of(request), query), parse_number("limit", query.get("limit", str(USUAL)), 1, MOST)
    lines = await asyncio.to_thread(_read, controller, sought, limit)
    shown: dict[str, object] = {"audit": [_view(line) for line in lines]}
    if len(lines) == limit:
        following = urlencode(query | {"marker": str(lines[-1].revision)})
        shown["audit_links"] = [{"rel": "next", "href": f"{url_of(request)}?{following}"}]
    return shown


def _sought(context: Context, query: Mapping[str, str]) -> Sought:
    wanted = {column: query[name] for name, column in FILTERS.items() if name in query}
    if not context.may_see(context.project):
        raise forbidden("The audit log is not for this token.")
    if not may_call(context, "audit") and wanted.setdefault("project", context.project) != context.project:
        raise forbidden("The audit log of other projects is for administrators.")
    if wanted.get("operation", "upsert") not in ("upsert", "delete"):
        raise invalid(f"'operation' is upsert or delete, not {wanted['operation']!r}")
    times = {name: parse_moment(name, query[name]) for name in ("since", "until") if name in query}
    before = parse_number("marker", query["marker"], 1, 1 << 62) if "marker" in query else None
    return Sought(**wanted, **times, before=before)


def _read(controller: Controller, sought: Sought, limit: int) -> list[Line]:
    with controller.store.read() as reader:
        return reader.audit(sought, limit)


def _view(line: Line) -> dict[str, object]:
    return {
        "revision": line.revision,
        "kind": line.kind,
        "id": line.id,
        "operation": line.operation,
        "project_id": line.project,
        "actor": line.actor,
        "request_id": line.request or None,
        "time": line.time,
    }
