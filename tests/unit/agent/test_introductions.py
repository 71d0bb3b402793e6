"""What a host remembers of controllers that it was told of."""

from pathlib import Path

from netplane.agent.introductions import FILE, forget_introduced, note_introduced, read_introduced
from netplane.stream.preference import MOST


def test_nothing_is_known_at_first(tmp_path: Path) -> None:
    assert read_introduced(tmp_path) == ()
    forget_introduced(tmp_path)


def test_the_latest_come_first_and_those_of_before_stay(tmp_path: Path) -> None:
    note_introduced(tmp_path, ["a:1", "b:1"])
    note_introduced(tmp_path, ["c:1", "b:1"])
    assert read_introduced(tmp_path) == ("c:1", "b:1", "a:1")
    forget_introduced(tmp_path)
    assert read_introduced(tmp_path) == ()


def test_not_all_are_remembered_for_ever(tmp_path: Path) -> None:
    for number in range(3 * MOST):
        note_introduced(tmp_path, [f"c{number}:1"])
    assert read_introduced(tmp_path) == tuple(f"c{number}:1" for number in reversed(range(2 * MOST, 3 * MOST)))


def test_what_is_known_is_not_written_again(tmp_path: Path) -> None:
    note_introduced(tmp_path, ["a:1", "b:1"])
    before = (tmp_path / FILE).stat()
    note_introduced(tmp_path, ["a:1", "b:1"])
    assert (tmp_path / FILE).stat().st_ino == before.st_ino


def test_rubbish_is_nothing(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff\xfe")
    assert read_introduced(tmp_path) == ()
