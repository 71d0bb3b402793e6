"""Join tokens: one word that lets a host in, and tells it whom to believe.

    np1.ID.SECRET.PIN      the pin is the SHA-256 of the authority's certificate

Neither side ever says the secret: each proves that it has it, by an HMAC over what it says (RFC 2104). So the first
contact is safe over whatever carries it, and whoever listens in or stands in between learns nothing that lets him join.
Controllers keep no secret either: they derive it from the authority's key and the token's id.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from netplane.trust.authority import Authority
from netplane.trust.faults import Distrust

TOKEN = re.compile(r"np1\.([0-9a-f]{16})\.([A-Za-z0-9_-]{43})\.([0-9a-f]{64})")


class JoinSecret(NamedTuple):
    """A join token, taken apart."""

    id: str
    secret: str
    pin: str

    def __str__(self) -> str:
        return f"np1.{self.id}.{self.secret}.{self.pin}"

    def __repr__(self) -> str:
        return f"<join token {self.id}>"


def join_secret(authority: Authority, id: str) -> JoinSecret:
    """The token with an id (16 hexadecimal digits), as its authority makes it."""
    mac = hmac.digest(authority.derive("join tokens"), id.encode(), sha256)
    return JoinSecret(id, urlsafe_b64encode(mac).decode().rstrip("="), authority.pin)


def parse_join_secret(text: str) -> JoinSecret:
    """A token from what an operator has pasted; Distrust if it is none."""
    found = TOKEN.fullmatch(text.strip())
    if found is None:
        raise Distrust("this is no join token; `netplane host token` makes one")
    return JoinSecret(*found.groups())


def prove(secret: JoinSecret, role: str, parts: Sequence[bytes]) -> str:
    """That who says these parts in a role (`host` or `controller`) has the token; 64 hexadecimal digits."""
    mac = hmac.new(secret.secret.encode(), role.encode() + b"\0", sha256)
    for part in parts:
        # Lengths go first: no two lists of parts are the same bytes.
        mac.update(len(part).to_bytes(8) + part)
    return mac.hexdigest()


def check_proof(secret: JoinSecret, role: str, parts: Sequence[bytes], proof: str) -> None:
    """Distrust unless the proof is right."""
    if not hmac.compare_digest(prove(secret, role, parts).encode(), proof.encode()):
        raise Distrust(f"the {role} does not have the token's secret")
