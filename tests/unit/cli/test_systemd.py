"""The units that are shipped: what systemd says of them, and how they are installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner

from netplane.cli import down, main, systemd, tokens
from netplane.cli import unit as cli_unit
from netplane.cli.join import what_is_next
from netplane.cli.places import AGENT_STATE
from netplane.cli.systemd import SHIPPED, WHATS, NotInstalled, install, quoted, unit, unit_name
from netplane.trust.papers import IDENTITY

SYSTEMCTL = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/said"
case "$*" in $REFUSED|$IDLE) echo "Failed to $1: no" >&2; exit 1;; esac
case "$1" in is-active) echo "${STATE:-active}";; esac
"""
"""Notes what it is asked, in a file beside it; refuses what is in `REFUSED`, and what is in `IDLE` does not run."""


class Machine:
    """Where systemd would be, and what it is asked."""

    def __init__(self, folder: Path) -> None:
        self.units, self._said = folder / "units", folder / "said"
        self.units.mkdir()

    def asked(self) -> list[str]:
        """What systemctl was called with since the last time, but for what runs."""
        said = self._said.read_text().splitlines() if self._said.exists() else []
        self._said.unlink(missing_ok=True)
        return [words for words in said if not words.startswith("is-active")]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setattr(systemd, "BOOTED", tmp_path)
    monkeypatch.setattr(systemd, "UNITS", made.units)
    monkeypatch.setattr(systemd, "OPTIONS", tmp_path / "options")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (tmp_path / "systemctl").write_text(SYSTEMCTL)
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("REFUSED", "none")
    monkeypatch.setenv("IDLE", "is-active*")
    return made


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("what", WHATS)
def test_systemd_finds_nothing_wrong(what: str, tmp_path: Path) -> None:
    (tmp_path / unit_name(what)).write_text(unit(what))
    words = ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit_name(what))]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("what", WHATS)
