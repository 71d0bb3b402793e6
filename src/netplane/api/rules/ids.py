"""Ids of new resources: what is made one after the other lies side by side in every index.

A commit writes each page that it has touched, whole. With random ids each row of each index is on a page of its own as
soon as a table is large, and a port touches seven of them; so ids count up, and neighbours share their pages.

They look like random UUIDs (RFC 9562, version 4), since some clients take nothing else, and nobody can guess one: 40
bits count, from a start that each process draws, and 80 are random. The 40 bits are the ten digits that name a port's
tap device (`tap` and eleven characters of the id): one process gives them only once.
"""

from itertools import count
from os import urandom
from secrets import randbelow

COUNTED = 1 << 40

_numbers = count(randbelow(COUNTED))


def new_id() -> str:
    """The id of a new resource."""
    digits = f"{next(_numbers) % COUNTED:010x}{urandom(11).hex()}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
