"""The namespace of the services: kept by its name when the agent ends, so that the next one finds all as it was.

A thread that enters a namespace does not come back: visits are made by threads that end with them. Sockets made there
belong there, wherever they are used.
"""

import ctypes
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TypeVar

DIRECTORY = Path("/run/netns")
"""Where `ip netns` looks, so that operators find it."""

CLONE_NEWNET = 0x40000000
MS_BIND, MNT_DETACH = 0x1000, 2
OWN = "/proc/thread-self/ns/net"

T = TypeVar("T")

_libc = ctypes.CDLL(None, use_errno=True)


def ensure_namespace(name: str) -> Path:
    """The path of the namespace of this name, made if there is none; OSError without the rights for it."""
    path = DIRECTORY / name
    if not is_namespace(path):
        DIRECTORY.mkdir(parents=True, exist_ok=True)
        remove_namespace(name)
        path.touch(0o444)
        _in_a_thread(lambda: _make(path))
    return path


def is_namespace(path: Path) -> bool:
    """Whether a namespace is kept there; a plain file is what a crash has left."""
    try:
        return path.stat().st_dev != path.parent.stat().st_dev
    except FileNotFoundError:
        return False


def remove_namespace(name: str) -> None:
    """Let go of a namespace; its devices go with it. One that is not there is no error."""
    path = DIRECTORY / name
    _libc.umount2(bytes(path), MNT_DETACH)
    path.unlink(missing_ok=True)


def visit(path: Path, work: Callable[[], T]) -> T:
    """What a function gives that is called inside of a namespace; what it raises is raised."""

    def enter() -> T:
        with open(path, "rb") as there:
            _check(_libc.setns(there.fileno(), CLONE_NEWNET), "setns")
        return work()

    return _in_a_thread(enter)


def write_setting(name: str, value: int) -> None:
    """Set a `net` setting of the namespace that the thread is in; one that this kernel has not is none."""
    with suppress(FileNotFoundError):
        Path("/proc/sys/net", name).write_text(f"{value}\n")


def _make(path: Path) -> None:
    _check(_libc.unshare(CLONE_NEWNET), "unshare")
    _check(_libc.mount(OWN.encode(), bytes(path), b"none", MS_BIND, None), f"mount {path}")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _in_a_thread(work: Callable[[], T]) -> T:
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)

    thread = Thread(target=run, name="netplane-visit")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]
