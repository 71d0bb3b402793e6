"""What a lab has made, on disk before it is made, so that whoever comes after a crash can remove all of it.

    /run/netplane/lab-<prefix>/
        owner        locked by the lab's process as long as it lives
        namespaces   a name a line
        processes    pid and start time a line
        pins         a directory below a bpf file system a line
        ...          sockets, logs, leases and the like, which go with the directory

The lock is the kernel's, so it ends with its owner however that ends.
"""

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from netplane.datapath.mounting import unmount_bpffs
from netplane.lab import namespace

ROOT = Path("/run/netplane")


class LabBusy(Exception):
    """A lab of this prefix is alive."""


class Ledger:
    """The state directory of one lab, held by this process."""

    def __init__(self, prefix: str, lock: IO[str]) -> None:
        self.prefix = prefix
        self.directory = directory(prefix)
        self._lock = lock

    def note(self, kind: str, value: str) -> None:
        """Write down something that is about to be made."""
        with open(self.directory / kind, "a") as book:
            book.write(f"{value}\n")

    def note_process(self, pid: int) -> None:
        """Write down a process that has just been started; its start time tells it from a later one of the same id."""
        self.note("processes", f"{pid} {start_time(pid)}")

    def destroy(self) -> None:
        """Remove everything that is written down, then the directory."""
        _end_processes(self.directory)
        for pins in _lines(self.directory / "pins"):
            remove_pins(Path(pins))
        for name in _lines(self.directory / "namespaces"):
            namespace.remove(name)
        shutil.rmtree(self.directory, ignore_errors=True)
        self._lock.close()
        _remove_root()


def directory(prefix: str) -> Path:
    """Where the lab of this prefix keeps its state."""
    return ROOT / f"lab-{prefix}"


def claim(prefix: str) -> Ledger:
    """Own the state directory of a prefix; LabBusy if another process does."""
    path = directory(prefix)
    while True:
        path.mkdir(parents=True, exist_ok=True)
        lock = open(path / "owner", "a+")  # noqa: SIM115 - held as long as the lab lives
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise LabBusy(f"a lab with prefix {prefix!r} is running; end it or choose another prefix") from None
        if _is_current(lock, path / "owner"):
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            return Ledger(prefix, lock)
        lock.close()


def _is_current(lock: IO[str], path: Path) -> bool:
    """Whether the locked file is still the one at its path: its last owner may have removed it meanwhile."""
    try:
        return os.fstat(lock.fileno()).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False


def sweep() -> list[str]:
    """Remove what labs without a living owner left behind; gives their prefixes."""
    swept = []
    for path in sorted(ROOT.glob("lab-*")):
        prefix = path.name.removeprefix("lab-")
        try:
            claim(prefix).destroy()
        except LabBusy:
            continue
        swept.append(prefix)
    return swept


def start_time(pid: int) -> str:
    """When a process started, in the kernel's ticks (proc(5), field 22); empty if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[19]


def _end_processes(path: Path) -> None:
    _end([int(pid) for pid, started in _pairs(path / "processes") if started and start_time(int(pid)) == started])


def _end(pids: list[int]) -> None:
    """Kill processes and wait until the kernel has let go of them (at most 2 s)."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    deadline = time.monotonic() + 2
    while any(_lives(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.005)


def _lives(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in ("Z", "X")


def remove_pins(path: Path) -> None:
    """Unlink every object pinned in a directory, and the directory."""
    shutil.rmtree(path, ignore_errors=True)


def _remove_root() -> None:
    """The last lab takes what all shared along, unless a host of this machine's own uses it."""
    if not any(ROOT.glob("lab-*")) and unmount_bpffs():
        with suppress(OSError):
            ROOT.rmdir()


def _lines(path: Path) -> Iterator[str]:
    try:
        text = path.read_text()
    except FileNotFoundError:
        return iter(())
    return iter(text.splitlines())


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    for line in _lines(path):
        pid, _, started = line.partition(" ")
        yield pid, started
