"""The figures of both systems as rows of one table: values, their ratio, the second bar, and the goal of the ratio."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from statistics import median
from typing import NamedTuple

from bench.ovn import given
from bench.ovn.series import Burst, Changed, Restarted
from bench.ovn.standing import Cold, Realised, Spent, cpu

FASTER, QUICKER, CHEAPER, SMALLER = 40.0, 20.0, 20.0, 10.0
"""Goals: cold start, a port's 99th percentile, processor time, memory; so many times less than OVN."""
CENTRAL = "central"

Read = Callable[[Realised], float]


class Both(NamedTuple):
    """One figure of each system."""

    ours: float
    theirs: float


class Row(NamedTuple):
    """One line of the table."""

    what: str
    unit: str
    both: Both
    made_of: str
    """What the figure was made of."""
    goal: float | None = None
    """How many times less than theirs ours should be."""
    given: float | None = None
    """The second bar."""

    @property
    def ratio(self) -> float:
        """How many times as much theirs is."""
        return self.both.theirs / self.both.ours if self.both.ours else float("inf")


def cold_rows(ours: list[Cold], theirs: list[Cold]) -> Iterator[Row]:
    """Cold starts."""

    def middle(read: Callable[[Cold], float]) -> Both:
        return Both(median(map(read, ours)), median(map(read, theirs)))

    how = f"median of {len(ours)} in turn"
    yield Row("cold start", "s", middle(lambda cold: cold.seconds), how, FASTER, given.COLD_SECONDS)
    used = middle(lambda cold: cpu(cold.spent))
    yield Row("cold start, all processes", "s CPU", used, how, CHEAPER, given.COLD_CPU)
    entries = middle(lambda cold: sum(cold.entries.values()) / len(cold.entries))
    yield Row("entries, flows of a host", "", entries, "mean", None, given.FLOWS)


def memory_rows(ours: Mapping[str, Spent], theirs: Mapping[str, Spent]) -> Iterator[Row]:
    """The most memory of processes: of the central ones together, of those of a host, and of all."""
    how = "most of each, summed"
    central = Both(_peak(ours, hosts=False), _peak(theirs, hosts=False))
    yield Row("memory, central processes", "MiB", central, how, SMALLER, given.SOUTHBOUND + given.NORTHD)
    host = Both(_peak(ours, hosts=True) / _hosts(ours), _peak(theirs, hosts=True) / _hosts(theirs))
    yield Row("memory, a host", "MiB", host, f"{how}; mean", SMALLER, given.CONTROLLER)


def change_rows(what: str, ours: Changed, theirs: Changed) -> Iterator[Row]:
    """One sort of change."""
    is_added = what == "port added"
    count = len(ours.taken)
    how = f"{count} in turn"
    here: dict[str, Read] = {"its host": lambda one: one.here} if what.startswith("port") else {}
    everywhere: dict[str, Read] = {"all hosts": lambda one: one.everywhere}
    for where, read in (here | everywhere).items():
        mine, other = [read(one) for one in ours.taken], [read(one) for one in theirs.taken]
        bars = (given.ADDED_MEDIAN, given.ADDED_WORST) if is_added and where in here else (None, None)
        yield Row(f"{what}, {where}: p50", "ms", Both(median(mine), median(other)), how, None, bars[0])
        worst, goal = Both(percentile(mine, 99), percentile(other, 99)), QUICKER if is_added else None
        yield Row(f"{what}, {where}: p99", "ms", worst, how, goal, bars[1])
    yield Row(f"{what}, all processes", "ms CPU", Both(ours.cpu * 1e3, theirs.cpu * 1e3), how, CHEAPER)


def burst_rows(ours: Burst, theirs: Burst) -> Iterator[Row]:
    """Many ports at once."""
    what = f"{ours.ports:,} ports at once"
    yield Row(f"{what}, all hosts", "s", Both(ours.seconds, theirs.seconds), "one burst")
    used = Both(ours.cpu / ours.ports * 1e3, theirs.cpu / theirs.ports * 1e3)
    yield Row(f"{what}, all processes, a port", "ms CPU", used, "one burst", CHEAPER)


def restart_rows(ours: list[Restarted], theirs: list[Restarted]) -> Iterator[Row]:
    """A host's agent killed and started again."""
    how = f"median of {len(ours)} in turn"
    seconds = Both(median(one.seconds for one in ours), median(one.seconds for one in theirs))
    yield Row("agent restart", "s", seconds, how, None, given.RESTART)
    used = Both(median(one.cpu for one in ours), median(one.cpu for one in theirs))
    yield Row("agent restart, all processes", "s CPU", used, how, CHEAPER)


def process_lines(spent: Mapping[str, Spent]) -> Iterable[str]:
    """What each process of a system used, a line each."""
    return (f"{name}: {one.cpu:,.2f} s CPU, {one.peak:,.0f} MiB at most" for name, one in spent.items())


def percentile(values: Iterable[float], percent: int) -> float:
    """What so many of 100 values do not exceed; of fewer than 100 values, the 99th is the largest."""
    found = sorted(values)
    return found[min(len(found) * percent // 100, len(found) - 1)]


def _peak(spent: Mapping[str, Spent], *, hosts: bool) -> float:
    return sum(one.peak for name, one in spent.items() if (_where(name) != CENTRAL) is hosts)


def _hosts(spent: Mapping[str, Spent]) -> int:
    return len({_where(name) for name in spent} - {CENTRAL})


def _where(name: str) -> str:
    return name.partition(":")[0]
