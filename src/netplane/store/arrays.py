"""Arrays as PostgreSQL takes them: many values of one type for one place of a statement.

Texts, numbers and truths go as the text of an array; bytes go in its binary form, since as text each would be read
three times over. A type's number stands in the server's catalogue and never changes.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Any

from psycopg import DataError

_BYTEA = 17
_HEAD = Struct("!iiiii")
_LENGTH = Struct("!i")


def array(values: Sequence[Any]) -> tuple[bytes, bool]:
    """The values, all of one type or None, and whether that is binary; DataError for what no text may have."""
    kinds = {*map(type, values)}
    if bytes in kinds:
        return _binary(values), True
    if kinds == {str}:
        text = '","'.join(values)
        # Hardly any has what must be escaped.
        if text.count('"') == 2 * (len(values) - 1) and "\\" not in text and "\0" not in text:
            return f'{{"{text}"}}'.encode(), False
    return f"{{{','.join(map(_text, values))}}}".encode(), False


def _text(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return "t" if value else "f"
        case int():
            return str(value)
        case str():
            if "\0" in value:
                raise DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    raise TypeError(f"no value for an array: {value!r}")


def _binary(values: Sequence[bytes | None]) -> bytes:
    """Dimensions, whether any is NULL, the type; length and first index; then each with its length."""
    parts = [_HEAD.pack(1, None in values, _BYTEA, len(values), 1)]
    for value in values:
        parts += (_LENGTH.pack(-1),) if value is None else (_LENGTH.pack(len(value)), value)
    return b"".join(parts)
