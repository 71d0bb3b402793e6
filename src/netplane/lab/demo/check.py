"""What a check of the demo says."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from netplane.lab.demo.scene import Scene


class Check(NamedTuple):
    """One thing that was tried with real packets."""

    name: str
    ok: bool
    measured: str
    """What came out, in figures where there are any."""
    detail: str = ""
    """What else helps to understand a failure."""


Checks = Callable[[Scene], Iterator[Check]]
"""One item of the demo: yields its checks one after the other, as they are made."""


def all_of(name: str, results: Iterable[tuple[str, bool, str]]) -> Check:
    """One check out of several (who, whether it went well, what was measured); those that failed are in the detail."""
    results = tuple(results)
    failed = [f"{who}: {text}" for who, ok, text in results if not ok]
    measured = "; ".join(f"{who} {text}" for who, _, text in results)
    return Check(name, bool(results) and not failed, measured, "; ".join(failed))
