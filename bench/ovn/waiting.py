"""Waiting for what OVN is about to do, by looking again and again; the times that matter come with what is found."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 1800.0
"""Seconds that anything may take."""
LOOK = 0.02
"""Seconds between two looks."""

T = TypeVar("T")


def wait_for(find: Callable[[], T | None], look: float = LOOK) -> T:
    """What is there at last; TimeoutError if it does not come."""
    end = time.monotonic() + PATIENCE
    while (found := find()) is None:
        if time.monotonic() > end:
            raise TimeoutError("OVN does not come to rest")
        time.sleep(look)
    return found


def wait_until(holds: Callable[[], bool], look: float = LOOK) -> None:
    """Look until something holds; TimeoutError if it does not come to that."""
    wait_for(lambda: holds() or None, look)
