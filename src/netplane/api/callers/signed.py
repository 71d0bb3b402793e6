"""Tokens that this server has issued, known again in microseconds.

A token that was looked up is remembered with what it rests on (user, assignments, project, ...), and forgotten as
soon as any of that changes: here at once, and on every other controller as soon as the change log has got there.
"""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from threading import Lock
from time import time_ns
from typing import NamedTuple

from netplane.api.callers.keys import SECOND, Keys, Time
from netplane.api.callers.seal import Claims
from netplane.api.callers.standing import Standing, stand_by
from netplane.api.context import Context
from netplane.model import ApplicationCredential, Assignment, Change, Project, Revocation, SigningKey, User, kind_of
from netplane.store import Store

LOOKERS = 2
"""Threads."""
MOST = 20_000
"""Tokens that are remembered; then all are forgotten, and looked up again when they are used."""
FRESH = 10 * SECOND
"""Microseconds that a token is remembered for: what bounds the harm if the change log came no more."""

KEY = kind_of(SigningKey)
OURS = frozenset(kind_of(kind) for kind in (Project, User, Assignment, ApplicationCredential, Revocation))


class Known(NamedTuple):
    """A good token."""

    claims: Claims
    standing: Standing


class Remembered(NamedTuple):
    """A token that was looked up."""

    context: Context
    rests_on: frozenset[str]
    until: int
    """Microseconds since 1970."""


def now() -> int:
    """Microseconds since 1970."""
    return time_ns() // 1_000


class SignedTokens:
    """A `Source`."""

    def __init__(self, store: Store, time: Time = now) -> None:
        self.time = time
        self.keys = Keys(store, time)
        self._store = store
        self._lookers = ThreadPoolExecutor(LOOKERS, "api-tokens")
        self._turn = Lock()
        self._remembered: dict[bytes, Remembered] = {}
        self._resting: dict[str, set[bytes]] = {}
        self._generation = 0

    def known(self, token: str) -> Context | None:
        """The caller, if the token was looked up a short time ago."""
        found = self._remembered.get(_digest(token))
        return found.context if found is not None and found.until > self.time() else None

    async def find(self, token: str) -> Context | None:
        """The caller, as the store has it now. What is not signed costs no look-up."""
        if self.keys.open(token) is None and not self.keys.is_behind():
            return None
        return await asyncio.get_running_loop().run_in_executor(self._lookers, self._find, token)

    def look_up(self, token: str) -> Known | None:
        """What a token says and what stands behind it, as the store has it now."""
        claims = self.keys.open(token)
        if claims is None and self.keys.is_behind():
            self.keys.read()
            claims = self.keys.open(token)
        if claims is None:
            return None
        with self._store.read() as reader:
            standing = stand_by(reader, claims, self.time())
        return None if standing is None else Known(claims, standing)

    def take(self, changes: Iterable[Change]) -> None:
        """Take in what has changed, wherever it was changed: forget what rested on it."""
        gone: set[str] = set()
        for change in changes:
            if change.kind == KEY:
                self.keys.forget()
                gone.update(self._resting)
            elif change.kind in OURS:
                gone.add(change.id)
                if isinstance(change.record, Assignment):
                    gone.add(change.record.user_id)
        if gone:
            with self._turn:
                self._generation += 1
                for digest in {digest for id in gone for digest in self._resting.get(id, ())}:
                    self._drop(digest)

    def _find(self, token: str) -> Context | None:
        generation = self._generation
        found = self.look_up(token)
        if found is None:
            return None
        with self._turn:
            # What was looked up while something changed may be of before: it is good for this request only.
            if generation == self._generation:
                self._remember(token, found)
        return found.standing.context

    def _remember(self, token: str, found: Known) -> None:
        if len(self._remembered) >= MOST:
            self._remembered.clear()
            self._resting.clear()
        digest, rests_on = _digest(token), found.standing.rests_on
        self._remembered[digest] = Remembered(
            found.standing.context, rests_on, min(found.claims.expires, self.time() + FRESH)
        )
        for id in rests_on:
            self._resting.setdefault(id, set()).add(digest)

    def _drop(self, digest: bytes) -> None:
        for id in self._remembered.pop(digest).rests_on:
            resting = self._resting[id]
            resting.discard(digest)
            if not resting:
                del self._resting[id]


def _digest(token: str) -> bytes:
    """Tokens themselves are not kept."""
    return sha256(token.encode("latin-1", "replace")).digest()
