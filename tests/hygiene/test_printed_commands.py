"""What the written pages tell a reader to type is there: `netplane` commands, their options, and tables by name."""

import re
import shlex

import click
import pytest

from netplane.cli import main
from netplane.tables.pipeline import TABLES
from tests.printed import printed

FOUND = sorted(set(printed()))


def test_pages_print_commands() -> None:
    assert {"trace", "status", "attach", "tables", "why", "log"} <= {words.split()[0] for _, words in FOUND}


@pytest.mark.parametrize(("page", "words"), FOUND)
def test_command(page: str, words: str) -> None:
    name, *arguments = shlex.split(words)
    command: click.Command | None = main
    for word in (name, *arguments):
        if isinstance(command, click.Group):
            command = command.get_command(click.Context(command), word)
    assert command is not None, f"{page}: netplane {words}"
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    given = {word.split("=")[0] for word in arguments if re.fullmatch(r"-[a-z]|--[a-z-]+(=.*)?", word)}
    assert given <= known, f"{page}: netplane {words}"
    if name == "tables" and len(arguments) > 1:
        assert arguments[-1] in {table.name for table in TABLES}, f"{page}: netplane {words}"
