"""What every answer says to browsers: nothing of it is kept, guessed at, framed, or asked for without TLS again."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
NOT_KEPT = (b"cache-control", b"no-store")
"""Answers hold tokens and what belongs to tenants."""
STRICT = (b"strict-transport-security", b"max-age=31536000")
POLICY = b"content-security-policy"
DATA = b"default-src 'none'; frame-ancestors 'none'"
"""Of what is no page: whatever takes it for one gets nothing to run."""
PAGE = b"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
"""Of pages that bring no policy of their own: nothing from elsewhere, no script within."""

Headers = list[tuple[bytes, bytes]]


class Hardened:
    """ASGI around everything that answers."""

    def __init__(self, app: ASGIApp, *, over_tls: bool) -> None:
        self.app = app
        self._always = (*ALWAYS, STRICT) if over_tls else ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def harden(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: Headers = message["headers"]
                message["headers"] = [*headers, *self._always, *_missing(headers)]
            await send(message)

        await self.app(scope, receive, harden)


def _missing(headers: Headers) -> Iterable[tuple[bytes, bytes]]:
    """What depends on the answer, where it does not say it itself."""
    said = dict(headers)
    if b"cache-control" not in said:
        yield NOT_KEPT
    if POLICY not in said:
        yield (POLICY, PAGE if said.get(b"content-type", b"").startswith(b"text/html") else DATA)
