"""How a table was laid out when its entries were written, as text; and how to carry entries into another layout.

The text is kept beside the pinned table. A new release that declares the table otherwise finds there what the old
one wrote, and converts entry by entry: fields go by name, new fields start at 0, and what the agent writes is put
right by its next reconcile. A number that has become an array of numbers is the first of these.
"""

from collections.abc import Callable
from struct import Struct
from sys import byteorder
from typing import Any

from netplane.tables.schema import Field, FieldType, Kind, Layout, Ring, Table

Converter = Callable[[bytes], bytes]


def write_layout(table: Table, room: int) -> str:
    """Kind, room for entries, key and value on one line: `HASH 4096 ifindex:U32 vni:U32,mac:MAC,flags:U16`."""
    return f"{table.kind.name} {room} {_write_fields(table.key)} {_write_fields(table.value)}"


def write_ring_layout(ring: Ring) -> str:
    """The same for a ring: its size in bytes, and its events."""
    return f"RING {ring.size} {_write_fields(ring.event)}"


def read_layout(name: str, text: str) -> Table | None:
    """A table as a layout describes it, its capacity the room that it has; `None` if the text is none that is known."""
    try:
        kind, capacity, key, value = text.split(" ")
        return Table(name, "", Kind[kind], _read_fields(key), _read_fields(value), capacity=int(capacity))
    except (KeyError, ValueError):
        return None


def converters(old: Table, new: Table) -> tuple[Converter, Converter]:
    """Functions that carry keys and values of a table from an earlier layout to its present one."""
    return _between(old.key, new.key), _between(old.value, new.value)


def _write_fields(layout: Layout) -> str:
    return ",".join(f"{field.name}:{field.type.name}" for field in layout.fields)


def _read_fields(text: str) -> tuple[Field, ...]:
    pairs = (item.split(":") for item in text.split(","))
    return tuple(Field(name, FieldType[kind]) for name, kind in pairs)


def _between(old: Layout, new: Layout) -> Converter:
    if old.format == new.format and old.offsets() == new.offsets():
        return lambda packed: packed
    unpack, pack = Struct(old.format).unpack, Struct(new.format).pack
    before = [field for field in old.fields if not field.is_padding]
    names, kinds = [field.name for field in before], {field.name: field.type for field in before}
    wanted = [(field.name, _nothing(field.type)) for field in new.fields if not field.is_padding]
    arrays = {field.name: kinds[field.name].size for field in new.fields if _widens(kinds.get(field.name), field.type)}

    def convert(packed: bytes) -> bytes:
        known: dict[str, Any] = dict(zip(names, unpack(packed), strict=True))
        known |= {name: known[name].to_bytes(size, byteorder) for name, size in arrays.items()}
        return pack(*(known.get(name, nothing) for name, nothing in wanted))

    return convert


def _widens(old: FieldType | None, new: FieldType) -> bool:
    return old is not None and not old.is_bytes and new.is_bytes and old.c_type == new.c_type


def _nothing(kind: FieldType) -> int | bytes:
    return bytes(kind.size) if kind.is_bytes else 0
