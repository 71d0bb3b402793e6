"""The identity API's paths, and the threads that its calls run in.

Passwords are hashed in threads of their own, few of them: a flood of logins must not keep anybody else waiting.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from netplane.api.call import Answer
from netplane.api.context import NOBODY, Context
from netplane.api.errors import ApiError
from netplane.api.identity import credentials, discovery, projects, roles, users
from netplane.api.identity.errors import IdentityError
from netplane.api.identity.login import auth
from netplane.api.identity.service import Asked, Identity, Told
from netplane.api.places import base_of, root_of
from netplane.api.responses import respond, respond_error
from netplane.model.identity import DOMAIN

HASHERS = 2
"""Threads that check passwords; each hash takes 19 MiB."""
WAITING = 200
"""Logins that may wait for one of them; more are asked to come back."""
BODY_LIMIT = 64 * 1024
"""Bytes."""

CREDENTIALS = "/v3/users/{user}/application_credentials"
PLACES: dict[str, dict[str, Any]] = {"projects/{project}": {}, f"domains/{DOMAIN}": {"target": DOMAIN}, "system": {}}
"""Where somebody may have a role: as a path, and what the calls are told besides what the path says."""

PATH_ERRORS = {400: "InvalidInput", 403: "PolicyNotAuthorized"}
"""Types of errors of what is netplane's own, which are told as all of its own are."""

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

    made = [
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
        route("/v3/domains", GET=(readers, projects.domains)),
        route("/v3/domains/{id}", GET=(readers, projects.domain)),
        route("/v3/projects", GET=(readers, projects.list_all), POST=(writer, projects.create)),
        route(
            "/v3/projects/{id}",
            GET=(readers, projects.show),
            PATCH=(writer, projects.update),
            DELETE=(writer, projects.delete),
        ),
        route("/v3/users", GET=(readers, users.list_all), POST=(hashers, users.create)),
        route(
            "/v3/users/{id}", GET=(readers, users.show), PATCH=(hashers, users.update), DELETE=(writer, users.delete)
        ),
        route("/v3/users/{id}/password", POST=(hashers, users.change_password)),
        route("/v3/users/{id}/projects", GET=(readers, users.projects)),
        route("/v3/users/{id}/groups", GET=(readers, users.groups)),
        route(CREDENTIALS, GET=(readers, credentials.list_all), POST=(hashers, credentials.create)),
        route(f"{CREDENTIALS}/{{id}}", GET=(readers, credentials.show), DELETE=(writer, credentials.delete)),
        route("/v3/roles", GET=(readers, roles.list_all), POST=(readers, roles.fixed)),
        route("/v3/roles/{id}", GET=(readers, roles.show), PATCH=(readers, roles.fixed), DELETE=(readers, roles.fixed)),
        route("/v3/role_assignments", GET=(readers, roles.assignments)),
        route("/v3/role_inferences", GET=(readers, roles.inferences)),
        route("/netplane/v1/signing-keys", POST=(writer, auth.rotate_keys)),
    ]
    for place, known in PLACES.items():
        path = f"/v3/{place}/users/{{user}}/roles"
        made += [
            route(path, GET=(readers, partial(roles.held, **known))),
            route(
                f"{path}/{{role}}",
                GET=(readers, partial(roles.has, **known)),
                PUT=(writer, partial(roles.grant, **known)),
                DELETE=(writer, partial(roles.revoke, **known)),
            ),
        ]
    return made


async def _serve(
    identity: Identity, calls: dict[str, tuple[Pool, Call]], read_body: Read, request: Request
) -> Response:
    pool, call = calls["GET" if request.method == "HEAD" else request.method]
    try:
        body = b"" if request.method in ("GET", "HEAD") else await read_body(request, BODY_LIMIT)
    except ApiError as error:
        return respond_identity_error(request, error)
    context: Context = request.scope.get("netplane.context", NOBODY)
    asked = Asked(
        context,
        body,
        request.scope["path"].removeprefix("/v3/"),
        request.query_params,
        request.scope.get("netplane.token", ""),
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
    if not request.scope["path"].startswith("/v3"):
        return respond_error(request, ApiError(error.status, PATH_ERRORS.get(error.status, "HTTPError"), error.message))
    if not isinstance(error, IdentityError):
        error = IdentityError(error.status, error.message)
    response = respond_error(request, error)
    response.headers["Vary"] = "X-Auth-Token"
    if error.status == 401:
        response.headers["WWW-Authenticate"] = f'Keystone uri="{root_of(request)}/v3"'
    if error.wait:
        response.headers["Retry-After"] = str(int(error.wait) + 1)
    return response
