"""How commands print: tables for people, one value in JSON or YAML for programs."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from io import StringIO
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

WIDE = 10_000
"""Characters of a line in a file or a pipe."""


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
        help="How to print: what people look for, or all of it for programs.  [default: table]",
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
        click.echo(json.dumps(value, indent=2))


def print_record(record: Mapping[str, Any], output: Format) -> None:
    """All of one thing: for people a line a field, and what it holds below it."""
    if output is not Format.TABLE:
        print_value(record, output)
        return
    for field, value in record.items():
        _tell(field, value, 0)


def _tell(field: str, value: Any, depth: int) -> None:
    start = f"{'  ' * depth}{field}:"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        click.echo(start)
        for item in value:
            said = ", ".join(f"{key} {each}" for key, each in item.items() if each not in (None, "", [], {}))
            click.echo(f"{'  ' * depth}  - {said}")
    elif isinstance(value, dict) and value:
        click.echo(start)
        for key, each in value.items():
            _tell(key, each, depth + 1)
    else:
        click.echo(f"{start:<28} {_text(value)}".rstrip())


def _cell(value: object) -> str:
    """Short: of addresses that belong to subnets, the addresses alone."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(_cell(each.get("ip_address")) if isinstance(each, dict) else _cell(each) for each in value)
        case _:
            return str(value)


def _text(value: Any) -> str:
    match value:
        case None | "" | [] | {}:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """A table without lines around it; as wide as it needs to be where nobody's window is in the way."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*map(_cell, row))
    # Names are whatever tenants make them: what looks like markup is part of one.
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDE
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))
