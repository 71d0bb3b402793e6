"""`python -m bench.ovn`: one cloud in netplane and in OVN, the same figures of both in the same run, and their ratios.

The table is also written to `bench/results/`, with the machine, its load before and after, OVN's release, and what
every process used. Nothing of the system's own OVN or Open vSwitch is touched: programs, databases, sockets and
namespaces are this run's, and end with it.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.cloud import Cloud, Shape, build
from bench.machine import RESULTS, read_machine
from bench.ovn import given, report, series
from bench.ovn.beside import Netplane
from bench.ovn.programs import Programs, fetch
from bench.ovn.report import Row
from bench.ovn.site import Ovn
from bench.ovn.standing import System
from netplane.lab import ledger

PREFIX = "ovn-bench"
HOW = (
    "Cold start: everything is stored and nothing runs, until all entries are on the last real host. Changes: each on "
    "a system at rest, until its entries are on the port's own host, or on all real hosts that need it; of fewer than "
    "100, p99 is the largest. CPU: of all processes, with all that follows. Memory: the most of each process, and "
    "netplane's tables in the kernel. Restart: of a host's agent or ovn-controller, until it vouches for all entries."
)
DATAPATH = (
    "No packet is sent. Open vSwitch runs with a dummy datapath, neither its kernel module nor its userspace datapath: "
    "what is counted are the flows in its OpenFlow tables. netplane's entries are in the kernel's eBPF maps."
)


def main() -> int:
    """Measure, print, write."""
    options = _options()
    # So that whoever is told to end cleans up too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    console = Console(width=None if sys.stdout.isatty() else 160)
    shape = Shape(options.projects, options.projects * options.ports, options.hosts)
    programs = Programs(options.programs) if options.programs else fetch()
    facts: dict[str, Any] = {"machine": read_machine(), "versions": programs.read_versions(), "datapath": DATAPATH}
    facts["cloud"] = vars(options) | {"programs": str(programs.root)}
    facts["load before"] = os.getloadavg()
    rows: list[Row] = []
    with ExitStack() as stack:
        cloud = build(shape)
        systems = stack.enter_context(_prepared(cloud, programs, options, console))
        for row in _measured(systems, cloud, options):
            console.print(f"{row.what}: {row.both.ours:,.4g} {row.unit}, {row.both.theirs:,.4g}", style="dim")
            rows.append(row)
        facts["processes"] = {system.name: list(report.process_lines(system.read_spent())) for system in systems}
    facts["load after"] = os.getloadavg()
    console.print(_table(rows, facts, systems))
    console.print(f"{HOW}\n{DATAPATH}\n{given.SIZE}", style="dim")
    console.print(f"load before {facts['load before']}, after {facts['load after']}", style="dim")
    console.print(f"written to {_write(rows, facts)}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.ovn", description="Measure netplane beside OVN.")
    parser.add_argument("--projects", type=int, default=100, help="how many projects (100)")
    parser.add_argument("--ports", type=int, default=10, help="machines of each (10)")
    parser.add_argument("--hosts", type=int, default=20, help="hosts that carry them (20)")
    parser.add_argument("--real", type=int, default=4, help="how many of the hosts run, at least 2 (4)")
    parser.add_argument("--rounds", type=int, default=3, help="cold starts of each (3)")
    parser.add_argument("--changes", type=int, default=20, help="changes of each sort (20)")
    parser.add_argument("--burst", type=int, default=50, help="ports that are added at once (50)")
    parser.add_argument("--threads", type=int, default=1, help="threads of northd (1)")
    parser.add_argument("--programs", type=Path, help="a tree with OVN's programs, in place of Debian's")
    return parser.parse_args()


@contextmanager
def _prepared(
    cloud: Cloud, programs: Programs, options: argparse.Namespace, console: Console
) -> Iterator[tuple[Netplane, Ovn]]:
    """Both systems with the cloud stored, nothing running; in the end nothing is left of either.

    What OVN has made, its processes too, goes with the ledger.
    """
    ledger.sweep()
    book = ledger.claim(PREFIX)
    with ExitStack() as stack:
        stack.callback(book.destroy)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="netplane-bench-")))
        ours = Netplane(folder, cloud, real=options.real)
        theirs = Ovn(book, programs, cloud, real=options.real, threads=options.threads)
        stack.callback(ours.kill)
        for system in (ours, theirs):
            took = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in system.prepare().items())
            console.print(f"{system.name}: {took}", style="dim")
        yield ours, theirs


def _measured(systems: Sequence[System], cloud: Cloud, options: argparse.Namespace) -> Iterator[Row]:
    ours, theirs = (system.name for system in systems)
    starts = series.cold_starts(systems, options.rounds)
    yield from report.cold_rows(starts[ours], starts[theirs])
    for what, changed in series.changes(systems, cloud, options.real, options.changes):
        yield from report.change_rows(what, changed[ours], changed[theirs])
    bursts = series.bursts(systems, cloud, options.real, options.burst)
    yield from report.burst_rows(bursts[ours], bursts[theirs])
    yield from report.memory_rows(*(system.read_spent() for system in systems))
    restarts = series.restarts(systems, cloud.hosts[: options.real])
    yield from report.restart_rows(restarts[ours], restarts[theirs])


def _table(rows: list[Row], facts: dict[str, Any], systems: Sequence[System]) -> Table:
    cloud = facts["cloud"]
    size = f"{cloud['projects']:,} projects x {cloud['ports']} ports, {cloud['real']} real hosts of {cloud['hosts']}"
    table = Table(title=f"{size}; {facts['machine']['processor']}, kernel {facts['machine']['kernel']}")
    table.add_column("figure")
    for system in systems:
        table.add_column(system.name, justify="right")
    table.add_column("unit")
    table.add_column("ratio", justify="right")
    table.add_column("goal", justify="right")
    table.add_column(given.WHERE, justify="right")
    table.add_column("of", style="dim")
    for row in rows:
        goal = "" if row.goal is None else f"{row.goal:g} {_judged(row, cloud)}"
        bar = "" if row.given is None else f"{row.given:,g}"
        values = (f"{row.both.ours:,.4g}", f"{row.both.theirs:,.4g}")
        table.add_row(row.what, *values, row.unit, f"{row.ratio:,.3g}", goal, bar, row.made_of)
    return table


def _judged(row: Row, cloud: dict[str, Any]) -> str:
    """Whether a row reaches its goal, which is for clouds as large as the one of the second bar."""
    if cloud["projects"] * cloud["ports"] < given.PROJECTS * given.PORTS:
        return ""
    return "[green]met[/]" if row.goal is not None and row.ratio >= row.goal else "[red]missed[/]"


def _write(rows: list[Row], facts: dict[str, Any]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / time.strftime("ovn-%Y%m%d-%H%M%S.json", time.gmtime())
    figures = [row._asdict() | {"both": row.both._asdict(), "ratio": row.ratio} for row in rows]
    path.write_text(json.dumps({**facts, "figures": figures}, indent=1, default=str))
    return path


if __name__ == "__main__":
    sys.exit(main())
