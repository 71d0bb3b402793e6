"""What another service has said of tokens, remembered for a short time."""

from hashlib import sha256
from typing import NamedTuple

from netplane.api.callers.keys import SECOND, Time
from netplane.api.context import Context

MOST = 20_000
"""Tokens that are remembered; then all are forgotten."""
FRESH = 10
"""Seconds that a good token is remembered for: a token that is revoked elsewhere is good so much longer here."""
REFUSED = 5
"""Seconds that a bad one is at most."""


class Said(NamedTuple):
    """Who a token belongs to, if to anybody, and until when that is believed (microseconds since 1970)."""

    context: Context | None
    until: int


class Remembering:
    """Tokens by their digest."""

    def __init__(self, time: Time, fresh: int = FRESH) -> None:
        self._time = time
        self._fresh = fresh
        self._said: dict[bytes, Said] = {}

    def get(self, token: str) -> Said | None:
        """What was said of a token a short time ago."""
        said = self._said.get(_digest(token))
        return said if said is not None and said.until > self._time() else None

    def put(self, token: str, context: Context | None, expires: int | None = None) -> Context | None:
        """Remember what is said; `expires` is when the token does, in microseconds since 1970."""
        if len(self._said) >= MOST:
            self._said.clear()
        until = self._time() + SECOND * (min(REFUSED, self._fresh) if context is None else self._fresh)
        self._said[_digest(token)] = Said(context, until if expires is None else min(until, expires))
        return context


def _digest(token: str) -> bytes:
    return sha256(token.encode("latin-1", "replace")).digest()
