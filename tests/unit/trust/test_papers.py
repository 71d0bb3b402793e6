"""What a host keeps of its trust, on disk."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from netplane.trust.authority import certify_host, make_authority
from netplane.trust.faults import Distrust
from netplane.trust.keys import make_key
from netplane.trust.names import HostIdentity
from netplane.trust.papers import AUTHORITY, IDENTITY, Papers, check_papers, read_papers, write_papers

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ROOT = make_authority(NOW)
H1 = HostIdentity("h1", "0123456789abcdef")


def papers() -> Papers:
    key = make_key()
    return Papers(key, certify_host(ROOT, key.public_key(), H1, NOW), ROOT.certificate)


def test_papers_come_back_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    for each in (papers(), papers()):
        write_papers(folder, each)
        again = read_papers(folder)
        assert (again.identity, again.certificate, again.authority) == (H1, each.certificate, each.authority)
        assert again.key.private_numbers() == each.key.private_numbers()
    assert {path.name for path in folder.iterdir()} == {IDENTITY, AUTHORITY}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_a_crash_left_is_written_over(tmp_path: Path) -> None:
    (tmp_path / f"{IDENTITY}.new").write_text("half")
    write_papers(tmp_path, papers())
    assert read_papers(tmp_path).identity == H1


def test_papers_that_do_not_fit_are_none(tmp_path: Path) -> None:
    mine, other = papers(), papers()
    with pytest.raises(Distrust, match="not of this host's key"):
        check_papers(Papers(mine.key, other.certificate, ROOT.certificate))
    with pytest.raises(Distrust, match="not signed"):
        check_papers(Papers(mine.key, mine.certificate, make_authority(NOW).certificate))
    with pytest.raises(FileNotFoundError):
        read_papers(tmp_path)
    write_papers(tmp_path, mine)
    (tmp_path / IDENTITY).write_text("nonsense")
    with pytest.raises(Distrust):
        read_papers(tmp_path)
