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
    """All commands by name."""
    context = click.Context(main, info_name="netplane")
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        yield name, command


def _sections() -> Iterator[str]:
    settings = {**main.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    parent = click.Context(main, info_name="netplane", **settings)
    for name, command in commands():
        context = click.Context(command, info_name=name, parent=parent, **settings)
        yield f"## netplane {name}"
        yield f"```\n{command.get_help(context)}\n```"
