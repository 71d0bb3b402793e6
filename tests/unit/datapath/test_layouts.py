"""Layouts as text, and entries carried from one into another."""

from sys import byteorder

import pytest

from netplane.datapath.layouts import converters, read_layout, write_layout
from netplane.tables.pipeline import PORT, TABLES
from netplane.tables.schema import Field, FieldType, Kind, Table

MAC = b"\2\0\0\0\1\5"


def table(**fields: FieldType) -> Table:
    """A table whose value has these fields."""
    value = tuple(Field(name, kind) for name, kind in fields.items())
    return Table("sample", "", Kind.HASH, (Field("index", FieldType.U32),), value, capacity=10)


def test_a_layout_on_one_line() -> None:
    assert (
        write_layout(PORT, 8192) == "HASH 8192 ifindex:U32,vlan:U16,pad:U16 vni:U32,mac:MAC,flags:U16,mtu:U16,pad:U16"
    )


@pytest.mark.parametrize("declared", TABLES, ids=repr)
def test_what_is_written_is_read(declared: Table) -> None:
    found = read_layout(declared.name, write_layout(declared, 4096))
    assert found is not None
    assert (found.kind, found.capacity) == (declared.kind, 4096)
    assert (found.key.offsets(), found.value.offsets()) == (declared.key.offsets(), declared.value.offsets())
    assert (found.key.format, found.value.format) == (declared.key.format, declared.value.format)


@pytest.mark.parametrize("text", ["", "HASH", "HASH x a:U32 b:U32", "TREE 1 a:U32 b:U32", "HASH 1 a:U99 b:U32"])
def test_what_is_no_layout(text: str) -> None:
    assert read_layout("sample", text) is None


def check(old: Table, new: Table, before: tuple[int | bytes, ...], after: dict[str, int | bytes]) -> None:
    """A value of `old` becomes `after`; keys stay as they are."""
    key, value = converters(old, new)
    assert key(old.pack_key(3)) == new.pack_key(3)
    assert new.unpack_value(value(old.pack_value(*before))) == after


def test_the_same_layout() -> None:
    old = table(mac=FieldType.MAC, pad=FieldType.U16)
    check(old, old, (MAC,), {"mac": MAC})


def test_fields_go_by_name() -> None:
    old = table(a=FieldType.U32, mac=FieldType.MAC, pad=FieldType.U16)
    check(old, table(mac=FieldType.MAC, pad=FieldType.U16, a=FieldType.U64), (7, MAC), {"mac": MAC, "a": 7})


def test_new_fields_start_at_nothing_and_old_ones_are_forgotten() -> None:
    new = table(b=FieldType.U32, mac=FieldType.MAC, port=FieldType.BE16)
    check(table(a=FieldType.U32, b=FieldType.U32), new, (1, 2), {"b": 2, "mac": bytes(6), "port": bytes(2)})


def test_a_number_becomes_the_first_of_many() -> None:
    old, new = table(host=FieldType.U32), table(host=FieldType.U32X16)
    check(old, new, (7,), {"host": (7).to_bytes(4, byteorder) + bytes(60)})
