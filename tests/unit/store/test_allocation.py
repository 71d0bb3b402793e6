"""The search for free numbers."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netplane.store.allocation import FIRST_WINDOW, Cursors, free_windows


def search(claimed: set[int], low: int, high: int, start: int) -> list[int]:
    def taken(values: Sequence[str]) -> set[str]:
        return {value for value in values if int(value) in claimed}

    windows = [*free_windows(low, high, start, str, taken)]
    assert all(value == str(number) for window in windows for value, number in window.items())
    return [number for window in windows for number in window.values()]


@pytest.mark.parametrize(
    ("claimed", "start", "expected"),
    [
        (set(), 1, [1, 2, 3, 4, 5, 6]),
        (set(), 4, [4, 5, 6, 1, 2, 3]),
        ({4, 5}, 4, [6, 1, 2, 3]),
        ({1, 2, 3, 4, 5, 6}, 1, []),
        ({1, 2, 3, 5, 6}, 6, [4]),
    ],
)
def test_free_numbers(claimed: set[int], start: int, expected: list[int]) -> None:
    assert search(claimed, 1, 6, start) == expected


@given(st.sets(st.integers(0, 300)), st.integers(0, 300))
def test_every_free_number_is_found_once(claimed: set[int], start: int) -> None:
    found = search(claimed, 0, 300, start)
    assert sorted(found) == sorted(set(range(301)) - claimed)


def test_a_long_search_asks_seldom() -> None:
    questions: list[int] = []

    def taken(values: Sequence[str]) -> set[str]:
        questions.append(len(values))
        return set(values) if len(questions) < 5 else set()

    windows = free_windows(1, 10**9, 1, str, taken)
    first = next(number for window in windows for number in window.values())
    assert first == FIRST_WINDOW + 256 + 500 + 500 + 1
    assert len(questions) == 5


def test_cursors_go_on_and_come_round() -> None:
    cursors = Cursors()
    assert cursors.get("a", 1, 9) == 1
    cursors.given("a", 1, 9, 4)
    assert cursors.get("a", 1, 9) == 5
    cursors.given("a", 1, 9, 9)
    assert cursors.get("a", 1, 9) == 1
    assert cursors.get("b", 1, 9) == 1
    assert cursors.get("b", 1, 9, 7) == 7
    assert cursors.get("a", 1, 9, 7) == 1
