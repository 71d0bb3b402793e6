"""What is noted of the machine that is measured on."""

import re

from bench.machine import Yardstick, read_machine


def test_the_machine_is_named_with_its_load() -> None:
    found = read_machine()
    assert re.fullmatch(r"\d+ x .+", found["processor"])
    assert float(found["load"]) >= 0


def test_the_speed_of_the_machine_is_told_as_a_range() -> None:
    yardstick = Yardstick()
    yardstick.look()
    yardstick.look()  # A moment later: it costs nothing.
    found = re.fullmatch(r"([\d.]+) to ([\d.]+) s, median ([\d.]+) s", str(yardstick))
    assert found is not None
    least, most, middle = map(float, found.groups())
    assert 0 < least == middle == most
