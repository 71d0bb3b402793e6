"""How often a project may ask: a token bucket for each, at a cost that does not depend on how many there are."""

from collections.abc import Callable
from math import ceil
from time import monotonic
from typing import NamedTuple

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from netplane.api.errors import ApiError
from netplane.api.responses import respond_error

MOST = 10_000
"""Buckets that are kept before the full ones are forgotten, which costs them nothing."""


class Rate(NamedTuple):
    """What a project may do on one controller."""

    calls: float
    """Calls a second, in the long run."""
    burst: float
    """Calls at once."""


class Buckets:
    """The calls that each project has left. Pure, but for the clock that it is given."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> float:
        """One call: 0 if it may be made, else in how many seconds."""
        now = self._clock()
        left = self._filled(key, now)
        if left < 1:
            self._left[key] = left, now
            return (1 - left) / self._rate.calls
        if key not in self._left and len(self._left) >= MOST:
            self._forget(now)
        self._left[key] = left - 1, now
        return 0

    def _filled(self, key: str, now: float) -> float:
        left, then = self._left.get(key, (self._rate.burst, now))
        return min(left + (now - then) * self._rate.calls, self._rate.burst)

    def _forget(self, now: float) -> None:
        for key in [key for key in self._left if self._filled(key, now) >= self._rate.burst]:
            del self._left[key]


class Paced:
    """ASGI around the routes: 429 for whoever asks too often. Who has no project is told by address."""

    def __init__(self, routes: ASGIApp, rate: Rate) -> None:
        self.routes = routes
        self._buckets = Buckets(rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        wait = self._buckets.take(_whose(scope)) if scope["type"] == "http" else 0
        if not wait:
            await self.routes(scope, receive, send)
            return
        seconds = ceil(wait)
        text = f"Too many requests for this project; the next is taken in {seconds} s."
        response = respond_error(Request(scope), ApiError(429, "HTTPTooManyRequests", text))
        response.headers["Retry-After"] = str(seconds)
        await response(scope, receive, send)


def _whose(scope: Scope) -> str:
    context = scope.get("netplane.context")
    if context is not None and context.project:
        return f"project {context.project}"
    client = scope.get("client")
    return f"address {client[0] if client else ''}"
