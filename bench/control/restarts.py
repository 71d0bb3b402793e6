"""Controllers go and come back, and all agents want a session again at once."""

import time
from collections.abc import Iterator

from bench.control.site import Site
from bench.figure import Figure, at_most

MOST_SECONDS = 10.0
MOST_MEMORY = 1_024.0
"""MiB that a controller may need meanwhile, above what it needs at rest."""


def figures(site: Site) -> Iterator[Figure]:
    """After controllers that ended in good order, and after some that were killed."""
    for way, end in (("ended", site.stop), ("killed", site.kill)):
        rest = site.memory()
        end()
        site.tell("lost", 60.0)
        cpu, records = site.agents_cpu, sum(each.records for each in site.standings())
        began = time.time()
        site.start()
        answering, waited = time.time() - began, site.waited()
        seconds = site.until(0) - began
        spent, sent = site.agents_cpu - cpu, sum(each.records for each in site.standings()) - records
        agents = site.profile.started
        how = (
            f"{agents:,} agents, from the start of controllers in the place of those that were {way}; {answering:.1f} s"
            f" until these answer, {waited:.1f} s of it without a processor; "
            f"{site.controllers_cpu:.1f} s CPU of the controller(s), {spent:.1f} of all agents; "
            f"{sent:,} records sent"
        )
        name = f"{site.profile.name}: controllers {way}, all agents in sync again"
        yield Figure(name, seconds, "s", how, at_most(MOST_SECONDS))
        how = f"its most, {site.peak():.0f} MiB, beside {rest:.0f} MiB of the one before it at rest"
        yield Figure(f"{name}, controller's memory", site.peak() - rest, "MiB", how, at_most(MOST_MEMORY))
