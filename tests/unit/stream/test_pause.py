"""How long a line waits between two writes."""

from netplane.stream.server import SHARE, TICK, pause


def test_a_line_alone_waits_a_tick_and_many_lines_share_the_time() -> None:
    assert pause(TICK, 1) == TICK
    assert pause(TICK, 1_000) == 1_000 * SHARE
    assert pause(0.0, 1) < TICK
