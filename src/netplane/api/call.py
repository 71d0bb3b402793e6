"""One request and one answer, apart from HTTP."""

from typing import NamedTuple

from netplane.api.context import Context


class Call(NamedTuple):
    """What a client asks: everything but the path."""

    context: Context
    body: bytes
    query: tuple[tuple[str, str], ...]
    url: str
    """The address that was asked, without its query."""
    if_match: int | None = None
    """The revision number that the resource must have to be changed; None if any will do."""


class Answer(NamedTuple):
    """What it is told. `body` is what JSON can hold, None for no body; `revision` is that of the last change made."""

    status: int
    body: object
    revision: int | None = None
