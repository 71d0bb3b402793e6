"""The units by which systemd keeps netplane running, and how they get where systemd finds them.

The files beside this one are as they are shipped; what is written of them names this installation's own command.
Options come by the environment: `/etc/netplane/WHAT.env`, which nobody but the operator writes.
"""

import os
import pwd
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

WHATS = ("agent", "server", "up")
RIVALS = {"agent": ("up",), "server": ("up",), "up": ("agent", "server")}
"""Of each, what would serve the same devices and addresses."""
SHIPPED = "/usr/local/bin/netplane"
"""The command as the shipped units have it."""
BOOTED = Path("/run/systemd/system")
"""There where systemd runs (sd_booted(3))."""
UNITS = Path("/etc/systemd/system")
OPTIONS = Path("/etc/netplane")
KEPT = ("active", "activating", "reloading", "deactivating")
"""States of a unit that systemd has something to do with (systemctl(1))."""
USER = "netplane"
"""Whom the controller runs as."""


class NotInstalled(Exception):
    """A unit could not be brought to systemd; says why in one line."""


def runs() -> bool:
    """Whether systemd runs this machine."""
    return BOOTED.is_dir()


def unit_name(what: str) -> str:
    """`netplane-agent.service`."""
    return f"netplane-{what}.service"


def unit(what: str) -> str:
    """The text of a unit, for this installation."""
    shipped = (files(__package__) / unit_name(what)).read_text()
    return shipped.replace(SHIPPED, " ".join(map(quoted, own_command())))


def own_command() -> list[str]:
    """How this netplane is called, wherever it is installed."""
    called = Path(sys.argv[0])
    return [str(called.absolute())] if called.name == "netplane" else [sys.executable, "-m", "netplane.cli"]


def quoted(word: str) -> str:
    """A word as systemd reads it on a command line (systemd.service(5), specifiers in systemd.unit(5))."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"' if set(escaped) & set(" \"'\t") else escaped


def install(what: str, *, anew: bool = False) -> None:
    """Write a unit, and have systemd start it now and at each boot; NotInstalled if it cannot be.

    One that runs already goes on as it is, unless its unit has changed, or `anew` is wanted: then it is started again.
    """
    if not runs():
        raise NotInstalled("systemd does not run this machine")
    if os.geteuid() != 0:
        raise NotInstalled("units are root's to write; run it again with sudo")
    if rival := next(filter(is_active, RIVALS[what]), None):
        raise NotInstalled(f"netplane-{rival} runs here; first `systemctl disable --now netplane-{rival}`")
    path, text = UNITS / unit_name(what), unit(what)
    try:
        if what == "server":
            _ensure_user(USER)
            _check_may_run(USER)
        OPTIONS.mkdir(mode=0o755, parents=True, exist_ok=True)
        is_new = not path.exists() or path.read_text() != text
        if is_new:
            path.write_text(text)
            _run("systemctl", "daemon-reload")
        _run("systemctl", "enable", unit_name(what))
        _run("systemctl", "restart" if is_new or anew else "start", unit_name(what))
    except OSError as problem:
        raise NotInstalled(str(problem)) from problem


def is_active(what: str) -> bool:
    """Whether systemd keeps it running, also while it rests before the next attempt."""
    if not runs():
        return False
    said = subprocess.run(["systemctl", "is-active", unit_name(what)], check=False, capture_output=True, text=True)
    return said.stdout.strip() in KEPT


def _ensure_user(name: str) -> None:
    """A user that owns nothing but the controller's state."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        _run("useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name)


def _check_may_run(name: str) -> None:
    """NotInstalled if others than root cannot get at this installation, as in root's own folder."""
    words, group = [*own_command(), "version"], pwd.getpwnam(name).pw_gid
    try:
        done = subprocess.run(
            words, check=False, capture_output=True, cwd="/", user=name, group=group, extra_groups=()
        ).returncode
    except PermissionError:
        done = None
    if done != 0:
        raise NotInstalled(f"the user {name} cannot run {words[0]}: install netplane where others may read, as in /opt")


def _run(*words: str) -> None:
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or [f"status {done.returncode}"]
        raise NotInstalled(f"{' '.join(words)}: {said[-1]}")
