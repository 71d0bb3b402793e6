"""What the calls of the identity API work with, and what they are told and answer."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Any, NamedTuple, TypeVar

from msgspec import DecodeError, Struct, ValidationError
from msgspec.json import Decoder

from netplane.api.callers import SignedTokens
from netplane.api.callers.keys import Time
from netplane.api.callers.signed import now
from netplane.api.context import Context
from netplane.api.identity.errors import conflict, forbidden, invalid
from netplane.api.identity.login.lockout import Lockout
from netplane.api.nul import SAID, body_has_nul
from netplane.store import Conflict, Store, Transaction

T = TypeVar("T")


class IdentityConfig(Struct, frozen=True):
    """What an operator may decide."""

    lifetime: int = 3600
    """How long a token is good, in seconds."""
    region: str = "RegionOne"
    """What the catalog calls this place."""
    public_url: str = ""
    """The server's address as clients know it, without a slash at its end; empty for what each of them has asked."""


STANDARD = IdentityConfig()


class Identity(NamedTuple):
    """Everything that a call needs."""

    store: Store
    tokens: SignedTokens
    lockout: Lockout
    config: IdentityConfig

    @contextmanager
    def write(self, context: Context) -> Iterator[Transaction]:
        """A transaction in the caller's name; what it changes counts for tokens as soon as it is committed."""
        try:
            with self.store.write(context.actor, context.request) as transaction:
                before = transaction.revision
                yield transaction
        except Conflict as error:
            raise conflict(error.space.partition("-name")[0].partition(":")[0], error.value) from error
        while before < transaction.revision:
            changes = self.store.changes(before, min(1000, transaction.revision - before))
            self.tokens.take(changes)
            before = changes[-1].revision


def make_identity(
    store: Store, config: IdentityConfig = STANDARD, clock: Callable[[], float] = monotonic, time: Time = now
) -> Identity:
    """The identity API's part of a server; `clock` is seconds that only grow, `time` microseconds since 1970."""
    return Identity(store, SignedTokens(store, time), Lockout(clock), config)


class Asked(NamedTuple):
    """One request."""

    context: Context
    body: bytes
    path: str
    """Without the version."""
    query: Mapping[str, str]
    token: str
    """The caller's own, however it was sent; empty where none is needed."""
    subject: str
    """The token that the call is about."""
    root: str
    """The server's address as the client knows it."""
    base: str
    """The same of this API, with its version."""
    address: str
    """Where the request comes from."""


class Told(NamedTuple):
    """What is answered; `body` is what JSON can hold, None for no body."""

    status: int
    body: object
    headers: Mapping[str, str] = {}


def parse(decoder: Decoder[T], body: bytes) -> T:
    """A body, or a 400 that names what is wrong with it."""
    if body_has_nul(body):
        raise invalid(SAID)
    try:
        return decoder.decode(body)
    except ValidationError as error:
        raise invalid(_explain(str(error))) from error
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(
            "Expecting to find valid JSON in request body. The server could not comply with the request since it is "
            "either malformed or otherwise incorrect. The client is assumed to be in error."
        ) from error


def _explain(text: str) -> str:
    """Msgspec's words in Keystone's form."""
    said, _, place = text.partition(" - at `$")
    if said.startswith("Object missing required field"):
        name = said.split("`")[1]
        return f"{name!r} is a required property"
    field = place.rstrip("`").lstrip(".").replace(".", "/")
    return f"Invalid input for field {field!r}: {said}" if field else said


def is_true(text: str) -> bool:
    """A truth in a query, as Keystone reads it: by what is not one of the words for no."""
    return text.lower() not in ("0", "f", "false", "n", "no", "off")


def need_admin(context: Context, action: str) -> None:
    """A 403 for anybody else."""
    if not context.is_admin:
        raise forbidden(action)


def need_reader(context: Context, action: str) -> None:
    """A 403 for anybody but administrators, and those who may read the whole system."""
    if not (context.is_admin or (context.is_system and "reader" in context.roles)):
        raise forbidden(action)


def collection(asked: Asked, path: str, name: str, found: list[dict[str, Any]]) -> Told:
    """A list of everything that was found."""
    links = {"next": None, "self": f"{asked.base}/{path}", "previous": None}
    return Told(200, {name: found, "links": links})
