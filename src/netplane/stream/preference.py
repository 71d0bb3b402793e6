"""Which controller a host tries first: hosts spread over all of them, without anybody deciding."""

from collections.abc import Sequence
from hashlib import sha256

MOST = 16
"""Controllers that a host was told of and remembers."""


def preferred(host: str, controllers: Sequence[str]) -> list[str]:
    """The controllers in a host's own order, the same each time (rendezvous hashing).

    When one is gone, its hosts spread over the others; all other hosts stay where they are.
    """
    return sorted(controllers, key=lambda controller: sha256(f"{host} {controller}".encode()).digest())


def remembered(told: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The latest first, and behind them those of before: who is away now may be back when others are not."""
    return tuple(dict.fromkeys((*told, *known)))[:MOST]
