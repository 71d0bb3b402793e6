"""The command line, as `--help` says it."""

from collections.abc import Iterator

import click

from netplane.cli import main
from tools.reference.markdown import page_of

WIDTH = 100
INTRODUCTION = (
    "What `netplane COMMAND --help` prints. `server`, `agent`, `up` and `demo` run something; every other command asks "
    "a controller by HTTP."
)


def page() -> str:
    """The page."""
    return page_of("Command line", INTRODUCTION, *(part for part in _sections()))


def commands() -> Iterator[tuple[str, click.Command]]:
    """All commands by name, with the groups before what is in them: `host`, `host list`."""
    for context in _contexts():
        yield context.command_path.removeprefix("netplane "), context.command


def _contexts(parent: click.Context | None = None) -> Iterator[click.Context]:
    """One for each command below another, as if it were called."""
    if parent is None:
        settings = {**main.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
        parent = click.Context(main, info_name="netplane", **settings)
    group = parent.command
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH)
        yield context
        yield from _contexts(context)


def _sections() -> Iterator[str]:
    for context in _contexts():
        depth = context.command_path.count(" ")
        yield f"{'#' * (depth + 1)} {context.command_path}"
        yield f"```\n{context.command.get_help(context)}\n```"
