"""Topologies in, entries out as readable text, next to each other in `topologies/`.

`NETPLANE_UPDATE_GOLDEN=1 pytest tests/golden` writes the text anew; read the difference before committing it.
"""

import os
from pathlib import Path

import pytest

from netplane.compiler import compile_slice
from netplane.tables.text import show_tables
from tests.golden.topologies import TOPOLOGIES

FOLDER = Path(__file__).parent / "topologies"


@pytest.mark.parametrize("name", sorted(TOPOLOGIES))
def test_entries(name: str) -> None:
    # Fingerprints say nothing to a reader, and a new field in another table would change them.
    text = show_tables({table: rows for table, rows in compile_slice(TOPOLOGIES[name]()).items() if table != "profile"})
    golden = FOLDER / f"{name}.txt"
    if os.environ.get("NETPLANE_UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


def test_every_text_has_its_topology() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(TOPOLOGIES)
