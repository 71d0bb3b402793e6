"""The datapath's tables: what lies at which byte of each key and value."""

from collections.abc import Iterator

from netplane.tables.pipeline import TABLES
from netplane.tables.rings import RINGS
from netplane.tables.schema import Layout, Ring, Table
from tools.reference.markdown import page_of, table_of

INTRODUCTION = (
    "One section a table, in the order in which a patch writes them. Numbers are in the host's byte order, `BE16` in "
    "network order; an `ADDRESS` is 16 bytes with IPv4 in its mapped form. `netplane.tables.pipeline` declares all of "
    "this, and the C header that the programs are compiled with is made from the same lines. A table begins with room "
    "for some entries and grows as it fills, up to as many as it may have."
)


def page() -> str:
    """The page."""
    overview = table_of(
        ("table", "map", "entries at first", "at most", "written by", "key, bytes", "value, bytes"),
        ((f"[{t.name}](#{t.name})", t.kind.name, f"{t.room:,}", f"{t.capacity:,}", *_rest(t)) for t in TABLES),
    )
    sections = [part for table in TABLES for part in _section(table)]
    return page_of("Tables", INTRODUCTION, overview, *sections, *(part for ring in RINGS for part in _ring(ring)))


def _rest(table: Table) -> tuple[object, ...]:
    return table.writer.value, table.key.size, table.value.size


def _section(table: Table) -> Iterator[str]:
    yield f"## {table.name}"
    yield table.text
    rows = [*_rows("key", table.key), *_rows("value", table.value)]
    yield table_of(("part", "byte", "field", "type", "meaning"), rows)


def _ring(ring: Ring) -> Iterator[str]:
    yield f"## {ring.name}"
    yield f"{ring.text} A ring of {ring.size:,} bytes: the datapath writes events, the agent takes them out."
    yield table_of(("part", "byte", "field", "type", "meaning"), _rows("event", ring.event))


def _rows(part: str, layout: Layout) -> Iterator[tuple[object, ...]]:
    offsets = layout.offsets()
    for field in layout.fields:
        if not field.is_padding:
            yield part, offsets[field.name], f"`{field.name}`", field.type.name, field.text
