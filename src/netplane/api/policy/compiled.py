"""The table as the calls use it: numbers by the names of fields, made once."""

from functools import cache
from typing import NamedTuple

from netplane.api.fields import fields_by_wire
from netplane.api.policy.table import TABLE
from netplane.model import Record

VERBS = ("create", "update", "show")


class Compiled(NamedTuple):
    """The lines of one kind. Personas are numbers; see `Persona`."""

    lines: dict[str, int]
    """All of them."""
    given: dict[str, dict[str, int]]
    """For `create` and `update`: who may give a field, by the field's name in records."""
    seen: dict[str, int]
    """Who sees a field, by the name that clients use."""


@cache
def compiled(kind: type[Record]) -> Compiled:
    """The lines of a kind, ready for use."""
    lines = {line: int(personas) for line, personas in TABLE[kind].items()}
    known = fields_by_wire(kind)
    by_verb: dict[str, dict[str, int]] = {verb: {} for verb in VERBS}
    for line, personas in lines.items():
        verb, _, field = line.partition(":")
        if field and verb in VERBS:
            name = known[field].name if field in known and verb != "show" else field
            by_verb[verb][name] = personas
    return Compiled(lines, {verb: by_verb[verb] for verb in ("create", "update")}, by_verb["show"])


@cache
def hidden(kind: type[Record], personas: int) -> frozenset[str]:
    """The fields of a kind, by the names that clients use, that who is these personas does not see."""
    return frozenset(field for field, may in compiled(kind).seen.items() if not personas & may)
