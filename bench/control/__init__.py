"""The control plane at scale: real controllers, every host's real session and compiler, a whole cloud.

`make bench ARGS=control` measures the small size, `ARGS=control:middle` another, `ARGS=control:small,middle,large`
several, with how each figure grows from one to the next. What is real and what stands in for it each figure says.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.figure import Figure


def figures(sizes: str = "small") -> Iterator["Figure"]:
    """All figures of each size, and their growth. KeyError if there is no such size."""
    # Not before it is asked for: agents are processes that import this package, and must not carry what controllers do.
    from bench.control import course

    return course.figures(sizes)
