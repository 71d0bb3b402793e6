"""From a change's call to its entries on every host that needs it, in a cloud in which others change things too.

The ends are the times at which the controller heard each host's acknowledgement, by the same clock as the beginning.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from statistics import median
from threading import Event, Thread
from typing import NamedTuple

from bench.control.changes import Change, Tenants
from bench.control.site import Site
from bench.figure import Figure, Goal, at_most

BACKGROUND = 20.0
"""Changes a second that others make meanwhile."""
GOALS: dict[str, tuple[Goal, Goal, Goal]] = {"port added": (at_most(12), at_most(50), at_most(120))}
"""At most so many ms: the median and the 99th percentile on its host, the latter everywhere."""
WARM = 20
"""Changes of each sort before those that count."""


class Taken(NamedTuple):
    """Milliseconds of one change."""

    here: float
    """Until it was in the tables of the host that it is about; 0 if there is none, or its agent does not run."""
    everywhere: float
    hosts: int
    """That needed it."""


def figures(site: Site) -> Iterator[Figure]:
    """Median and 99th percentile of each sort, and what a change costs."""
    tenants = Tenants(site.api(), site.cloud)
    for what, change in tenants.sorts.items():
        count = site.profile.changes
        if change == tenants.add:
            for _ in range(WARM):
                _time(tenants, change)
        with background(site, seed=len(what)) as others:
            before, cpu = others.made, (site.controllers_cpu, site.agents_cpu)
            taken = [_time(tenants, change) for _ in range(count)]
            made = count + others.made - before
            spent = site.controllers_cpu - cpu[0], site.agents_cpu - cpu[1]
        yield from _figures(site.profile.name, what, taken, made, spent)


def _figures(size: str, what: str, taken: list[Taken], made: int, spent: tuple[float, float]) -> Iterator[Figure]:
    hosts = sum(each.hosts for each in taken) / len(taken)
    cost = f"{spent[0] / made * 1e3:.1f} ms CPU of the controller, {spent[1] / made * 1e3:.1f} of all agents a change"
    how = f"{len(taken)} beside {BACKGROUND:g} other changes/s, each needed by {hosts:.1f} hosts on average; {cost}"
    goals = GOALS.get(what, (None, None, None))
    if here := [each.here for each in taken if each.here]:
        yield Figure(f"{size}: {what}, on its host, median", median(here), "ms", how, goals[0])
        yield Figure(f"{size}: {what}, on its host, 99th percentile", worst(here), "ms", how, goals[1])
    everywhere = [each.everywhere for each in taken]
    yield Figure(f"{size}: {what}, everywhere, median", median(everywhere), "ms", how)
    yield Figure(f"{size}: {what}, everywhere, 99th percentile", worst(everywhere), "ms", how, goals[2])


def worst(values: list[float]) -> float:
    """What 99 of 100 values do not exceed."""
    return sorted(values)[max(len(values) * 99 // 100 - 1, 0)]


def _time(tenants: Tenants, change: Change) -> Taken:
    began = time.time()
    host = change()
    answer = tenants.api.read_realised(tenants.api.revision)
    if answer["pending"]:
        raise TimeoutError(f"revision {tenants.api.revision} is not on {answer['pending'][:3]}")
    ends = {name: (stamped(text) - began) * 1e3 for name, text in answer["realised"].items()}
    return Taken(ends.get(host, 0.0), max(ends.values(), default=0.0), len(ends))


def stamped(text: str) -> float:
    """A time as the controller writes it, since the epoch."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


class Others:
    """How many changes others have made."""

    def __init__(self) -> None:
        self.made = 0
        self.fault: BaseException | None = None


@contextmanager
def background(site: Site, seed: int) -> Iterator[Others]:
    """Others add and delete ports meanwhile, at an even pace."""
    others, stop = Others(), Event()
    tenants = Tenants(site.api(), site.cloud, seed)

    def work() -> None:
        begin = time.monotonic()
        try:
            while not stop.wait(max(0.0, begin + others.made / BACKGROUND - time.monotonic())):
                (tenants.delete if others.made % 2 else tenants.add)()
                others.made += 1
        except BaseException as fault:
            others.fault = fault

    thread = Thread(target=work)
    thread.start()
    try:
        yield others
    finally:
        stop.set()
        thread.join()
        if others.made % 2:
            tenants.delete()
    if others.fault:
        raise others.fault
