"""Deltas: what differs, and what two of them come to."""

import pytest

from netplane.base.delta import Delta, diff, merge

Tables = dict[str, dict[bytes, bytes]]


def copy(tables: Tables) -> Tables:
    return {table: dict(entries) for table, entries in tables.items()}


STATES: list[Tables] = [
    {"a": {}, "b": {}},
    {"a": {b"1": b"x"}, "b": {}},
    {"a": {b"1": b"y", b"2": b"x"}, "b": {b"1": b"z"}},
    {"a": {b"2": b"x"}, "b": {b"1": b"z", b"3": b"z"}},
]
PAIRS = [(first, second) for first in STATES for second in STATES]


@pytest.mark.parametrize(("actual", "desired"), PAIRS)
def test_diff_turns_actual_into_desired(actual: Tables, desired: Tables) -> None:
    delta = diff(desired, actual)
    delta.apply_to(found := copy(actual))
    assert found == desired
    assert bool(delta) is (actual != desired)
    assert not diff(desired, found)


@pytest.mark.parametrize("middle", STATES)
@pytest.mark.parametrize(("first", "last"), PAIRS)
def test_merged_deltas_do_what_both_do(first: Tables, middle: Tables, last: Tables) -> None:
    merged = merge(diff(middle, first), diff(last, middle))
    merged.apply_to(found := copy(first))
    assert found == last
    assert not any(set(merged.writes.get(table, ())) & set(keys) for table, keys in merged.deletes.items())
    assert all(merged.writes.values())
    assert all(merged.deletes.values())


def test_tables_that_are_not_named_are_left_alone() -> None:
    assert not diff({"a": {}}, {"other": {b"1": b"x"}})


def test_length_counts_edits() -> None:
    assert len(Delta({"a": {b"1": b"x"}, "b": {b"1": b"x", b"2": b"x"}}, {"a": [b"3"]})) == 4


def test_deletes_of_what_is_not_there_are_no_harm() -> None:
    tables: Tables = {}
    Delta({}, {"a": [b"1"]}).apply_to(tables)
    assert tables == {}
