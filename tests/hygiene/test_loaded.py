"""What a process loads before it does anything: only what it runs."""

import subprocess
import sys
from functools import cache

import pytest

WHOLE_AGENT = """
import importlib, pkgutil
import netplane.agent
for module in pkgutil.walk_packages(netplane.agent.__path__, "netplane.agent."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""
CONTROLLER = """
import netplane.controller.server, netplane.cli.server
from netplane.store import Store
from tempfile import TemporaryDirectory
with TemporaryDirectory() as folder:
    store = Store.open(f"{folder}/new.db")
    with store.view() as foresee:
        foresee([])
        store.revision
    store.close()
"""
"""One that works on SQLite."""

COMMANDS = """
import netplane.model
from netplane.cli import main
context = main.make_context("netplane", ["status"])
for name in ("apply", "delete", "describe", "get", "host", "log", "status", "trace", "watch", "why"):
    assert main.get_command(context, name)
"""
"""Those that ask a controller, and end."""
UP = "import netplane.model, netplane.cli.up"
"""Before it has started what it keeps running."""

PROGRAMS = {"the whole agent": WHOLE_AGENT, "a controller": CONTROLLER, "commands": COMMANDS, "up": UP}

FORBIDDEN = {
    "the whole agent": (
        "sqlalchemy",
        "starlette",
        "uvicorn",
        "netplane.api",
        "netplane.store",
        "netplane.controller",
        "netplane.tables.machine",
    ),
    "a controller": (
        "alembic",
        "jwt",
        "keystonemiddleware",
        "netplane.agent",
        "netplane.compiler",
        "netplane.datapath",
        "netplane.store.libpq",
        "psycopg",
        "pyroute2",
        "rich",
        "ruamel",
        "sqlalchemy.dialects.postgresql",
        "sqlalchemy.orm",
        "urllib3",
    ),
    "commands": (
        "asyncio",
        "cryptography",
        "netplane.agent",
        "netplane.api",
        "netplane.controller",
        "netplane.datapath",
        "netplane.store",
        "rich",
        "sqlalchemy",
        "starlette",
    ),
    "up": ("cryptography", "netplane.api", "netplane.store", "sqlalchemy", "starlette", "uvicorn"),
}


@cache
def loaded(program: str) -> frozenset[str]:
    """All modules that are there once a program has run."""
    text = PROGRAMS[program] + "\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return frozenset(done.stdout.split())


@pytest.mark.parametrize(("program", "module"), [(name, each) for name, found in FORBIDDEN.items() for each in found])
def test_what_is_not_loaded(program: str, module: str) -> None:
    """Import-linter judges the sources; this sees what is really loaded."""
    assert "netplane.model" in loaded(program)
    assert module not in loaded(program)


WATCHED = """
import gc, sys
from click.testing import CliRunner
from netplane.cli import main
looks = []
gc.callbacks.append(lambda phase, about: looks.append(about))
result = CliRunner().invoke(main, {words})
print(len(looks), gc.get_freeze_count(), len(sys.modules), result.output)
"""
"""How often the collector looks while a command runs, and how much it will never look at."""


@pytest.mark.parametrize("words", [["server", "--public-url", "nowhere"], ["agent", "--state", "/nonexistent"]])
def test_what_is_loaded_is_never_looked_through_for_garbage(words: list[str]) -> None:
    """Each fails once it has loaded everything."""
    text = WATCHED.format(words=words)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    looks, kept, loaded, said = done.stdout.split(maxsplit=3)
    assert "Error" in said
    assert int(looks) == 0
    assert int(kept) > int(loaded)
