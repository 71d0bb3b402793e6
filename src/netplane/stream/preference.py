"""Which controller a host tries first: hosts spread over all of them, without anybody deciding."""

from collections.abc import Sequence
from hashlib import sha256


def preferred(host: str, controllers: Sequence[str]) -> list[str]:
    """The controllers in a host's own order, the same each time (rendezvous hashing).

    When one is gone, its hosts spread over the others; all other hosts stay where they are.
    """
    return sorted(controllers, key=lambda controller: sha256(f"{host} {controller}".encode()).digest())
