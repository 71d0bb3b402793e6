"""The identity API's paths, and the threads that its calls run in.

Passwords are hashed in threads of their own, few of them: a flood of logins must not keep anybody else waiting.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from netplane.api.call import Answer
from netplane.api.context import NOBODY, Context
from netplane.api.errors import ApiError
from netplane.api.identity import auth, discovery
from netplane.api.identity.errors import IdentityError
from netplane.api.identity.service import Asked, Identity, Told
from netplane.api.places import base_of, root_of
from netplane.api.responses import respond, respond_error

HASHERS = 2
"""Threads that check passwords; each hash takes 19 MiB."""
WAITING = 200
"""Logins that may wait for one of them; more are asked to come back."""
BODY_LIMIT = 64 * 1024
"""Bytes."""

Call = Callable[..., Told]
Read = Callable[[Request, int], Awaitable[bytes]]
Pool = Callable[[Callable[[], Response]], Awaitable[Response]]


class Hashers:
    """The threads for calls that check or make hashes."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(HASHERS, "api-passwords")
        self._waiting = 0

    async def run(self, work: Callable[[], Response]) -> Response:
        """Wait for some work's response; 503 where too many wait already."""
        if self._waiting >= WAITING:
            raise IdentityError(503, "Too many logins at a time.", wait=2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def identity_routes(identity: Identity, readers: Pool, writer: Pool, read_body: Read) -> list[Route]:
    """The routes of all calls."""
    hashers = Hashers().run

    def route(path: str, **calls: tuple[Pool, Call]) -> Route:
        return Route(path, partial(_serve, identity, calls, read_body), methods=list(calls))

    return [
        route("/", GET=(readers, discovery.everything)),
        route("/identity", GET=(readers, discovery.versions)),
        route("/v3", GET=(readers, discovery.version)),
        route(
            "/v3/auth/tokens",
            POST=(hashers, auth.issue),
            GET=(readers, auth.show),
            DELETE=(writer, auth.revoke),
        ),
        route("/v3/auth/catalog", GET=(readers, auth.catalog)),
        route("/v3/auth/projects", GET=(readers, auth.projects)),
        route("/v3/auth/domains", GET=(readers, auth.domains)),
        route("/v3/auth/system", GET=(readers, auth.system)),
    ]


async def _serve(
    identity: Identity, calls: dict[str, tuple[Pool, Call]], read_body: Read, request: Request
) -> Response:
    pool, call = calls["GET" if request.method == "HEAD" else request.method]
    body = b"" if request.method in ("GET", "HEAD") else await read_body(request, BODY_LIMIT)
    context: Context = request.scope.get("netplane.context", NOBODY)
    asked = Asked(
        context,
        body,
        request.query_params,
        request.headers.get("x-auth-token", ""),
        request.headers.get("x-subject-token", ""),
        root_of(request),
        base_of(request),
        request.client.host if request.client else "",
    )
    return await pool(partial(_answer, identity, call, asked, request))


def _answer(identity: Identity, call: Call, asked: Asked, request: Request) -> Response:
    try:
        told = call(identity, asked, **request.path_params)
    except ApiError as error:
        return respond_identity_error(request, error)
    response = respond(request, Answer(told.status, told.body))
    response.headers.update({"Vary": "X-Auth-Token", **told.headers})
    return response


def respond_identity_error(request: Request, error: ApiError) -> Response:
    """A refusal, with what clients want to know of how to go on."""
    response = respond_error(request, error)
    response.headers["Vary"] = "X-Auth-Token"
    if error.status == 401:
        response.headers["WWW-Authenticate"] = f'Keystone uri="{root_of(request)}/v3"'
    if isinstance(error, IdentityError) and error.wait:
        response.headers["Retry-After"] = str(int(error.wait) + 1)
    return response
