"""Parameters of netplane's own paths, checked before anything is looked up; ApiError 400 for what is none."""

from collections.abc import Iterable, Sequence

from netplane.api.errors import invalid


def check_known(query: Iterable[str], names: Sequence[str]) -> None:
    """Refuse names of parameters that a path does not know."""
    if unknown := sorted(set(query).difference(names)):
        raise invalid(f"there is no filter {', '.join(map(repr, unknown))}; there are {', '.join(names)}")


def parse_number(name: str, text: str, least: int, most: int) -> int:
    """The number that a parameter's text is; `most` has at most 19 digits."""
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) <= most):
        raise invalid(f"'{name}' is a number from {least} to {most}, not {text!r}")
    return int(text)
