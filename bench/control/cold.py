"""Everything is stored, nothing runs: until the entries of all hosts are in their tables."""

import time
from collections.abc import Iterator

from bench.control.site import Filled, Site
from bench.figure import Figure, Goal, at_most

Goals = tuple[Goal | None, Goal | None, Goal | None]
GOALS: dict[str, Goals] = {
    "large": (at_most(90), at_most(1.2 * 1024), None),
    "flat": (at_most(150), None, at_most(40)),
}
"""Seconds of processor of everything, MiB of a controller, MiB of a host's entries in the kernel."""


def figures(site: Site, filled: Filled) -> Iterator[Figure]:
    """Processor time, memory, entries."""
    before, began = site.agents_cpu, time.time()
    site.tell("start")
    site.start()
    answering, loaded, waited = time.time() - began, site.controllers_cpu, site.waited()
    seconds = site.until(filled.revision) - began
    size, shape, started = site.profile.name, site.profile.shape, site.profile.started
    part = shape.hosts / started
    controllers = loaded + part * (site.controllers_cpu - loaded)
    ports, used, standings = site.cloud.ports, site.agents_cpu - before, site.standings()
    freed = sum(each.freed for each in standings)
    agents = part * (used - freed)
    goals = GOALS.get(size, (None, None, None))
    what = f"{ports:,} ports, {len(site.cloud.projects):,} projects, {shape.hosts:,} hosts"
    how = (
        f"{what}; {controllers:.1f} s of controllers ({loaded:.1f} s until they answer, {answering:.1f} by the clock, "
        f"{waited:.1f} of it without a processor), "
        f"{agents:.1f} s of all agents, without {freed:.1f} s in which some let go of what they had; "
        f"{seconds:.1f} s by the clock. {site.profile.agents}"
    )
    yield Figure(f"{size}: cold start, CPU of everything", controllers + agents, "s CPU", how, goals[0])
    yield Figure(f"{size}: cold start, CPU a port", (controllers + agents) / ports * 1e3, "ms CPU", what)
    yield Figure(f"{size}: controller, CPU a port", controllers / ports * 1e3, "ms CPU", what)
    entries, records = sum(each.entries for each in standings), sum(each.records for each in standings)
    how = f"{records / started:,.0f} records and {entries / started:,.0f} entries on a host"
    yield Figure(f"{size}: agent, CPU an entry", agents / part / entries * 1e6, "µs CPU", how)
    yield Figure(f"{size}: controller, most memory", site.peak(), "MiB", what, goals[1])
    yield Figure(f"{size}: controller, memory a port", site.memory() * 1024 / ports, "KiB", what)
    yield Figure(f"{size}: entries of a host", entries / started, "", _tables(site))
    how = (
        f"what the maps of the real ones say, but for {standings[0].empty:,.0f} MiB that they take when they are empty"
    )
    kernel = max(each.kernel for each in standings) - standings[0].empty
    yield Figure(f"{size}: kernel's memory for a host's entries", kernel, "MiB", how, goals[2])
    if site.profile.whole * site.profile.fleets >= started:
        how = "what the processes of agents have, over all hosts"
        yield Figure(f"{size}: agent, memory", sum(each.memory for each in standings) / started, "MiB", how)
    if problems := sum(each.problems for each in standings):
        raise AssertionError(f"{problems} problems on hosts")
    how = f"{ports:,} ports written in bulk; {filled.octets / ports:,.0f} bytes of database a port"
    yield Figure(f"{size}: stored, CPU a port", filled.cpu / ports * 1e6, "µs CPU", how)


def _tables(site: Site) -> str:
    totals: dict[str, int] = {}
    for standing in site.standings():
        for table, count in standing.tables.items():
            totals[table] = totals.get(table, 0) + count
    hosts = site.profile.started
    largest = sorted(totals.items(), key=lambda item: -item[1])[:6]
    return "mean of all; " + ", ".join(f"{table} {count / hosts:,.0f}" for table, count in largest)
