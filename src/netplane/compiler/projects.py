"""Projects as the datapath counts for them: by numbers that nobody has to give out."""

from functools import lru_cache
from hashlib import blake2b


@lru_cache(maxsize=65_536)
def project_number(id: str) -> int:
    """The number of a project; 0 for none.

    Drawn from its id: should two projects ever have the same, they share one limit.
    """
    return int.from_bytes(blake2b(id.encode(), digest_size=4).digest(), "big") or 1 if id else 0
