"""`python -m bench [MODULE[:SIZES]...]`: measures, and prints one table of figures, goals and how each was taken.

The table is also written to `bench/results/`, with the machine it was measured on, so that two runs can be compared.
The exit status says whether every measurement could be made; a missed goal is shown, and fails only with `--strict`.
"""

import argparse
import json
import pkgutil
import sys
import time
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import bench
from bench.figure import Figure
from bench.machine import RESULTS, Yardstick, read_machine


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure netplane.")
    names = "only these; all if none is named. Some take sizes, such as control:small,middle"
    parser.add_argument("modules", nargs="*", metavar="MODULE[:SIZES]", help=names)
    parser.add_argument("--strict", action="store_true", help="fail if a goal is missed")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 160)
    machine, yardstick = read_machine(), Yardstick()
    yardstick.look()
    figures: list[Figure] = []
    failed: list[str] = []
    for name in options.modules or list(_modules()):
        console.print(f"measuring: {name}", style="dim")
        try:
            for row in _measured(name):
                yardstick.look()
                figures.append(Figure(*row))
                console.print(f"{row.name}: {row.value:,.4g} {row.unit}", style="dim")
        except Exception as error:  # one measurement that cannot be made must not hide the others
            failed.append(f"{name}: {type(error).__name__}: {error}")
    machine["million additions in Python"] = str(yardstick)
    console.print(_table(figures, machine))
    for line in failed:
        console.print(f"not measured: {line}", style="red")
    console.print(f"written to {_write(figures, machine)}")
    missed = [figure for figure in figures if figure.goal and not figure.goal.is_met_by(figure.value)]
    return 1 if failed or (options.strict and missed) else 0


def _measured(name: str) -> Iterable[Figure]:
    module, _, sizes = name.partition(":")
    found: Iterable[Figure] = import_module(f"bench.{module}").figures(*filter(None, [sizes]))
    return found


def _modules() -> Iterator[str]:
    """The names of the modules that measure something."""
    for module in pkgutil.iter_modules(bench.__path__):
        if not module.name.startswith("_") and hasattr(import_module(f"bench.{module.name}"), "figures"):
            yield module.name


def _table(figures: list[Figure], machine: dict[str, str]) -> Table:
    title = ", ".join(f"{name} {value}" for name, value in machine.items())
    table = Table(title=title)
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("goal")
    table.add_column("how it was measured", style="dim")
    for figure in figures:
        table.add_row(figure.name, f"{figure.value:,.4g}", figure.unit, _judged(figure), figure.how)
    return table


def _judged(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    return f"{figure.goal} " + ("[green]met[/]" if figure.goal.is_met_by(figure.value) else "[red]missed[/]")


def _write(figures: list[Figure], machine: dict[str, str]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / time.strftime("%Y%m%d-%H%M%S.json", time.gmtime())
    path.write_text(json.dumps({"machine": machine, "figures": [_plain(figure) for figure in figures]}, indent=1))
    return path


def _plain(figure: Figure) -> dict[str, Any]:
    return figure._asdict() | {"goal": figure.goal and str(figure.goal)}


if __name__ == "__main__":
    sys.exit(main())
