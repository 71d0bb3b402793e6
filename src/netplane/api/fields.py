"""The declarations of records, as the API reads them."""

from functools import cache
from typing import Any, NamedTuple, get_args

from msgspec import NODEFAULT, Meta, structs

from netplane.model import Access, Record


class Field(NamedTuple):
    """One field of a kind."""

    name: str
    wire: str
    type: Any
    access: Access
    is_required: bool


@cache
def fields_of(kind: type[Record]) -> tuple[Field, ...]:
    """All fields of a kind that are not hidden, in the order of their declaration."""
    fields = (_field(info) for info in structs.fields(kind))
    return tuple(field for field in fields if not field.access.hidden)


@cache
def fields_by_wire(kind: type[Record]) -> dict[str, Field]:
    """The fields of a kind by the name that clients use, `tenant_id` for `project_id` included."""
    named = {field.wire: field for field in fields_of(kind)}
    return named | {"tenant_id": named["project_id"]} if "project_id" in named else named


def _field(info: structs.FieldInfo) -> Field:
    metas = [part for part in get_args(info.type) if isinstance(part, Meta)]
    access = next(meta.extra["access"] for meta in metas if meta.extra is not None)
    required = info.default is NODEFAULT and info.default_factory is NODEFAULT
    return Field(info.name, access.wire or info.name, info.type, access, required)
