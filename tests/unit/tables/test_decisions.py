"""What the numbers promise."""

from netplane.tables.decisions import PACES, Cost, Limit, Punt


def test_whatever_goes_to_the_agent_has_a_pace() -> None:
    assert set(PACES) == {*Punt, *Cost}


def test_no_two_limits_are_one() -> None:
    """Members of an enumeration with the same value would be one member, and one of them missing in C."""
    assert len(Limit) == len(Limit.__members__)
