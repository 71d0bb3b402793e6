"""Tokens as bytes that cannot be forged: what a token says, and a seal over it.

    token = base64url( key id, 4 bytes | HMAC-SHA256 of the rest with that key, 32 bytes | claims, msgpack )

A token says who and where, and what it was made of; what the user may do there is looked up when it is used.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Garbled
from collections.abc import Callable
from hashlib import sha256

from msgspec import DecodeError, Struct
from msgspec.msgpack import Decoder, Encoder

KEY_ID = 4
SEAL = 32
LONGEST = 2048
"""Characters; what is longer is no token of ours."""


class Claims(Struct, frozen=True, array_like=True):
    """What a token says. Times are microseconds since 1970."""

    user: str
    """The id of the user."""
    epoch: int
    """The user's, when the token was issued."""
    scope: str
    """What it is for: a project's id, `default` for the domain, `system`; empty for nothing."""
    issued: int
    expires: int
    audit: str
    """The token's own audit id, which it is revoked by."""
    root: str
    """The audit id of the token that it comes from; empty if it comes from none."""
    methods: tuple[str, ...]
    """How the user proved to be who it is."""
    credential: str = ""
    """The id of the application credential, if it was by one."""


_encoder = Encoder()
_decoder = Decoder(Claims)


def seal(claims: Claims, key_id: str, secret: bytes) -> str:
    """A token; `key_id` is 8 hexadecimal digits."""
    body = bytes.fromhex(key_id) + _encoder.encode(claims)
    whole = body[:KEY_ID] + _mac(secret, body) + body[KEY_ID:]
    return urlsafe_b64encode(whole).rstrip(b"=").decode()


def open_seal(token: str, secret_of: Callable[[str], bytes | None]) -> Claims | None:
    """What a token says; None for anything that was not sealed with one of our keys."""
    if len(token) > LONGEST:
        return None
    try:
        whole = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (Garbled, ValueError):
        return None
    key_id, mac, claims = whole[:KEY_ID], whole[KEY_ID : KEY_ID + SEAL], whole[KEY_ID + SEAL :]
    secret = secret_of(key_id.hex())
    if secret is None or not hmac.compare_digest(mac, _mac(secret, key_id + claims)):
        return None
    try:
        return _decoder.decode(claims)
    except DecodeError:
        return None


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, body, sha256)
