"""The keys that tokens are signed with, as all controllers find them in the store."""

import secrets
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from netplane.api.callers.seal import Claims, open_seal, seal
from netplane.model import SigningKey
from netplane.store import Store, Transaction

SECOND = 1_000_000
"""Microseconds."""

Time = Callable[[], int]
"""Now, in microseconds since 1970."""


class Key(NamedTuple):
    """A key of HMAC-SHA256."""

    id: str
    secret: bytes


class Keys:
    """The keys in memory, the newest last. Any thread may use them."""

    def __init__(self, store: Store, time: Time) -> None:
        self._store = store
        self._time = time
        self._keys: tuple[Key, ...] = ()
        self._read_at = -2 * SECOND

    def seal(self, claims: Claims) -> str:
        """A token, signed with the newest key; the first token makes the first key."""
        keys = self._keys or self.read()
        if not keys:
            with self._store.write("netplane") as transaction:
                if not transaction.list(SigningKey):
                    transaction.add(new_key(self._time()))
            keys = self.read()
        return seal(claims, *keys[-1])

    def open(self, token: str) -> Claims | None:
        """What a token says, if one of the keys has signed it."""
        return open_seal(token, self._secret)

    def read(self) -> tuple[Key, ...]:
        """Read the keys again."""
        read_at = self._time()
        with self._store.read() as reader:
            found = sorted(reader.list(SigningKey), key=lambda key: key.made_at)
        known = dict(self._keys)
        # The secret is made by the first who asks for it.
        self._keys = tuple(
            Key(key.id, known.get(key.id) or self._store.secret(f"signing-key:{key.id}", _new_secret)) for key in found
        )
        self._read_at = read_at
        return self._keys

    def forget(self) -> None:
        """The keys have changed; they will be read again."""
        self._keys, self._read_at = (), -2 * SECOND

    def is_behind(self) -> bool:
        """Whether a key that is not known might have been made since the keys were last read."""
        return not 0 <= self._time() - self._read_at < SECOND  # a clock may be set back

    def _secret(self, id: str) -> bytes | None:
        return dict(self._keys).get(id)


def _new_secret() -> bytes:
    return secrets.token_bytes(32)


def new_key(now: int) -> SigningKey:
    """A key as good as any."""
    return SigningKey(id=secrets.token_hex(4), made_at=now)


def rotate(transaction: Transaction, now: int, lifetime: int, *, revoke: bool) -> SigningKey:
    """A new key. Older ones go when no token of theirs can live any more, or with `revoke` at once.

    `lifetime` is how long a token lives at most, in microseconds.
    """
    older = sorted(transaction.list(SigningKey), key=lambda key: key.made_at)
    for key, successor in pairwise(older):
        if revoke or successor.made_at + lifetime < now:
            transaction.delete(key)
    if revoke and older:
        transaction.delete(older[-1])
    return transaction.add(new_key(max(now, older[-1].made_at + 1) if older else now))
