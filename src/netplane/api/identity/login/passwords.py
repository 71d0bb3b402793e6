"""Passwords, kept as argon2id hashes (RFC 9106) in the usual text form, `$argon2id$v=19$m=...`.

A hash takes some 50 ms of one processor and 19 MiB, on purpose. The library lets other threads run meanwhile.
"""

import secrets
from typing import NamedTuple

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

LONGEST = 1024
"""Bytes of a password or secret."""


class Cost(NamedTuple):
    """What a hash costs: the second recommendation of OWASP for argon2id."""

    kibibytes: int = 19 * 1024
    rounds: int = 2


COST = Cost()


def hash_password(password: str, cost: Cost = COST) -> str:
    """The hash of a password, with a salt of its own."""
    salt = secrets.token_bytes(16)
    made = Argon2id(salt=salt, length=32, iterations=cost.rounds, lanes=1, memory_cost=cost.kibibytes)
    return made.derive_phc_encoded(password.encode())


NOBODYS = hash_password(secrets.token_urlsafe())
"""Checked where there is nothing to check, so that an unknown user takes as long as a wrong password."""


def is_password(password: str, hashed: str) -> bool:
    """Whether a password is the one that was hashed; never, and as slowly, where there is no hash."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), hashed or NOBODYS)
    except (InvalidKey, UnicodeEncodeError):
        return False
    return bool(hashed)
