"""How often an address moves, whatever machines say."""

from netplane.controller.moves import REST, Move, Moves

HERE, THERE = Move("h1", "a", "10.0.0.100", "02:00:00:00:00:0a"), Move("h2", "b", "10.0.0.100", "02:00:00:00:00:0b")
PLACE, OTHER = "net 10.0.0.100", "net 10.0.0.101"


def test_the_first_move_is_made_at_once_and_the_last_one_said_later() -> None:
    moves = Moves()
    assert moves.hear(PLACE, HERE, 100.0)
    assert moves.hear(OTHER, HERE, 100.0), "another address has its own rest"
    for step in range(50):
        assert not moves.hear(PLACE, (THERE, HERE)[step % 2], 100.0 + step / 100)
    assert not moves.hear(PLACE, THERE, 100.6)
    assert (moves.due(100.9), len(moves)) == ([], 1)
    assert (moves.due(100.0 + REST), len(moves)) == ([THERE], 0)
    assert not moves.hear(PLACE, HERE, 100.5 + REST), "it rests again"
    assert moves.due(100.0 + 2 * REST) == [HERE]
    assert not moves.hear(PLACE, THERE, 102.5)
    assert moves.hear(PLACE, HERE, 103.5), "what waited is older than what is said now"
    assert moves.due(110.0) == []


def test_nothing_is_kept_of_addresses_that_have_rested() -> None:
    moves = Moves()
    for number in range(1_000):
        assert moves.hear(str(number), HERE, 5.0)
    assert moves.due(5.0 + REST) == []
    assert not moves._resting
    assert moves.hear(PLACE, HERE, 7.0)
