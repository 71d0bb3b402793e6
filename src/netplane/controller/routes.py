"""netplane's own calls: how far the network is, what is wrong, and a look into hosts.

| call | answer |
|---|---|
| `GET /netplane/v1/caller` | who the caller is: project, roles, name |
| `GET /netplane/v1/status` | the controller, its hosts, problems (administrators) |
| `GET /netplane/v1/problems` | problems alone (administrators) |
| `GET /netplane/v1/hosts` | hosts, how far each is, and what it carries (administrators) |
| `GET /netplane/v1/hosts/{name}` | one of them (administrators) |
| `GET /netplane/v1/bindings` | which host carries which port (administrators) |
| `GET /netplane/v1/audit` | every write: who, when, for which request; a project sees its own |
| `GET /netplane/v1/revisions` | the youngest revisions, where they are real and since when (administrators) |
| `GET /netplane/v1/revisions/{revision}?wait=SECONDS` | when a revision was made real, and where |
| `POST /netplane/v1/trace` | what the real programs do with a packet of a port, host by host |
| `GET /netplane/v1/decisions` | what was decided at ports that log it; with `explain=true`, why packets were dropped |
| `GET /netplane/v1/watch` | what changes, as server-sent events: `kind`, `project_id`, `since` |
| `GET /netplane/v1/hosts/{name}/tables` | the entries in a host's kernel, as text (administrators) |
| `POST /netplane/v1/signing-keys` | another key signs tokens; with `revoke` older tokens end (administrators) |

How hosts join and are revoked: `joining`. How people log in, and the keys that sign: `api.identity`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from msgspec import Struct, ValidationError, convert
from msgspec.json import Decoder
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from netplane import __version__
from netplane.api import Answer, ApiError
from netplane.api.app import context_of, read_body
from netplane.api.bodies import parse_struct
from netplane.api.context import Context
from netplane.api.errors import bad_request, conflict, invalid, not_found
from netplane.api.policy import check_call, may_call
from netplane.api.responses import respond
from netplane.controller import everywhere, joining
from netplane.controller.asked import decisions
from netplane.controller.audit import audit
from netplane.controller.controller import Controller, hosts_of
from netplane.controller.inventory import (
    bindings,
    host,
    host_view,
    hosts,
    matching,
    revisions,
)
from netplane.controller.watching.stream import watch
from netplane.model import Binding, Host, Port, Record
from netplane.stream.faults import Refused, Unanswered

LONGEST_WAIT = 60.0
"""Seconds that a call may wait for a revision."""
ASK_TIMEOUT = 10.0
"""Seconds that an agent has to answer."""
SUCCESS = {"GET": 200, "POST": 200, "DELETE": 204}
"""What a call answers that did what was asked."""
LATEST = (1 << 63) - 1
"""The last revision that a database can have."""
TRACE_BODY = 256 * 1024
"""Bytes of a request for a trace."""


class TraceWish(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request for a trace."""

    port_id: str
    packet: str


class Step(Struct, frozen=True):
    """A stage of a packet's way, and what it decided."""

    stage: str
    text: str


class Onward(Struct, frozen=True):
    """A packet that leaves for another host, which knows what becomes of it."""

    host: int
    """Its number."""
    port: str
    """The id of the port that it goes to."""
    vni: int
    frame: str
    """Hexadecimal."""


class Trace(Struct, frozen=True):
    """What an agent answers to a trace."""

    verdict: str
    reason: str
    steps: list[Step]
    onward: Onward | None = None


_TRACE = Decoder(TraceWish)

T = TypeVar("T")
R = TypeVar("R", bound=Record)
Handler = Callable[[Controller, Request], Awaitable[object]]


