"""Pauses between attempts."""

import pytest

from netplane.stream.backoff import Backoff


@pytest.mark.parametrize(("random", "pauses"), [(1.0, [1, 2, 4, 5, 5]), (0.0, [0.5, 1, 2, 2.5, 2.5])])
def test_pauses_double_up_to_a_limit(random: float, pauses: list[float]) -> None:
    backoff = Backoff(lambda: random, first=1, longest=5)
    assert [backoff.pause() for _ in pauses] == pauses
    backoff.reset()
    assert backoff.pause() == pauses[0]
