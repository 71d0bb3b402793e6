"""What is said of one call: its parameters, its body and its answers."""

from collections.abc import Mapping
from typing import Any, NamedTuple

Schema = Mapping[str, Any]
"""A JSON Schema (2020-12)."""

ANYTHING: Schema = {"type": "object"}
WORD: Schema = {"type": "string"}
JSON = "application/json"


class Parameter(NamedTuple):
    """One parameter of a query, or a header."""

    name: str
    text: str
    schema: Schema = WORD
    is_repeated: bool = False
    place: str = "query"


class Described(NamedTuple):
    """One call."""

    summary: str
    parameters: tuple[Parameter, ...] = ()
    body: Schema | None = None
    status: int = 200
    """When all is well."""
    answer: Schema | None = ANYTHING
    """The body then; None for none."""
    refusals: tuple[int, ...] = (400, 403, 404)
    """What else may come of it, apart from what may come of every call."""
    media: str = JSON
    is_open: bool = False
    """Whether it needs no token."""
    group: str = "netplane"


Calls = Mapping[tuple[str, str], Described]
"""Calls by path and method."""
