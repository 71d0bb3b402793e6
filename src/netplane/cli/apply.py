"""`netplane apply` and `netplane plan`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from netplane.cli.client import Client, asks_controller
from netplane.cli.output import Format, print_value, wants_format
from netplane.cli.topology.applying import NotDone
from netplane.cli.topology.applying import apply as carry_out
from netplane.cli.topology.document import Document, Mistake, parse_document
from netplane.cli.topology.planning import Found, Step, counted
from netplane.cli.topology.planning import plan as make_plan
from netplane.cli.topology.reading import read_found

PASSES = 3
"""How often to look again: what a new security group brings along is known only once it is there."""

SIGNS = {"create": "+", "update": "~", "delete": "-"}

Command = TypeVar("Command", bound=Callable[..., Any])


def takes_file(command: Command) -> Command:
    """Option `-f`."""
    return click.option(
        "-f",
        "--file",
        required=True,
        type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
        help="The topology, in YAML; `-` for standard input.",
    )(command)


prunes = click.option("--prune", is_flag=True, help="Delete what the topology once made and no longer names.")


@click.command()
@takes_file
@prunes
@asks_controller
@wants_format
def plan(file: Path, client: Client, output: Format, *, prune: bool) -> None:
    """Show what `netplane apply` would do, and do nothing.

    Ends with status 2 if there is something to do, 0 if everything is as the file says.
    """
    document = _read(file)
    _, steps = _plan(file, client, document, prune=prune)
    _show(steps, output)
    if steps:
        raise click.exceptions.Exit(2)


@click.command()
@takes_file
@prunes
@click.option("--wait", default=10.0, show_default=True, help="Seconds to wait until hosts have it in their kernels.")
@asks_controller
@wants_format
def apply(file: Path, wait: float, client: Client, output: Format, *, prune: bool) -> None:
    """Make a project's network what a file says.

    Networks, subnets, routers, groups, ports and all else that `netplane get` knows. What is so already stays as it is,
    so it can be repeated at will. What the file does not name stays too, unless the topology made it and --prune is
    given.
    """
    document = _read(file)
    done: list[Step] = []
    for _ in range(PASSES):
        found, steps = _plan(file, client, document, prune=prune)
        if not steps:
            break
        try:
            carry_out(client, document, found, steps, lambda step: _tell(step, output))
        except NotDone as problem:
            raise click.ClickException(_at(file, problem.line, str(problem))) from None
        done += steps
    if output is not Format.TABLE:
        _show(done, output)
    else:
        click.echo(f"{document.topology}: " + (f"done ({counted(done)})" if done else "as it should be"))
    _wait(client, wait, output)


def _read(file: Path) -> Document:
    try:
        with click.open_file(str(file), encoding="utf-8") as text:
            return parse_document(text.read())
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise click.ClickException(f"{file}: not a text in UTF-8") from None
    except Mistake as mistake:
        raise click.ClickException(_at(file, mistake.line, str(mistake))) from None


def _plan(file: Path, client: Client, document: Document, *, prune: bool) -> tuple[Found, list[Step]]:
    found = read_found(client, document, prune=prune)
    try:
        return found, make_plan(document, found, prune=prune)
    except Mistake as mistake:
        raise click.ClickException(_at(file, mistake.line, str(mistake))) from None


def _at(file: Path, line: int, text: str) -> str:
    return f"{file}:{line}: {text}" if line else f"{file}: {text}"


def _show(steps: Sequence[Step], output: Format) -> None:
    if output is not Format.TABLE:
        print_value([{"do": step.verb, "what": step.what, "changes": list(step.changes)} for step in steps], output)
        return
    for step in steps:
        _tell(step, output)
    click.echo(f"to do: {counted(steps)}" if steps else "nothing to do")


def _tell(step: Step, output: Format) -> None:
    """A line a step."""
    if output is Format.TABLE:
        said = f"  {', '.join(step.changes)}" if step.changes else ""
        click.echo(f"{SIGNS[step.verb]} {step.what}{said}")


def _wait(client: Client, seconds: float, output: Format) -> None:
    """Say where the last change is real; a tenant is told how many hosts, not which."""
    if not client.revision or seconds <= 0:
        return
    body = client.get(f"/netplane/v1/revisions/{client.revision}?wait={min(seconds, 60):g}")
    if body["pending"]:
        raise click.ClickException(f"not yet in the kernels of {len(body['pending'])} hosts: see `netplane status`")
    if output is Format.TABLE:
        click.echo(f"real on {len(body['realised'])} hosts")