def routes(controller: Controller, agents_connect_to: Sequence[str] = ()) -> list[Route]:
    """The routes of these calls, on a controller; hosts that join are told where agents connect to."""

    async def join(controller: Controller, request: Request) -> object:
        return await joining.join(controller, request, agents_connect_to)

    return [
        _route(controller, "/netplane/v1/caller", caller),
        _route(controller, "/netplane/v1/status", status),
        _route(controller, "/netplane/v1/problems", problems),
        _route(controller, "/netplane/v1/hosts", hosts),
        _route(controller, "/netplane/v1/hosts/{name}", host),
        _route(controller, "/netplane/v1/bindings", bindings),
        _route(controller, "/netplane/v1/audit", audit),
        _route(controller, "/netplane/v1/revisions", revisions),
        _route(controller, "/netplane/v1/revisions/{revision:int}", revision),
        _route(controller, "/netplane/v1/trace", trace, "POST"),
        _route(controller, "/netplane/v1/decisions", decisions),
        _route(controller, "/netplane/v1/hosts/{name}/tables", tables),
        Route("/netplane/v1/watch", partial(watch, controller), methods=["GET"]),
        _route(controller, "/netplane/v1/authority", joining.authority),
        _route(controller, "/netplane/v1/join", join, "POST"),
        _route(controller, "/netplane/v1/join-tokens", joining.tokens),
        _route(controller, "/netplane/v1/join-tokens", joining.make_token, "POST"),
        _route(controller, "/netplane/v1/join-tokens/{id}", joining.drop_token, "DELETE"),
        _route(controller, "/netplane/v1/enrolments", joining.enrolments),
        _route(controller, "/netplane/v1/hosts/{name}", joining.forget_host, "DELETE"),
        _route(controller, "/netplane/v1/hosts/{name}/enrolment", joining.revoke_host, "DELETE"),
    ]


async def caller(_controller: Controller, request: Request) -> object:
    """Who is calling, as the controller sees it."""
    context = context_of(request)
    return {"project_id": context.project, "roles": sorted(context.roles), "name": context.actor}


async def status(controller: Controller, request: Request) -> object:
    """The controller, its hosts and problems."""
    check_call(context_of(request), "status")
    connected, wrong = await everywhere.hosts(controller), await everywhere.problems(controller)
    found = await asyncio.to_thread(hosts_of, controller.store)
    return {
        "version": __version__,
        "log": controller.log,
        "revision": controller.picture.revision,
        "hosts": [host_view(controller, host, connected) for host in found],
        "problems": wrong,
        "controllers": sorted([controller.correspondence.url, *controller.correspondence.others.values()]),
    }


async def problems(controller: Controller, request: Request) -> object:
    """Every problem, or those with this `host`, `kind` or `id`."""
    check_call(context_of(request), "problems")
    return {"problems": matching(request, await everywhere.problems(controller), ("host", "kind", "id", "text"))}


async def revision(controller: Controller, request: Request) -> object:
    """When a revision was committed and realised; waits until it is, if asked to."""
    number: int = request.path_params["revision"]
    if number > LATEST:
        raise _no_revision(number)
    realised, pending = await everywhere.realised(controller, number, _wait(request))
    batch = controller.picture.revisions.find(number)
    committed = batch.times[number - batch.first] if batch else await _committed_at(controller, number)
    if may_call(context_of(request), "host_names"):
        return {"revision": number, "committed_at": committed, "realised": realised, "pending": pending}
    anonymous = {str(index): time for index, time in enumerate(sorted(realised.values()), 1)}
    waiting = [str(index) for index, _ in enumerate(pending, len(anonymous) + 1)]
    return {"revision": number, "committed_at": committed, "realised": anonymous, "pending": waiting}


async def trace(controller: Controller, request: Request) -> object:
    """Run a packet of a port through the programs of its host, dry, and `then` of the host that it crosses to."""
    wish: TraceWish = parse_struct(_TRACE, await read_body(request, TRACE_BODY))
    context = context_of(request)
    port = await asyncio.to_thread(_read, controller, Port, wish.port_id)
    if port is None or not context.may_see(port.project_id):
        raise not_found(Port, wish.port_id)
    binding = await asyncio.to_thread(_read, controller, Binding, wish.port_id)
    if binding is None:
        raise conflict("PortNotBound", f"Port {port.id} is on no host: {_whereabouts(context, port)}.")
    begun = await _run(controller, context, binding.host_id, "trace", {"port": wish.port_id, "packet": wish.packet})
    then = await _follow(controller, context, binding.host_id, begun.onward) if begun.onward else None
    return _told(context, binding.host_id, begun) | {"then": then}


