"""What no file of this project holds."""

import re
from pathlib import Path

import pytest

from tests.hygiene.sources import name, python_files, written_files

FORBIDDEN = {
    "notes to oneself": r"\b(TODO|FIXME|XXX|HACK)\b",
    "conflict markers": r"^(<{7}|>{7}) ",
    "mocks": r"\bunittest\.mock\b|\bMagicMock\b",
    "a skip without a reason": r"pytest\.skip\(\)|mark\.skip\b(?!\(|if)|mark\.skip\(\)",
    "types waved through": r"# type: ignore(?!\[)|# noqa(?!:)",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what], re.MULTILINE)
    others = (path for path in written_files() if path != Path(__file__))
    assert [name(path) for path in others if pattern.search(path.read_text())] == []


def test_no_file_is_long() -> None:
    """A file is one idea that fits in one head."""
    assert [name(path) for path in python_files("src") if len(path.read_text().splitlines()) > 500] == []
