"""What a pure function reports instead of raising when the world is inconsistent."""

from typing import NamedTuple


class Problem(NamedTuple):
    """One inconsistency: who it concerns and what is wrong, in words for an operator."""

    kind: str
    id: str
    text: str