async def _follow(controller: Controller, context: Context, sender: str, onward: Onward) -> dict[str, object] | None:
    """The rest of a trace, from the host that the packet goes to; None if it is not the caller's business."""
    hosts = {host.number: host for host in await asyncio.to_thread(hosts_of, controller.store)}
    source = next((host.address for host in hosts.values() if host.id == sender), "")
    port = await asyncio.to_thread(_read, controller, Port, onward.port)
    if onward.host not in hosts or port is None or not context.may_see(port.project_id):
        return None
    receiver = hosts[onward.host].id
    body = {"frame": onward.frame, "vni": str(onward.vni), "source": source}
    try:
        return _told(context, receiver, await _run(controller, context, receiver, "arrival", body))
    except ApiError as error:
        return _told(context, receiver, Trace("UNKNOWN", "", [Step("END", error.message)]))


async def _run(controller: Controller, context: Context, host: str, topic: str, body: dict[str, str]) -> Trace:
    is_told = may_call(context, "host_names")
    try:
        return _expect(Trace, await _ask(controller, host, topic, body | {"hosts": "told" if is_told else ""}), host)
    except ApiError as error:
        if is_told or error.status < 500:
            raise
        raise ApiError(error.status, error.type, "The host that carries the port gives no answer.") from error


def _told(context: Context, host: str, part: Trace) -> dict[str, object]:
    steps = [{"stage": step.stage, "text": step.text} for step in part.steps]
    shown = host if may_call(context, "host_names") else ""
    return {"verdict": part.verdict, "reason": part.reason, "steps": steps, "host": shown}


async def tables(controller: Controller, request: Request) -> object:
    """The entries in a host's kernel, as text by table."""
    check_call(context_of(request), "tables")
    name: str = request.path_params["name"]
    if await asyncio.to_thread(_read, controller, Host, name) is None:
        raise not_found(Host, name)
    return _expect(dict[str, list[str]], await _ask(controller, name, "tables", {}), name)


def _whereabouts(context: Context, port: Port) -> str:
    """Why a port is on no host."""
    if port.host_id and not may_call(context, "host_names"):
        return "the host that it is requested on has never joined"
    if port.host_id:
        return f"it is requested on host {port.host_id}, which has never joined"
    return "none has a device of it (netplane attach DEVICE PORT plugs one in)"


def _route(controller: Controller, path: str, handler: Handler, method: str = "GET") -> Route:
    async def endpoint(request: Request) -> Response:
        body = await handler(controller, request)
        return respond(request, Answer(SUCCESS[method], None if method == "DELETE" else body))

    return Route(path, endpoint, methods=[method])


def _read(controller: Controller, kind: type[R], id: str) -> R | None:
    """A record as it is in the store: the picture may be some milliseconds behind what the caller has written."""
    with controller.store.read() as reader:
        return reader.get(kind, id)


def _wait(request: Request) -> float:
    text = request.query_params.get("wait", "0")
    try:
        wait = float(text)
    except ValueError:
        raise invalid(f"'wait' is seconds, not {text!r}") from None
    if not 0 <= wait <= LONGEST_WAIT:
        raise invalid(f"'wait' is 0 to {LONGEST_WAIT:g} seconds")
    return wait


async def _committed_at(controller: Controller, number: int) -> str:
    """When a revision was committed that is too old to be in memory."""
    found = await asyncio.to_thread(controller.store.journal, number - 1, 1) if number > 0 else []
    if not found or found[0].change.revision != number:
        raise _no_revision(number)
    return found[0].time


def _no_revision(number: int) -> ApiError:
    return ApiError(404, "RevisionNotFound", f"Revision {number} could not be found.")


async def _ask(controller: Controller, host: str, topic: str, body: Mapping[str, str]) -> dict[str, object]:
    try:
        return await everywhere.ask(controller, host, topic, dict(body), ASK_TIMEOUT)
    except Unanswered as silence:
        raise ApiError(503, "HostUnavailable", f"{silence}.".capitalize()) from silence
    except Refused as refusal:
        raise bad_request(str(refusal)) from refusal


def _expect(kind: type[T], body: object, host: str) -> T:
    try:
        return convert(body, kind)
    except ValidationError as error:
        raise ApiError(502, "HostAnswerInvalid", f"Host {host} gave an answer that makes no sense: {error}.") from error
