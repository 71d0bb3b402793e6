"""Pauses between attempts."""

import pytest

from netplane.stream.backoff import FIRST, Backoff


@pytest.mark.parametrize(("random", "pauses"), [(1.0, [1, 2, 4, 5, 5]), (0.0, [0.5, 1, 2, 2.5, 2.5])])
def test_pauses_grow_up_to_a_limit(random: float, pauses: list[float]) -> None:
    backoff = Backoff(lambda: random, first=1, longest=5, growth=2)
    assert [backoff.pause() for _ in pauses] == pauses
    backoff.reset()
    assert backoff.pause() == pauses[0]


def test_whoever_comes_back_is_met_soon() -> None:
    backoff, waited = Backoff(lambda: 1.0), 0.0
    for _ in range(15):
        pause = backoff.pause()
        assert pause <= FIRST + 0.21 * waited
        waited += pause
