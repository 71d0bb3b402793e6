"""Wiring: routes, threads and error handling around the calls.

```
uvicorn ─▶ Door ─▶ Signpost, routes ─▶ endpoint ── body, query ──▶ writer thread (one) ─▶ Resources.create ...
            401      404, 405             413         ├─▶ glances thread (one) ─▶ Resources.show ...
                                                      ╰─▶ reader threads       ─▶ Resources.list ...
```

Writers take turns in the store anyway: one thread spares them the waiting, and the event loop the fight (`worker`);
those that have queued up share a commit.
What takes less time than waking a thread is read by one thread too, all that is asked for at once (`glancing`); by some
where the database is far away and nobody knows before what will be asked, since then they wait for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import NamedTuple, Protocol
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from netplane.api import discovery
from netplane.api.call import Answer, Call
from netplane.api.callers import Callers, Source
from netplane.api.computed import Computed
from netplane.api.context import NOBODY, Context
from netplane.api.door import Door
from netplane.api.errors import ApiError, unavailable
from netplane.api.glancing import Foresight, Glances
from netplane.api.identity import Identity, identity_routes, make_identity
from netplane.api.identity.errors import IdentityError
from netplane.api.identity.routes import respond_identity_error
from netplane.api.limits import DEFAULTS
from netplane.api.openapi import Calls, Documents
from netplane.api.openapi.described import JSON
from netplane.api.parts import Parts, act_on_part, add_part, change_part, list_parts, remove_part, show_part
from netplane.api.preconditions import parse_if_match
from netplane.api.quotas import MINE, Quotas
from netplane.api.resources import Handler, Resources
from netplane.api.responses import respond, respond_error, url_of
from netplane.api.rules import COMPUTED, RULES, Services
from netplane.api.rules.kind import PortStatus
from netplane.api.rules.ports import reported_status
from netplane.api.signpost import Signpost
from netplane.api.tag_calls import add_tag, add_tags, has_tag, list_tags, remove_tag, remove_tags, set_tags
from netplane.api.tokens import Tokens
from netplane.api.worker import Work, Worker
from netplane.model.network import DEFAULT_DOMAIN, DEFAULT_MTU
from netplane.store import Ahead, Group, Store, Unavailable

BODY_LIMIT = 8 * 1024 * 1024
"""Bytes; a list of 1,000 ports takes a tenth of it."""

READERS = 4

NO_CALLS: Calls = {}

Endpoint = Callable[[Request], Awaitable[Response]]


class Pool(Protocol):
    """Runs calls apart from the event loop."""

    def __call__(self, work: Work, size: int = 0) -> Awaitable[Response]:
        """One call, whose body has so many bytes."""
        ...


class Threads(NamedTuple):
    """Where calls run, so that the event loop never waits for a database."""

    writer: Pool
    foreseen: Glances
    """For what is read of one resource if it is known before what that will be."""
    glances: Pool
    """For what is read of one resource: too short to share the processor with others of its sort."""
    readers: Pool


def make_app(
    store: Store,
    tokens: Tokens,
    *,
    port_status: PortStatus = reported_status,
    largest_mtu: int = DEFAULT_MTU,
    dns_domain: str = DEFAULT_DOMAIN,
    limits: Mapping[str, int] = DEFAULTS,
    routes: Sequence[BaseRoute] = (),
    identity: Identity | None = None,
    glances: int = 1,
    calls: Calls = NO_CALLS,
    outside: Sequence[Source] = (),
) -> Door:
    """The server's whole HTTP side.

    `largest_mtu` is what the underlay leaves a network, in bytes, `limits` how many resources of a kind a project may
    have. `routes` are further calls, which find their caller by `context_of`, and `calls` what the API's description
    says of them. An ApiError raised by any of them becomes a response. `identity` is who logs in, and how, if it is not
    as usual; `outside` is where else callers come from. `glances` is how many threads read single resources: one,
    unless the database is so far away that they wait for it.
    """
    readers = ThreadPoolExecutor(READERS, "api-reader")

    def together() -> AbstractContextManager[Group]:
        return store.group()

    writer = Worker("api-writer", grouping=together)
    foreseen = Glances(store)
    other = foreseen.run if glances == 1 else Worker("api-far-glances", glances).run
    threads = Threads(writer.run, foreseen, other, partial(_read_in, readers))

    def now() -> datetime:
        return store.clock()

    services = Services(port_status, largest_mtu, dns_domain, now, limits)
    own: list[BaseRoute] = [
        _route(threads.readers, "/networking", {"GET": discovery.versions}),
        _route(threads.readers, "/v2.0", {"GET": discovery.resources}),
        _route(threads.readers, "/v2.0/extensions", {"GET": discovery.extensions}),
        _route(threads.readers, "/v2.0/extensions/{alias}", {"GET": discovery.extension}),
        _route(threads.readers, "/v2.0/log/loggable-resources", {"GET": discovery.loggable_resources}),
        *_quota_routes(threads, Quotas(store, limits)),
    ]
    identity = identity or make_identity(store)
    # What these write counts for tokens before they answer: each is kept by itself.
    own += identity_routes(identity, threads.readers, Worker("api-identity").run, read_body)
    for computed in COMPUTED:
        own += _computed_routes(threads, Computed(computed, store))
    for rules in RULES:
        own += _resource_routes(threads, Resources(rules, store, services))
    own += routes
    own += _description_routes(tuple(own), calls)
    application = Starlette(
        routes=[Signpost(own)],
        exception_handlers={
            ApiError: _on_api_error,
            Unavailable: _on_outage,
            HTTPException: _on_http_error,
            Exception: _on_fault,
        },
    )
    application.router.redirect_slashes = False
    return Door(application, Callers((tokens, identity.tokens, *outside)), identity.config.public_url)


def _description_routes(routes: Sequence[BaseRoute], calls: Calls) -> list[Route]:
    """The API's description of itself, for programs and for people; the door takes `.json` from the former."""
    documents = Documents(routes, {**discovery.CALLS, **calls})

    async def document(request: Request) -> Response:
        return Response(await asyncio.to_thread(lambda: documents.content), media_type=JSON)

    async def page(request: Request) -> Response:
        return HTMLResponse(await asyncio.to_thread(lambda: documents.page))

    return [Route("/openapi", document, methods=["GET"]), Route("/docs", page, methods=["GET"])]


