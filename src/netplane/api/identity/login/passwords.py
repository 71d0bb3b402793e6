"""Passwords, kept as argon2id hashes (RFC 9106) in the usual text form, `$argon2id$v=19$m=...`.

A hash takes some 50 ms of one processor and 19 MiB, on purpose. The library lets other threads run meanwhile.
"""

import secrets
from base64 import b64encode
from typing import NamedTuple

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

LONGEST = 1024
"""Bytes of a password or secret."""
LENGTH = 32
"""Bytes of a hash."""


class Cost(NamedTuple):
    """What a hash costs: the second recommendation of OWASP for argon2id."""

    kibibytes: int = 19 * 1024
    rounds: int = 2


COST = Cost()


def hash_password(password: str, cost: Cost = COST) -> str:
    """The hash of a password, with a salt of its own."""
    salt = secrets.token_bytes(16)
    made = Argon2id(salt=salt, length=LENGTH, iterations=cost.rounds, lanes=1, memory_cost=cost.kibibytes)
    return made.derive_phc_encoded(password.encode())


def _written(cost: Cost, salt: bytes, digest: bytes) -> str:
    """The text form of a hash."""
    written = (b64encode(each).rstrip(b"=").decode() for each in (salt, digest))
    return "$".join(("", "argon2id", "v=19", f"m={cost.kibibytes},t={cost.rounds},p=1", *written))


NOBODYS = _written(COST, secrets.token_bytes(16), secrets.token_bytes(LENGTH))
"""Checked where there is nothing to check, so that an unknown user takes as long as a wrong password.

It is the hash of nothing that anybody knows: made of random bytes, since a real one takes as long as a log-in.
"""


def is_password(password: str, hashed: str) -> bool:
    """Whether a password is the one that was hashed; never, and as slowly, where there is no hash."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), hashed or NOBODYS)
    except (InvalidKey, UnicodeEncodeError):
        return False
    return bool(hashed)
