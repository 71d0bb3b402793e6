"""All kinds of records and their fields."""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from netplane.model import COMPUTED, CONTROL, KINDS, Record, kind_of
from netplane.model.record import READ_ONLY, Access
from tools.reference.markdown import page_of, summary, table_of

INTRODUCTION = (
    "Everything that netplane knows is a record of one of these kinds. `create` and `update` say where clients may "
    "write a field; the rest they may read, except what is hidden. The name is the one that the API uses."
)
PLAIN = {str: "text", int: "number", bool: "boolean", NoneType: "null"}


def page() -> str:
    """The page."""
    return page_of(
        "Records", INTRODUCTION, *(part for kind in (*KINDS, *CONTROL, *COMPUTED) for part in _section(kind))
    )


def _section(kind: type[Record]) -> Iterator[str]:
    yield f"## {kind_of(kind)}"
    yield summary(kind)
    hints = get_type_hints(kind, include_extras=True)
    yield table_of(
        ("field", "type", "clients", "meaning"),
        (_row(field, hints[field.name]) for field in msgspec.structs.fields(kind)),
    )


def _row(field: msgspec.structs.FieldInfo, hint: Any) -> tuple[str, ...]:
    meta = next((part for part in getattr(hint, "__metadata__", ()) if isinstance(part, msgspec.Meta)), msgspec.Meta())
    access: Access = (meta.extra or {}).get("access", READ_ONLY)
    return f"`{access.wire or field.name}`", _type(hint), _clients(access), meta.description or ""


def _clients(access: Access) -> str:
    if access.hidden:
        return "hidden"
    allowed = [name for name in ("create", "update") if getattr(access, name)]
    return ", ".join(allowed) or "read"


def _type(hint: Any) -> str:
    """A type as a reader of JSON knows it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _type(arguments[0])
    if origin in (Union, UnionType):
        return " or ".join(_type(argument) for argument in arguments)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    return PLAIN.get(hint, str(hint.__name__))