def routes_of(door: Door) -> Sequence[BaseRoute]:
    """All routes of what `make_app` has made."""
    assert isinstance(door.routes, Starlette)
    (signpost,) = door.routes.routes
    assert isinstance(signpost, Signpost)
    return signpost.routes


def context_of(request: Request) -> Context:
    """Who is calling."""
    context: Context = request.scope.get("netplane.context", NOBODY)
    return context


async def read_body(request: Request, limit: int = BODY_LIMIT) -> bytes:
    """The body of a request; 413 as soon as it is known to be too long."""
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > limit:
        raise _too_long(limit)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_long(limit)
        parts.append(part)
    return b"".join(parts)


def _resource_routes(threads: Threads, calls: Resources) -> list[Route]:
    path = f"/v2.0/{calls.rules.kind.collection}"
    actions = [
        _write_route(threads, f"{path}/{{id}}/{name}", {"PUT": partial(calls.act, action=name)})
        for name in calls.rules.actions
    ]
    questions = [
        _route(threads.readers, f"{path}/{{id}}/{name}", {"GET": partial(calls.ask, question=name)})
        for name in calls.rules.questions
    ]
    tags = {"GET": list_tags, "PUT": set_tags, "POST": add_tags, "DELETE": remove_tags}
    tag = {"GET": has_tag, "PUT": add_tag, "DELETE": remove_tag}
    one: dict[str, Handler] = {"GET": calls.show, "PUT": calls.update, "DELETE": calls.delete}
    below: dict[str, dict[str, Handler]] = {
        "/tags": {method: partial(work, calls) for method, work in tags.items()},
        "/tags/{tag:path}": {method: partial(work, calls) for method, work in tag.items()},
    }
    foresight = Foresight(threads.foreseen, calls.foresee) if calls.rules.ahead != Ahead() else None
    many: dict[str, Handler] = {"GET": calls.list}
    if calls.rules.create is not None:
        many["POST"] = calls.create
    return [
        _mixed_route(threads, path, many),
        _one_route(threads, f"{path}/{{id}}", one, foresight),
        *(_one_route(threads, f"{path}/{{id}}{rest}", each) for rest, each in below.items()),
        *actions,
        *questions,
        *(route for parts in calls.rules.parts for route in _part_routes(threads, calls, parts)),
    ]


def _part_routes(threads: Threads, calls: Resources, parts: Parts) -> list[Route]:
    path = f"/v2.0/{calls.rules.kind.collection}/{{id}}/{parts.plural}"
    many: dict[str, Handler] = {"GET": partial(list_parts, calls, parts), "POST": partial(add_part, calls, parts)}
    one: dict[str, Handler] = {
        "GET": partial(show_part, calls, parts),
        "DELETE": partial(remove_part, calls, parts),
    }
    if parts.update is not None:
        one["PUT"] = partial(change_part, calls, parts)
    actions = [
        _write_route(threads, f"{path}/{{key}}/{name}", {"PUT": partial(act_on_part, calls, parts, action=name)})
        for name in parts.actions
    ]
    return [_mixed_route(threads, path, many), _one_route(threads, f"{path}/{{key}}", one), *actions]


