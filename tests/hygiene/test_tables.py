"""The tables' layouts are what a C compiler makes of them, and the shipped object is what the sources make."""

from pathlib import Path

import pytest

from netplane.tables.header import header
from netplane.tables.pipeline import TABLES
from netplane.tables.schema import FieldType, Kind, Layout, Table
from tools.compile_datapath import HEADER, OBJECT, compile_program

LAYOUTS = [
    pytest.param(layout, id=f"{table.name}.{part}")
    for table in TABLES
    for part, layout in (("key", table.key), ("value", table.value))
]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_field_is_aligned(layout: Layout) -> None:
    offsets = layout.offsets()
    assert [f.name for f in layout.fields if offsets[f.name] % f.type.alignment] == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_gap_at_the_end(layout: Layout) -> None:
    assert layout.size % max(field.type.alignment for field in layout.fields) == 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_names_are_distinct(layout: Layout) -> None:
    assert len({field.name for field in layout.fields}) == len(layout.fields)


@pytest.mark.parametrize("table", [t for t in TABLES if t.kind is Kind.LPM], ids=repr)
def test_prefix_tables_start_with_the_length(table: Table) -> None:
    first = table.key.fields[0]
    assert (first.name, first.type) == ("bits", FieldType.U32)


def test_table_names_are_distinct_and_fit_the_kernel() -> None:
    """The kernel keeps 15 characters of a map's name (BPF_OBJ_NAME_LEN)."""
    assert len({table.name for table in TABLES}) == len(TABLES)
    assert all(len(table.name) <= 15 for table in TABLES)


def test_the_header_is_fresh() -> None:
    """`make build` writes it; the offsets and sizes that it asserts are checked by the compiler."""
    assert HEADER.read_text() == header()


def test_the_object_is_fresh(tmp_path: Path) -> None:
    """`make build` compiles it; two builds of the same sources are the same bytes."""
    fresh = tmp_path / OBJECT.name
    compile_program(fresh)
    assert fresh.read_bytes() == OBJECT.read_bytes()
