"""Markdown from plain values."""

import ast
import inspect
from collections.abc import Iterable, Sequence
from enum import Enum
from textwrap import dedent

HEAD = "<!-- Written by `make docs` from what the code declares; edit it there. -->"


def page_of(title: str, *parts: str) -> str:
    """A page: its title, and paragraphs or tables."""
    return "\n\n".join([HEAD, f"# {title}", *parts]) + "\n"


def table_of(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; bars in cells are escaped."""
    lines = [list(head), ["---"] * len(head), *([str(cell).replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def summary(thing: object) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def member_texts(enum: type[Enum]) -> dict[str, str]:
    """What stands below each member of an enumeration as a string, by name; not every member has one."""
    body = ast.parse(dedent(inspect.getsource(enum))).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            match following:
                case ast.Expr(ast.Constant(str(text))):
                    found[statement.targets[0].id] = " ".join(text.split())
    return found
