"""The door: what every request passes before a route is looked for.

It numbers the request, finds out who is calling, and tidies the path. Nobody without a token learns which paths exist.
Answers that last ask again who is calling: `scope["netplane.ask_again"]`.
"""

import re
from functools import partial

from msgspec.structs import replace
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from netplane.api.callers import Callers
from netplane.api.errors import ApiError, bad_request, forbidden, unavailable
from netplane.api.ids import request_id
from netplane.api.nul import SAID, address_has_nul
from netplane.api.places import PREFIXES
from netplane.api.responses import respond_error, respond_unauthorized
from netplane.store import Unavailable

OPEN = frozenset(
    {"/", "/docs", "/identity", "/netplane/v1/authority", "/netplane/v1/join", "/networking", "/openapi", "/v3"}
)
"""Paths that need no token."""
PASSWORD = re.compile(r"/v3/users/[^/]+/password")
"""A path that needs none either: who changes a password says the old one."""


UNSCOPED = "The token is for no project. Log in with one, or take another token for this one."


class Door:
    """ASGI around the routes: sets `scope["netplane.request_id"]`, and who is calling, by which token, and where.

    `scope["netplane.context"]` is the caller and `scope["netplane.token"]` the token that says so, whichever header it
    came in; paths that need no token have neither.
    """

    def __init__(self, routes: ASGIApp, callers: Callers, public_url: str = "") -> None:
        self.routes = routes
        self._callers = callers
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; what is no HTTP passes."""
        if scope["type"] != "http":
            await self.routes(scope, receive, send)
            return
        scope["netplane.request_id"] = request_id()
        scope["netplane.public_url"] = self._public_url
        scope["netplane.prefix"], scope["path"] = _tidy(scope["path"])
        if address_has_nul(scope["path"], scope["query_string"]):
            await respond_error(Request(scope), bad_request(SAID))(scope, receive, send)
            return
        if not _is_open(scope):
            token = scope["netplane.token"] = _token(scope)
            ask = partial(self._callers.caller, token)
            try:
                caller = await ask()
            except (ApiError, Unavailable) as error:
                refusal = error if isinstance(error, ApiError) else unavailable(error)
                await respond_error(Request(scope), refusal)(scope, receive, send)
                return
            if caller is None:
                await respond_unauthorized(Request(scope))(scope, receive, send)
                return
            if not (caller.project or caller.roles or scope["path"].startswith("/v3")):
                await respond_error(Request(scope), forbidden(UNSCOPED))(scope, receive, send)
                return
            scope["netplane.context"] = replace(caller, request=scope["netplane.request_id"])
            scope["netplane.ask_again"] = ask
        await self.routes(scope, receive, send)


def _token(scope: Scope) -> str:
    """The token, as OpenStack's clients send it or as those of HTTP do (RFC 6750)."""
    bearer = ""
    for name, value in scope["headers"]:
        if name == b"x-auth-token":
            return str(value, "latin-1")
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            bearer = str(value[7:].strip(), "latin-1")
    return bearer


def _is_open(scope: Scope) -> bool:
    path: str = scope["path"]
    if path in OPEN:
        return True
    return scope["method"] == "POST" and (path == "/v3/auth/tokens" or PASSWORD.fullmatch(path) is not None)


def _tidy(path: str) -> tuple[str, str]:
    """What leads to an API, and the path without it, without the `.json` of old clients and a slash at its end."""
    path = path.removesuffix(".json").rstrip("/") or "/"
    for prefix in PREFIXES:
        if path.startswith(f"{prefix}/v"):
            return prefix, path.removeprefix(prefix)
    return "", path
