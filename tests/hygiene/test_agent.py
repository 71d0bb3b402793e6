"""A hypervisor carries only what it runs."""

import subprocess
import sys

import pytest

FORBIDDEN = (
    "sqlalchemy",
    "starlette",
    "uvicorn",
    "netplane.api",
    "netplane.store",
    "netplane.controller",
    "netplane.tables.machine",
)

LOADED = """
import importlib, pkgutil, sys
import netplane.agent
for module in pkgutil.walk_packages(netplane.agent.__path__, "netplane.agent."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(*sys.modules)
"""


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """All modules that are there once the whole agent is imported."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", FORBIDDEN)
def test_the_agent_does_not_load(loaded: set[str], module: str) -> None:
    """Import-linter judges the sources; this sees what is really loaded."""
    assert "netplane.agent" in loaded
    assert module not in loaded
