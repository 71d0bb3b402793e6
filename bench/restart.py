"""An agent starts again on a host with 500 ports in 100 projects: how soon it is as it was, and what it touches.

`tests/lab/test_survival.py` shows that no packet is lost meanwhile: the datapath goes on by itself.
"""

import time
from collections.abc import Iterator

from bench.cloud import Shape
from bench.control.profile import Profile
from bench.control.site import open_site
from bench.figure import Figure, at_most

ROUNDS = 5
AGENT = Profile("restart", Shape(projects=100, ports=2_000, hosts=4, together=5), real=1, whole=1, sampled=1)
MOST_SECONDS = 1.0


def figures() -> Iterator[Figure]:
    """Seconds and entries."""
    with open_site(AGENT) as (running, filled):
        running.tell("start")
        running.start()
        running.until(filled.revision)
        entries = running.standings()[0].entries
        clock, cpu, edits = [], [], 0
        for _ in range(ROUNDS):
            spent, began = running.agents_cpu, time.time()
            running.tell("restart")
            clock.append(running.until(filled.revision) - began)
            cpu.append(running.agents_cpu - spent)
            edits += running.standings()[0].edits
        name = running.cloud.hosts[0].name
    mine = [project for project in running.cloud.projects if any(port.host == name for port in project.ports)]
    ports = sum(port.host == name for project in mine for port in project.ports)
    how = (
        f"best of {ROUNDS}; {ports} local ports in {len(mine)} projects, {entries:,} entries in the kernel; journal "
        f"read, compiled, compared, in sync with the controller; {min(cpu):.2f} s CPU, the start of Python not counted"
    )
    yield Figure("agent starts again: converged", min(clock), "s", how, at_most(MOST_SECONDS))
    yield Figure("agent starts again: entries touched", edits, "", f"in {ROUNDS} restarts", at_most(0))
