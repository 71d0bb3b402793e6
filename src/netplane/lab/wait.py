"""Waiting for conditions, with a deadline and never for longer than needed."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


class NotReached(AssertionError):
    """A condition did not come true in time."""


def until(what: str, condition: Callable[[], Value | None], seconds: float = 10.0, interval: float = 0.01) -> Value:
    """Ask until the answer is true and give it; NotReached, with `what`, after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise NotReached(f"{what}: not within {seconds:g} s")
        time.sleep(interval)
