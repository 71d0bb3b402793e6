"""What is installed is pinned, and what is imported is declared."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hygiene.sources import ROOT, name, parsed, python_files

PINNED = [ROOT / "requirements/runtime.txt", ROOT / "requirements/dev.txt"]
IMPORTED_AS = {"dnspython": "dns", "pyjwt": "jwt", "ruamel-yaml": "ruamel"}
"""Where a distribution's module has another name."""


@pytest.mark.parametrize("path", PINNED, ids=name)
def test_every_requirement_has_a_version_and_hashes(path: Path) -> None:
    requirements = path.read_text().replace("\\\n", " ").splitlines()
    bad = [line for line in requirements if not re.match(r"[a-z0-9.-]+==[^ ]+ .*--hash=sha256:[0-9a-f]{64}", line)]
    assert bad == []


@pytest.mark.parametrize("path", PINNED, ids=name)
def test_no_requirement_names_where_it_comes_from(path: Path) -> None:
    assert re.findall(r"://|--index|--find-links|--extra|@ ", path.read_text()) == []


@pytest.mark.parametrize("kind", ["runtime", "dev"])
def test_everything_asked_for_is_pinned(kind: str) -> None:
    pinned = set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / f"requirements/{kind}.txt").read_text(), re.MULTILINE))
    assert set(asked(kind)) - pinned == set()


def test_netplane_imports_what_it_declares() -> None:
    """Whatever `src` imports is the language's, netplane's or in `requirements/runtime.in`; and all of that is used."""
    declared = {IMPORTED_AS.get(requirement, requirement) for requirement in asked("runtime")}
    used = {module for path in python_files("src") for module in imported(path)}
    optional = set(asked("keystone"))
    assert used - declared - optional - set(sys.stdlib_module_names) - {"netplane"} == set()
    assert (declared | optional) - used == LOADED_BY_OTHERS


LOADED_BY_OTHERS = {"httptools", "psycopg-binary"}
"""By uvicorn as it is configured, and by psycopg; never imported by us."""


def asked(kind: str) -> list[str]:
    """The requirements that we chose, without those that they bring along."""
    lines = (ROOT / f"requirements/{kind}.in").read_text().splitlines()
    return [line for line in lines if line and line[0] not in "#-"]


def imported(path: Path) -> Iterator[str]:
    """The top-level modules that a file imports."""
    for node in ast.walk(parsed(path)):
        match node:
            case ast.Import(names):
                yield from (alias.name.split(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module)):
                yield module.split(".")[0]
