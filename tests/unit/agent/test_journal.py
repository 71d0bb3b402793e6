"""The slice on disk. The disk is the test's own directory; a crash is a file that ends early."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from netplane.agent import journal
from netplane.agent.journal import Journal
from netplane.agent.slice import Slice, Told
from netplane.model import Network
from netplane.stream.codec import encode
from netplane.stream.messages import Delta, Snapshot, Welcome
from tests.unit.agent.records import FAR, HERE, NETWORK, PORT, SLICE

WHOLE: tuple[Told, ...] = (Welcome(1, "log"), Snapshot(4, True, False, [HERE]), Snapshot(4, False, True, [NETWORK]))
MORE: tuple[Told, ...] = (Delta(5, [PORT], []), Welcome(1, "log"), Delta.of(6, [FAR], [("port", PORT.id)]))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "slice"


def write(path: Path, *messages: Told) -> None:
    written = Journal(path)
    assert list(written.load()) is not None
    for message in messages:
        written.note(message)
    written.close()


def read(path: Path) -> list[Told]:
    found = Journal(path)
    messages = list(found.load())
    found.close()
    return messages


def slice_of(*messages: Told) -> Slice:
    slice = Slice()
    for message in messages:
        list(slice.take(message))
    return slice


def test_nothing_is_read_where_nothing_was_written(path: Path) -> None:
    assert read(path) == []
    write(path, WHOLE[0])
    assert read(path) == []


def test_what_was_told_is_read(path: Path) -> None:
    write(path, *WHOLE, *MORE)
    assert read(path) == [*WHOLE, *MORE]


def test_a_frame_is_kept_as_it_came(path: Path) -> None:
    write(path, *WHOLE, *MORE)
    written = Journal(path.with_name("received"))
    for message in (*WHOLE, *MORE):
        written.note(message, encode(message))
    written.close()
    assert path.with_name("received").read_bytes() == path.read_bytes()


def test_a_journal_is_continued(path: Path) -> None:
    write(path, *WHOLE)
    write(path, *MORE)
    assert read(path) == [*WHOLE, *MORE]


def test_a_snapshot_takes_the_place_of_everything_before_when_it_is_whole(path: Path) -> None:
    write(path, *WHOLE, *MORE, Welcome(2, "new"), Snapshot(9, True, False, []))
    assert read(path) == [*WHOLE, *MORE, Welcome(2, "new")]
    write(path, Welcome(2, "new"), Snapshot.of(9, [HERE]))
    assert read(path) == [Welcome(2, "new"), Snapshot.of(9, [HERE])]


def test_a_torn_end_is_cut_off(path: Path) -> None:
    write(path, *WHOLE, *MORE)
    octets = path.read_bytes()
    for length in range(len(octets)):
        path.write_bytes(octets[:length])
        found = read(path)
        assert found == [*WHOLE, *MORE][: len(found)]
    path.write_bytes(octets[:-1])
    write(path, Delta(7, [], []))
    assert read(path)[-1] == Delta(7, [], [])


@pytest.mark.parametrize("octets", [b"", b"something else\n", journal.FORMAT + b"\0\0\0\1\xff"])
def test_what_is_no_journal_is_no_slice(path: Path, octets: bytes) -> None:
    path.write_bytes(octets)
    assert read(path) == []
    write(path, *WHOLE)
    assert read(path) == [*WHOLE]


def test_a_journal_of_another_release_is_told_of(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_bytes(b"netplane slice 2\n" + bytes(100))
    assert read(path) == []
    assert caplog.messages == [f"{path} is not readable by this release: machines are served when a controller answers"]


def test_a_journal_that_has_grown_is_written_anew(path: Path) -> None:
    told: list[Told] = [Welcome(1, "log"), Snapshot.of(1, SLICE)]
    told += [Delta(revision, [replace(NETWORK, name=f"{revision}")], []) for revision in range(2, 500)]
    written, slice = Journal(path, growth=2_000), Slice()
    for message in told:
        written.note(message)
        list(slice.take(message))
        written.compact(slice)
    written.close()
    assert path.stat().st_size < 10_000
    copy = slice_of(*read(path))
    assert copy.revision == 499
    assert copy.get(Network, NETWORK.id) == replace(NETWORK, name="499")


def test_a_journal_that_cannot_be_written_is_abandoned_and_may_be_renewed(path: Path) -> None:
    write(path, *WHOLE)
    written, slice = Journal(path), slice_of(*WHOLE, *MORE)
    assert list(written.load()) == [*WHOLE]
    path.with_suffix(".new").mkdir()
    with pytest.raises(IsADirectoryError):
        written.renew(slice)
    written.abandon()
    assert not path.exists()
    written.note(MORE[0])
    assert not path.exists()
    path.with_suffix(".new").rmdir()
    written.renew(slice)
    written.note(Delta(8, [], [("host", HERE.id)]))
    written.close()
    copy = slice_of(*read(path))
    assert (copy.revision, copy.get(Network, NETWORK.id)) == (8, NETWORK)
