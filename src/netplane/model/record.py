"""What all kinds of records share: identity, documented fields, references and claims."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from msgspec import Meta, Struct


class OnDelete(StrEnum):
    """What becomes of a record when what it refers to is deleted."""

    RESTRICT = "restrict"
    CASCADE = "cascade"

    __hash__ = str.__hash__
    """As fast as text: references are keys, and the enumeration's own takes as long as all the rest of one."""


class Reference(Struct, frozen=True, gc=False):
    """One record pointing at another: integrity for the store, reverse look-up for everybody.

    `kind` and `target` are the kind and the id of the other. A field that holds others back (`RESTRICT`) points at
    one kind only.
    """

    field: str
    kind: str
    target: str
    on_delete: OnDelete = OnDelete.RESTRICT


class Claim(NamedTuple):
    """A value that at most one record may hold in a space, such as an address in a subnet."""

    space: str
    value: str


class Access(Struct, frozen=True):
    """How the API treats a field; all False means that clients may read it only."""

    create: bool = False
    update: bool = False
    hidden: bool = False
    wire: str | None = None
    """The name clients know the field by, where it is not the field's own."""


READ_ONLY = Access()


def describe(
    text: str,
    *,
    create: bool = False,
    update: bool = False,
    hidden: bool = False,
    wire: str | None = None,
    **constraints: Any,
) -> Meta:
    """The declaration of a field: one sentence, who may write it, and msgspec's constraints (`max_length`, `ge`...)."""
    access = Access(create=create, update=update, hidden=hidden, wire=wire)
    return Meta(description=text, extra={"access": access}, **constraints)


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag_field="kind"):
    """A frozen value with an id that is unique among the records of its kind."""

    id: str

    collection: ClassVar[str] = ""
    """The plural that the API knows the kind by; empty for kinds that clients do not write."""

    found_by: ClassVar[tuple[str, ...]] = ()
    """Fields of text that it is looked up by besides its id, where they are not empty."""

    def references(self) -> Iterable[Reference]:
        """What this record points at."""
        return ()

    def claims(self) -> Iterable[Claim]:
        """What this record holds exclusively."""
        return ()

    def revises(self) -> tuple[str, str] | None:
        """Kind and id of the resource that counts a change of this record as one of its own."""
        return None
