"""Ids: of new resources, so that what is made one after the other lies side by side in every index, and of requests.

A commit writes each page that it has touched, whole. With random ids each row of each index is on a page of its own as
soon as a table is large, and a port touches seven of them; so ids count up, and neighbours share their pages.

They look like random UUIDs (RFC 9562, version 4), since some clients take nothing else, and nobody can guess one: 32
bits count, from a start that each process draws, and 88 are random. One process gives the 32 bits only once: they are
what the datapath calls a security group's rule by, and most of the ten digits that name a port's tap device.
"""

from itertools import count
from os import urandom
from secrets import randbelow

COUNTED = 1 << 32
BYTES = 16
"""Of a number that nobody can guess."""
STOCK = 256
"""Such numbers that are drawn together: each time the interpreter is left, and another thread may take it."""

_numbers = count(randbelow(COUNTED))
_drawn: list[str] = []


def new_id() -> str:
    """The id of a new resource."""
    digits = _draw()
    counted = f"{next(_numbers) % COUNTED:08x}"
    return f"{counted}-{digits[:4]}-4{digits[4:7]}-a{digits[7:10]}-{digits[10:22]}"


def request_id() -> str:
    """The id of a request, as OpenStack's services write it."""
    digits = _draw()
    return f"req-{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _draw() -> str:
    try:
        return _drawn.pop()
    except IndexError:
        digits = urandom(BYTES * STOCK).hex()
        # Threads may draw at once: each takes one for itself first.
        _drawn.extend(digits[start : start + 2 * BYTES] for start in range(2 * BYTES, len(digits), 2 * BYTES))
        return digits[: 2 * BYTES]