def test_it_runs_this_netplane(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/opt/my net/bin/netplane"])
    assert f'\nExecStart="/opt/my net/bin/netplane" {what}\n' in unit(what)
    monkeypatch.setattr(sys, "argv", ["/somewhere/pytest"])
    assert f"\nExecStart={sys.executable} -m netplane.cli {what}\n" in unit(what)
    assert SHIPPED not in unit(what)


@pytest.mark.parametrize("what", ["agent", "up"])
def test_what_carries_traffic_outlives_the_agent(what: str) -> None:
    """Whatever gives a unit mounts of its own, or takes folders away at its end, would take the datapath with it."""
    options = [line.partition("=")[0] for line in unit(what).splitlines() if not line.startswith("#")]
    own = ("Private", "Protect", "ReadOnly", "Inaccessible", "Temporary", "Bind", "Root", "Mount", "RuntimeDirectory")
    assert not [option for option in options if option.startswith(own)]


@pytest.mark.parametrize(
    ("word", "written"), [("netplane", "netplane"), ("/a b", '"/a b"'), ("100%", "100%%"), ('a"b', '"a\\"b"')]
)
def test_words_as_systemd_reads_them(word: str, written: str) -> None:
    assert quoted(word) == written


def test_it_is_installed_once(machine: Machine) -> None:
    install("agent")
    assert (machine.units / "netplane-agent.service").read_text() == unit("agent")
    name = "netplane-agent.service"
    assert machine.asked() == ["daemon-reload", f"enable {name}", f"restart {name}"]
    install("agent")
    assert machine.asked() == [f"enable {name}", f"start {name}"], "what runs is left alone"


@pytest.mark.parametrize("state", ["active", "activating"])
def test_what_runs_is_not_taken_down(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: str
) -> None:
    """Nor what only rests before systemd starts it again."""
    monkeypatch.setenv("STATE", state)
    monkeypatch.setattr(down, "STATE", tmp_path)
    words = ["down", "--state", str(tmp_path), "--name", "nobody"]
    monkeypatch.setenv("IDLE", "is-active*agent*")
    done = CliRunner().invoke(main, words)
    said = "Error: netplane-up runs; first `systemctl disable --now netplane-up`\n"
    assert (done.exit_code, done.output) == (1, said)


@pytest.mark.parametrize(("what", "rival"), [("agent", "up"), ("server", "up"), ("up", "server")])
def test_two_that_would_do_the_same_are_not_installed(
    what: str, rival: str, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDLE", "is-active*agent*")
    with pytest.raises(NotInstalled, match=f"netplane-{rival} runs here; first `systemctl disable"):
        install(what)
    assert not any(machine.units.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run something as another user")
@pytest.mark.parametrize(("mode", "is_refused"), [(0o700, True), (0o755, False)])
def test_a_controller_that_its_user_could_not_run_is_not_installed(
    mode: int, is_refused: bool, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systemd, "USER", "nobody")
    with TemporaryDirectory(dir="/tmp") as folder:
        command = Path(folder) / "netplane"
        command.write_text("#!/bin/sh\n")
        command.chmod(0o755)
        command.parent.chmod(mode)
        monkeypatch.setattr(sys, "argv", [str(command)])
        if is_refused:
            with pytest.raises(NotInstalled, match=f"the user nobody cannot run {command}"):
                install("server")
        else:
            install("server")
    assert [path.name for path in machine.units.iterdir()] == ([] if is_refused else ["netplane-server.service"])


def test_what_systemd_refuses_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUSED", "enable*")
    done = CliRunner().invoke(main, ["unit", "up", "--install"])
    assert (done.exit_code, done.output) == (
        1,
        "Error: systemctl enable netplane-up.service: Failed to enable: no\n",
    )


def test_who_may_not(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NotInstalled, match="run it again with sudo"):
        install("agent")
    monkeypatch.setattr(systemd, "BOOTED", machine.units / "nothing")
    with pytest.raises(NotInstalled, match="systemd does not run this machine"):
        install("agent")
    assert machine.asked() == []


@pytest.fixture
def joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is a host."""
    (tmp_path / IDENTITY).touch()
    monkeypatch.setattr(cli_unit, "AGENT_STATE", tmp_path)


def test_an_agent_of_no_host_is_not_said_to_run(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_unit, "AGENT_STATE", tmp_path)
    done = CliRunner().invoke(main, ["unit", "agent", "--install"])
    assert done.exit_code == 0
    assert "this machine is no host yet, and the agent waits for `netplane join`" in done.output
    (tmp_path / IDENTITY).touch()
    done = CliRunner().invoke(main, ["unit", "agent", "--install"])
    assert "netplane-agent.service runs, now and after each boot" in done.output


@pytest.mark.usefixtures("joined")
def test_a_host_that_has_joined_is_told_what_is_left_to_do(machine: Machine, tmp_path: Path) -> None:
    assert what_is_next(tmp_path / "a b", installs=True) == f"next, as root: netplane agent --state '{tmp_path}/a b'"
    assert what_is_next(AGENT_STATE, installs=False) == "next, as root: netplane unit agent --install"
    assert machine.asked() == []
    assert what_is_next(AGENT_STATE, installs=True).startswith("netplane-agent.service runs, now and after each boot")
    assert machine.asked()[-1] == "restart netplane-agent.service"


def test_an_agent_that_runs_hears_that_its_host_has_joined_again(machine: Machine) -> None:
    what_is_next(AGENT_STATE, installs=True)
    machine.asked()
    what_is_next(AGENT_STATE, installs=True)
    assert machine.asked()[-1] == "restart netplane-agent.service"


@pytest.mark.parametrize(("idle", "first"), [("is-active*agent*", "server"), ("is-active*", "up")])
def test_the_controller_that_runs_is_asked_by_its_own_token(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, idle: str, first: str
) -> None:
    """Another may have been here before it."""
    monkeypatch.setenv("IDLE", idle)
    monkeypatch.delenv("NETPLANE_STATE", raising=False)
    folders = {"up": tmp_path / "up", "server": tmp_path / "server"}
    monkeypatch.setattr(tokens, "STATE", folders["up"])
    monkeypatch.setattr(tokens, "SERVER_STATE", folders["server"])
    made = {name: tokens.read_token(tokens.ensure_tokens(folder)) for name, folder in folders.items()}
    assert tokens.read_token() == made[first]
    shutil.rmtree(folders[first])
    assert tokens.read_token() == next(made[name] for name in folders if name != first)


def test_it_is_printed(machine: Machine) -> None:
    assert CliRunner().invoke(main, ["unit", "server"]).output == unit("server")
    assert CliRunner().invoke(main, ["unit", "nonsense"]).exit_code == 2
    assert machine.asked() == []
