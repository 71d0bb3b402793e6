"""How commands print: tables for people, one value in JSON or YAML for programs."""

import json
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from io import StringIO
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

Command = TypeVar("Command", bound=Callable[..., Any])

WIDE = 10_000
"""Characters of a line in a file or a pipe."""

as_json = click.option("--json", "wants_json", is_flag=True, help="Print JSON.")


class Format(Enum):
    """How to print."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def wants_format(command: Command) -> Command:
    """Option `-o`; the command gets it as `output`."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(Format, case_sensitive=False),
        default=Format.TABLE,
        show_default=True,
        help="How to print.",
    )(command)


def print_value(value: object, output: Format) -> None:
    """A value for programs."""
    if output is Format.YAML:
        from ruamel.yaml import YAML

        yaml = YAML(typ="rt", pure=True)  # keeps the order
        yaml.default_flow_style = False
        text = StringIO()
        yaml.dump(value, text)
        click.echo(text.getvalue(), nl=False)
    else:
        print_json(value)


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
