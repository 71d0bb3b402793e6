"""Network namespaces: making, entering and removing them.

Entering is `setns` on the calling thread (never `ip netns exec`, which remounts /sys). A socket belongs to the
namespace it was made in and a process starts in that of the thread that starts it, so a short visit is enough to
speak from anywhere.
"""

import ctypes
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

DIRECTORY = Path("/run/netns")
CLONE_NEWNET = 0x40000000
MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def inside(namespace: str | None) -> Iterator[None]:
    """The calling thread is in the namespace for as long as the block runs; None changes nothing."""
    if namespace is None:
        yield
        return
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        with open(DIRECTORY / namespace, "rb") as there:
            _enter(there.fileno())
        yield
    finally:
        _enter(home)
        os.close(home)


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "setns")


def batch(commands: Iterable[str], namespace: str | None = None) -> None:
    """Run many `ip` commands in one process; RuntimeError with what `ip` said if one fails."""
    text = "\n".join(commands)
    where = [] if namespace is None else ["-n", namespace]
    argv = ["ip", *where, "-batch", "-"]
    # In a session of its own: a terminal's Ctrl-C is for this process to handle.
    done = subprocess.run(argv, input=text, text=True, capture_output=True, check=False, start_new_session=True)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(where)}: {done.stderr.strip()}\n{text}")


def write_sysctl(namespace: str, name: str, value: int) -> None:
    """Set a `net` setting such as `ipv4/ip_forward` in a namespace."""
    with inside(namespace):
        Path("/proc/sys/net", name).write_text(f"{value}\n")


def exists(namespace: str) -> bool:
    """Whether there is a namespace of this name."""
    return (DIRECTORY / namespace).exists()


def remove(namespace: str) -> None:
    """Remove a namespace; its devices go with it. One that is not there is no error."""
    path = DIRECTORY / namespace
    # As `ip netns delete` does it, but in this process, so that no second Ctrl-C can stop it halfway. A file without
    # a mount is what a creation leaves that was interrupted.
    _libc.umount2(bytes(path), MNT_DETACH)
    path.unlink(missing_ok=True)
