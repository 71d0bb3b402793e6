"""Whether what is already is what is wanted. Pure."""

from ipaddress import ip_network
from typing import Any


def covers(found: Any, wanted: Any) -> bool:
    """Whether a value has all that is wanted; what is not said may be anything, and lists have no order."""
    match wanted:
        case dict():
            return isinstance(found, dict) and all(covers(found.get(key), each) for key, each in wanted.items())
        case list():
            return isinstance(found, (list, tuple)) and _covers_each(list(found), wanted)
        case bool():
            return found is wanted
        case None:
            return found is None or found in ("", [])
        case str() | int() | float():
            return found is not None and not isinstance(found, (dict, list)) and _plain(found) == _plain(wanted)
        case _:
            return False


def _covers_each(found: list[Any], wanted: list[Any]) -> bool:
    """One to one; the most particular wishes choose first."""
    if len(found) != len(wanted):
        return False
    left = list(found)
    for each in sorted(wanted, key=lambda value: -len(value) if isinstance(value, dict) else 0):
        place = next((index for index, one in enumerate(left) if covers(one, each)), None)
        if place is None:
            return False
        del left[place]
    return True


def _plain(value: Any) -> str:
    """A text that is equal for what means the same: `80` and 80, addresses however they are written."""
    text = str(value)
    if isinstance(value, str) and (":" in text or "." in text):
        try:
            return str(ip_network(text, strict=False))
        except ValueError:
            pass
    return text
