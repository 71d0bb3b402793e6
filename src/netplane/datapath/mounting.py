"""The bpffs that pins live in: mounted at a place of our own.

`/sys/fs/bpf` is not used: it is often not mounted, and `ip netns exec` hides it under a fresh `/sys`.

Several datapaths share the mount, and the last one to leave takes it away. A lock on the directory above it keeps one
process from doing that while another one moves in.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from netplane.datapath import libbpf
from netplane.datapath.contract import DatapathError

BPFFS = Path("/run/netplane/bpf")
MOUNTS = Path("/proc/self/mounts")


def is_bpffs(path: Path) -> bool:
    """Whether a bpffs is mounted exactly there."""
    lines = (line.split() for line in MOUNTS.read_text().splitlines())
    return any(fields[1] == str(path) and fields[2] == "bpf" for fields in lines)


def make_pin_dir(pin_dir: Path) -> None:
    """Make a directory to pin in; below `BPFFS`, the bpffs is mounted first if need be.

    DatapathError if it is not below a bpffs, or has a name that a bpffs does not take.
    """
    with alone():
        if BPFFS in pin_dir.parents:
            mount_bpffs()
        _check_inside(pin_dir)
        pin_dir.mkdir(parents=True, exist_ok=True)


def mount_bpffs() -> None:
    """Make sure that a bpffs, for root only, is mounted at `BPFFS`."""
    BPFFS.mkdir(parents=True, exist_ok=True)
    if not is_bpffs(BPFFS):
        libbpf.mount("bpf", BPFFS, "mode=0700")


def unmount_bpffs() -> bool:
    """Take the mount at `BPFFS` away if nothing is pinned in it any more; whether it is gone."""
    with alone():
        if not is_bpffs(BPFFS):
            return True
        # What has a dot in its name is the kernel's own (kernel/bpf/inode.c, populate_bpffs).
        if any("." not in entry.name for entry in BPFFS.iterdir()) or not libbpf.unmount(BPFFS):
            return False
        BPFFS.rmdir()
        return True


@contextmanager
def alone() -> Iterator[None]:
    """One process at a time changes what datapaths there are."""
    BPFFS.parent.mkdir(parents=True, exist_ok=True)
    with libbpf.closing(os.open(BPFFS.parent, os.O_RDONLY | os.O_DIRECTORY)) as directory:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield


def _check_inside(pin_dir: Path) -> None:
    mounted = next((parent for parent in pin_dir.parents if is_bpffs(parent)), None)
    if mounted is None:
        raise DatapathError(f"{pin_dir} is not below a bpffs")
    # kernel/bpf/inode.c, bpf_lookup: names with dots are reserved.
    if "." in str(pin_dir.relative_to(mounted)):
        raise DatapathError(f"{pin_dir}: a bpffs takes no name with a dot")
