"""What can be set where: environment variables and the file of tokens."""

from collections.abc import Iterator, Sequence

import click

from tools.reference.cli import commands
from tools.reference.markdown import page_of, table_of

INTRODUCTION = (
    "Every setting is an option of a command ([command line](cli.md)). These can also be given in the environment; an "
    "option on the command line wins."
)
FEW = 4
"""Commands that are named one by one."""
TOKENS = """## The file of tokens

`netplane server --tokens FILE` reads it once, at its start. `netplane up` makes one with random secrets in its state
directory, readable by root only.

```toml
[[token]]
secret = "..."            # what a client sends as X-Auth-Token
project = "..."           # the project that it speaks for
roles = ["member"]        # "member" (the default) changes what is its project's; see [policy](policy.md)
user = "..."              # optional: the name in the change log; the project's if left out
```"""


def page() -> str:
    """The page."""
    rows = sorted(_variables())
    return page_of("Configuration", INTRODUCTION, table_of(("variable", "option", "what it sets"), rows), TOKENS)


def _variables() -> Iterator[tuple[str, str, str]]:
    """Each variable once, with the commands that read it."""
    found: dict[str, tuple[list[str], str]] = {}
    for name, command in commands():
        for option in command.params:
            if isinstance(option, click.Option) and isinstance(option.envvar, str):
                uses, text = found.setdefault(option.envvar, ([], option.help or ""))
                uses.append(f"{name} {option.opts[0]}")
    for variable, (uses, text) in found.items():
        yield f"`{variable}`", _listed(uses), text


def _listed(uses: Sequence[str]) -> str:
    """Options of some commands; of many, how many they are."""
    if len(uses) <= FEW:
        return ", ".join(f"`{use}`" for use in uses)
    return f"`{uses[0].rpartition(' ')[2]}` of {len(uses)} commands"
