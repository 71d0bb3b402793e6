"""The door: what every request passes before a route is looked for.

It numbers the request, finds out who is calling, and tidies the path. Nobody without a token learns which paths exist.
"""

from uuid import uuid4

from msgspec.structs import replace
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from netplane.api.responses import respond_unauthorized
from netplane.api.tokens import Tokens

OPEN = frozenset({"/", "/netplane/v1/authority", "/netplane/v1/join"})
"""Paths that need no token."""


class Door:
    """ASGI around the routes: sets `scope["netplane.request_id"]` and `scope["netplane.context"]`."""

    def __init__(self, routes: ASGIApp, tokens: Tokens) -> None:
        self.routes = routes
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; what is no HTTP passes."""
        if scope["type"] != "http":
            await self.routes(scope, receive, send)
            return
        scope["netplane.request_id"] = f"req-{uuid4()}"
        scope["path"] = _tidy(scope["path"])
        if scope["path"] not in OPEN:
            caller = self._tokens.caller(_token(scope))
            if caller is None:
                await respond_unauthorized(Request(scope))(scope, receive, send)
                return
            scope["netplane.context"] = replace(caller, request=scope["netplane.request_id"])
        await self.routes(scope, receive, send)


def _token(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-auth-token":
            return str(value, "latin-1")
    return ""


def _tidy(path: str) -> str:
    """The path without the `.json` of old clients and without a slash at its end."""
    return path.removesuffix(".json").rstrip("/") or "/"
