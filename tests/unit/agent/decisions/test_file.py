"""Decisions on disk."""

import json
from pathlib import Path

from netplane.agent.decisions.file import OLDER, DecisionFile
from tests.unit.agent.decisions.decision import numbered


def read(path: Path) -> list[int]:
    return [json.loads(line)["number"] for line in path.read_text().splitlines()]


def test_one_line_each_behind_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "made" / "decisions.log"
    DecisionFile(path).write(numbered(1, 2))
    DecisionFile(path).write(numbered(3))
    assert read(path) == [1, 2, 3]
    assert path.stat().st_mode & 0o007 == 0, "it tells who talks to whom"


def test_nothing_makes_no_file(tmp_path: Path) -> None:
    DecisionFile(tmp_path / "decisions.log").write([])
    assert list(tmp_path.iterdir()) == []


def test_large_files_are_set_aside_and_few_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "decisions.log"
    file = DecisionFile(path, largest=1)
    for number in range(OLDER + 3):
        file.write(numbered(number))
    assert sorted(one.name for one in tmp_path.iterdir()) == [f"decisions.log.{age}" for age in range(1, OLDER + 1)]
    assert read(tmp_path / "decisions.log.1") == [OLDER + 2]


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "decisions.log"
    file = DecisionFile(path)
    file.write(numbered(1))
    path.rename(tmp_path / "elsewhere")
    file.write(numbered(2))
    assert read(path) == [2]
