"""The character NUL, which no text may have: PostgreSQL stores none, and fails whoever asks for one."""

import re

SAID = "A text has the character NUL."

_ESCAPED = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""Behind an even number of backslashes: behind an odd one it is four digits, and a backslash that is meant."""


def body_has_nul(body: bytes) -> bool:
    """Whether a text in some JSON has it; it can only be there escaped."""
    return b"\\u0000" in body and _ESCAPED.search(body) is not None


def address_has_nul(path: str, query: bytes) -> bool:
    """Whether a request's path (decoded) or query (as it came) has it."""
    return "\0" in path or b"%00" in query
