"""Static tokens: who a secret belongs to, from a file that the operator writes.

```toml
[[token]]
secret = "..."
project = "blue"
roles = ["member"]      # or "admin", "manager", "reader", "service"
user = "ann"            # optional: the name in the change log
```
"""

import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, Struct, ValidationError, convert

from netplane.api.context import Context, roles

Secret = Annotated[str, Meta(min_length=1)]


class TokenEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[token]]`."""

    secret: Secret
    project: str
    roles: tuple[Literal["admin", "manager", "member", "reader", "service"], ...] = ("member",)
    user: str = ""


class TokenFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    token: tuple[TokenEntry, ...] = ()
    agent: dict[str, str] | None = None
    """Means nothing: what hosts proved themselves with before they had certificates."""


class Tokens(NamedTuple):
    """A `Source`: callers by the digest of their secret, so that a look-up's time tells nothing."""

    callers: dict[bytes, Context]

    def known(self, token: str) -> Context | None:
        """Who a secret belongs to, or None."""
        return self.callers.get(_digest(token))

    async def find(self, token: str) -> Context | None:
        """Nobody: all that the file says is known."""
        return None


def parse_tokens(text: str) -> Tokens:
    """Tokens from TOML; ValueError if it is not as it should be."""
    try:
        entries = convert(tomllib.loads(text), TokenFile)
    except ValidationError as error:
        raise ValueError(f"tokens: {error}") from error
    callers = {_digest(entry.secret): _context(entry) for entry in entries.token}
    if len(callers) < len(entries.token):
        raise ValueError("tokens: two entries have the same secret")
    return Tokens(callers)


def read_tokens(path: Path) -> Tokens:
    """Tokens from a file."""
    return parse_tokens(path.read_text())


def _context(entry: TokenEntry) -> Context:
    return Context(entry.project, roles(entry.roles), entry.user or entry.project)


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
