"""How commands print: tables for people, one JSON value for programs."""

import json
from collections.abc import Iterable, Sequence

import click
from rich.console import Console
from rich.table import Table

WIDE = 10_000
"""Characters of a line in a file or a pipe."""

as_json = click.option("--json", "wants_json", is_flag=True, help="Print JSON.")


def print_json(value: object) -> None:
    """One JSON value, readable."""
    click.echo(json.dumps(value, indent=2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """A table without lines around it; as wide as it needs to be where nobody's window is in the way."""
    table = Table(*columns, title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDE
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))
