"""What `netplane up` prepares, and how it keeps processes running."""

import asyncio
import os
import signal
import stat
import sys
from pathlib import Path

import pytest
from click import ClickException

from netplane.cli import supervise
from netplane.cli.tokens import ensure_tokens, read_token, token_for
from netplane.cli.up import hold

ONCE = "import sys, time; open(sys.argv[1], 'a').write('x'); sys.exit(3)"
STAYING = "import sys, time; open(sys.argv[1], 'a').write('x'); time.sleep(60)"


def test_tokens_are_made_once_and_for_root_only(tmp_path: Path) -> None:
    state = tmp_path / "state"
    tokens = ensure_tokens(state)
    text = tokens.read_text()
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o600
    assert ensure_tokens(state).read_text() == text
    assert len(read_token(tokens)) >= 32
    assert read_token(tokens) in text


def test_one_at_a_time(tmp_path: Path) -> None:
    with hold(tmp_path), pytest.raises(ClickException, match="up already"):
        hold(tmp_path)
    hold(tmp_path).close()


@pytest.mark.parametrize("text", ["", "token = ", '[[token]]\nsecret = "x"\nroles = ["member"]\n'])
def test_no_token_to_be_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokens.toml").write_text(text)
    assert read_token(tmp_path / "tokens.toml") == ""
    assert read_token(tmp_path / "missing") == ""


@pytest.mark.parametrize("url", ["http://127.0.0.1:9696", "http://localhost:9696", "https://[::1]:9696/base"])
def test_a_controller_here_is_asked_by_its_own_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("NETPLANE_STATE", str(tmp_path))
    token = read_token(ensure_tokens(tmp_path))
    assert token
    assert token_for(url) == token


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1:9696", "https://[2001:db8::1]", "http://elsewhere.invalid", "http://[", "nonsense", ""]
)
def test_nobody_elsewhere_is_shown_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("NETPLANE_STATE", str(tmp_path))
    ensure_tokens(tmp_path)
    assert token_for(url) == ""


def test_something_is_done_before_one_while_another_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    commands = {name: [sys.executable, "-c", STAYING, str(tmp_path / name)] for name in ("second", "first")}

    async def first_runs() -> str:
        while not first.exists():
            await asyncio.sleep(0.01)
        assert not second.exists()
        return "ready"

    async def run() -> None:
        task = asyncio.create_task(supervise.supervise(commands, {}, {"second": first_runs}))
        async with asyncio.timeout(20):
            while not (second.exists() and second.read_text()):
                await asyncio.sleep(0.01)
            os.kill(os.getpid(), signal.SIGTERM)
            await task

    asyncio.run(run())
    assert second.read_text() == "x"
    assert capsys.readouterr().out == "ready\n"


def test_who_is_asked_to_end_meanwhile_neither_runs_it_nor_says_that_it_is_ready(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = {"second": [sys.executable, "-c", STAYING, str(tmp_path / "second")]}

    async def stopped() -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.1)
        return "ready"

    async def run() -> None:
        async with asyncio.timeout(20):
            await supervise.supervise(commands, {}, {"second": stopped})

    asyncio.run(run())
    assert not (tmp_path / "second").exists()
    assert capsys.readouterr().out == ""


def test_all_end_when_it_cannot_be_done(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    commands = {name: [sys.executable, "-c", STAYING, str(tmp_path / name)] for name in ("second", "first")}

    async def refused() -> str:
        while not first.exists():
            await asyncio.sleep(0.01)
        raise ClickException("no")

    async def run() -> None:
        async with asyncio.timeout(20):
            await supervise.supervise(commands, {}, {"second": refused})

    with pytest.raises(ClickException, match="no"):
        asyncio.run(run())
    assert not second.exists()


def test_processes_are_started_again_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that ends runs again; SIGTERM ends both and the supervisor."""
    monkeypatch.setattr(supervise, "FIRST_PAUSE", 0.01)
    failing, staying = tmp_path / "failing", tmp_path / "staying"
    commands = {
        "failing": [sys.executable, "-c", ONCE, str(failing)],
        "staying": [sys.executable, "-c", STAYING, str(staying)],
    }

    async def run() -> None:
        task = asyncio.create_task(supervise.supervise(commands, {}))
        async with asyncio.timeout(20):
            while not (staying.exists() and failing.exists() and failing.stat().st_size > 1):
                await asyncio.sleep(0.01)
            os.kill(os.getpid(), signal.SIGTERM)
            await task

    asyncio.run(run())
    assert staying.read_text() == "x"
