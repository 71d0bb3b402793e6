"""The generated pages are fresh, and the written ones name everything that they should."""

import pytest

from netplane import __version__
from netplane.tables.decisions import Reason
from tests.hygiene.sources import PACKAGE, ROOT
from tools.reference import DIRECTORY, PAGES, api


@pytest.mark.parametrize("page", PAGES)
def test_page_is_fresh(page: str) -> None:
    """`make docs` writes it."""
    assert (DIRECTORY / page).read_text() == PAGES[page]()


def test_no_page_is_left_over() -> None:
    assert {path.name for path in DIRECTORY.iterdir()} == set(PAGES)


@pytest.mark.parametrize("path", [path for path in api.served_paths() if path.startswith("/netplane/")])
def test_every_path_of_our_own_is_explained(path: str) -> None:
    """In the docstring of `controller.routes`, which the page repeats."""
    assert path.replace(":int}", "}") in PAGES["api.md"]()


def test_the_changelog_has_an_entry_for_this_version() -> None:
    assert f"\n## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.NONE], ids=lambda r: r.name)
def test_operations_explains_every_drop(reason: Reason) -> None:
    assert f"| `{reason.name}` |" in (ROOT / "docs/operations.md").read_text()


def test_the_code_map_names_every_room() -> None:
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    text = (ROOT / "ARCHITECTURE.md").read_text()
    assert {room for room in rooms if f"`{room}/`" not in text} == set()
