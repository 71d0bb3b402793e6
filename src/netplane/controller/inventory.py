"""Hosts, bindings and revisions as lists, in the style of the rest of the API. For administrators.

Filters are by equality on what is shown (`alive=true`, `host_id=h1`), repeated for any of several; lists come in the
order of their key, in pages by `limit` and `marker`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import dropwhile
from typing import Any

from starlette.requests import Request

from netplane.api.app import context_of
from netplane.api.errors import ApiError, invalid, not_found
from netplane.api.policy import check_call
from netplane.api.queries import values_test
from netplane.controller import everywhere
from netplane.controller.controller import Controller, hosts_of
from netplane.controller.parameters import check_known
from netplane.model import Binding, Host

MOST = 10_000
"""Entries of one answer."""

HOST = ("name", "number", "address", "alive", "revision", "behind_since", "ports")
BINDING = ("port_id", "host_id")
REVISION = ("revision", "first", "committed_at")
"""What lists are filtered by; the first is their key."""

View = Mapping[str, Any]


async def hosts(controller: Controller, request: Request) -> object:
    """All hosts, how far each is, and how many ports it carries."""
    check_call(context_of(request), "hosts")
    found, connected = await asyncio.to_thread(hosts_of, controller.store), await everywhere.hosts(controller)
    return {"hosts": page(request, [host_view(controller, host, connected) for host in found], HOST)}


async def host(controller: Controller, request: Request) -> object:
    """One of them."""
    check_call(context_of(request), "hosts")
    name: str = request.path_params["name"]
    found = await asyncio.to_thread(hosts_of, controller.store)
    for one in found:
        if one.id == name:
            return {"host": host_view(controller, one, await everywhere.hosts(controller))}
    raise not_found(Host, name)


async def bindings(controller: Controller, request: Request) -> object:
    """Which host carries which port."""
    check_call(context_of(request), "bindings")
    found = await asyncio.to_thread(_bindings, controller)
    return {"bindings": page(request, [{"port_id": one.id, "host_id": one.host_id} for one in found], BINDING)}


async def revisions(controller: Controller, request: Request) -> object:
    """The youngest batches of revisions that went out together, the youngest first: where they are real, since when."""
    check_call(context_of(request), "revisions")
    known = [
        {"revision": batch.last, "first": batch.first, "committed_at": batch.times[-1]}
        for batch in controller.picture.revisions.youngest(MOST)
    ]
    shown = page(request, known, REVISION)
    fates = await everywhere.fates(controller, [each["revision"] for each in shown])
    return {"revisions": [{**each, **fate} for each, fate in zip(shown, fates, strict=True)]}


def host_view(controller: Controller, host: Host, connected: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A host, and what the controller that it is `connected` to knows of it: else what this one knows."""
    ports, revisions = controller.picture.ports, controller.picture.revisions
    known = connected.get(host.id)
    return {
        "name": host.id,
        "number": host.number,
        "address": host.address,
        "alive": known is not None,
        "revision": known["revision"] if known else ports.acknowledged(host.id),
        "behind_since": known["behind_since"] if known else revisions.behind_since(host.id),
        "ports": ports.count(host.id),
    }


def matching(request: Request, items: Sequence[View], names: Sequence[str], *further: str) -> list[View]:
    """Those that pass the filters on `names`; 400 for any other parameter but `further` ones."""
    query = request.query_params
    check_known(query, [*names, *further])
    tests = [(name, values_test(query.getlist(name))) for name in query if name in names]
    return [item for item in items if all(test(item[name]) for name, test in tests)]


def page(request: Request, items: Sequence[View], names: Sequence[str]) -> list[View]:
    """Those that pass the filters, after the marker, as many as asked for; the first of `names` is the key."""
    query, key = request.query_params, names[0]
    found = matching(request, items, names, "limit", "marker")
    marker = query.get("marker")
    if marker is not None:
        after = dropwhile(lambda item: str(item[key]) != marker, items)
        if next(after, None) is None:
            raise ApiError(404, "MarkerNotFound", f"Marker {marker} could not be found.")
        following = {str(item[key]) for item in after}
        found = [item for item in found if str(item[key]) in following]
    return found[: _limit(query.get("limit"))]


def _limit(text: str | None) -> int:
    if text is None:
        return MOST
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise invalid(f"'limit' is a number of 0 or more, not {text!r}")
    return min(int(text), MOST) or MOST


def _bindings(controller: Controller) -> list[Binding]:
    with controller.store.read() as reader:
        return reader.list(Binding)