def _computed_routes(threads: Threads, calls: Computed) -> list[Route]:
    path = f"/v2.0/{calls.rules.kind.collection}"
    many: dict[str, Handler] = {"GET": calls.list}
    one: dict[str, Handler] = {} if calls.rules.show is None else {"GET": calls.show}
    if calls.rules.writing is not None:
        many["POST"] = calls.create
        one |= {"PUT": calls.update, "DELETE": calls.delete}
    return [_mixed_route(threads, path, many), *([_mixed_route(threads, f"{path}/{{id}}", one)] if one else [])]


def _quota_routes(threads: Threads, calls: Quotas) -> list[Route]:
    path = "/v2.0/quotas"
    one: dict[str, Handler] = {"GET": calls.show, "PUT": calls.update, "DELETE": calls.delete}
    return [
        _route(threads.readers, path, {"GET": calls.list}),
        *(_route(threads.readers, f"{path}/{name}", {"GET": partial(calls.mine, name=name)}) for name in MINE),
        _one_route(threads, f"{path}/{{project}}", one),
        _route(threads.readers, f"{path}/{{project}}/default", {"GET": calls.default}),
        _route(threads.readers, f"{path}/{{project}}/details", {"GET": calls.details}),
    ]


def _mixed_route(threads: Threads, path: str, handlers: dict[str, Handler]) -> Route:
    pools = {method: threads.readers if method == "GET" else threads.writer for method in handlers}
    return Route(path, _endpoint(handlers, pools), methods=list(handlers))


def _one_route(threads: Threads, path: str, handlers: dict[str, Handler], foresight: Foresight | None = None) -> Route:
    """Of a single resource, which is read at a glance."""
    pools = {method: threads.glances if method == "GET" else threads.writer for method in handlers}
    return Route(path, _endpoint(handlers, pools, foresight), methods=list(handlers))


def _write_route(threads: Threads, path: str, handlers: dict[str, Handler]) -> Route:
    return Route(path, _endpoint(handlers, dict.fromkeys(handlers, threads.writer)), methods=list(handlers))


def _route(pool: Pool, path: str, handlers: dict[str, Handler]) -> Route:
    return Route(path, _endpoint(handlers, dict.fromkeys(handlers, pool)), methods=list(handlers))


def _endpoint(handlers: dict[str, Handler], pools: dict[str, Pool], foresight: Foresight | None = None) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        call = await _read_call(request)
        work = partial(_serve, request, handlers[method], call)
        if foresight is not None and method == "GET":
            return await foresight.look(work, request.path_params)
        return await pools[method](work, len(call.body))

    return endpoint


async def _read_in(pool: ThreadPoolExecutor, work: Work, size: int = 0) -> Response:
    return await asyncio.get_running_loop().run_in_executor(pool, work)


def _serve(request: Request, handler: Handler, call: Call) -> Response:
    """The whole of a call, on its thread; refusals are answers, so that they cost no traceback."""
    try:
        answer: Answer = handler(call, **request.path_params)
    except ApiError as error:
        return respond_error(request, error)
    except Unavailable as outage:
        return respond_error(request, unavailable(outage))
    return respond(request, answer)


async def _read_call(request: Request) -> Call:
    body = b"" if request.method in ("GET", "HEAD", "DELETE") else await read_body(request)
    query = request.scope["query_string"]
    pairs = tuple(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else ()
    if_match = None if request.method == "GET" else parse_if_match(request.headers.get("if-match"))
    return Call(context_of(request), body, pairs, url_of(request), if_match)


async def _on_api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    if isinstance(error, IdentityError):
        return respond_identity_error(request, error)
    return respond_error(request, error)


async def _on_outage(request: Request, error: Exception) -> Response:
    assert isinstance(error, Unavailable)
    return respond_error(request, unavailable(error))


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    types = {404: "HTTPNotFound", 405: "HTTPMethodNotAllowed"}
    words = {404: "The resource could not be found.", 405: "The method is not allowed for this resource."}
    if request.scope["path"].startswith("/v3"):
        return respond_identity_error(request, IdentityError(error.status_code, words[error.status_code]))
    fault = ApiError(
        error.status_code, types.get(error.status_code, "HTTPError"), words.get(error.status_code, error.detail)
    )
    return respond_error(request, fault)


async def _on_fault(request: Request, _error: Exception) -> Response:
    """A bug: the log has the traceback, the client learns nothing of it."""
    text = "Request Failed: internal server error while processing your request."
    return respond_error(request, ApiError(500, "HTTPInternalServerError", text))


def _too_long(limit: int) -> ApiError:
    return ApiError(413, "HTTPRequestEntityTooLarge", f"The body is longer than {limit} bytes.")
