"""A figure: one number that was measured, and the goal it is held against.

A module of this package that defines `figures() -> Iterable[Figure]` is found and run by `python -m bench`. It
measures what it compares with in the same run: a ratio to a peer holds on any machine, a number of seconds does not.
"""

from enum import Enum
from typing import NamedTuple


class Better(Enum):
    """Which way of a goal is the right one."""

    LOWER = "at most"
    HIGHER = "at least"


class Goal(NamedTuple):
    """What a figure should reach."""

    better: Better
    value: float

    def is_met_by(self, value: float) -> bool:
        """Whether a measured value reaches it."""
        return value <= self.value if self.better is Better.LOWER else value >= self.value

    def __str__(self) -> str:
        return f"{self.better.value} {self.value:,g}"


class Figure(NamedTuple):
    """A name, a number, its unit, how it was measured, and the goal if there is one."""

    name: str
    value: float
    unit: str
    how: str
    goal: Goal | None = None


def at_most(value: float) -> Goal:
    """A goal for what should be small."""
    return Goal(Better.LOWER, value)


def at_least(value: float) -> Goal:
    """A goal for what should be large."""
    return Goal(Better.HIGHER, value)
