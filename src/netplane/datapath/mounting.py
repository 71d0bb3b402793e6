"""The bpffs that pins live in: mounted at a place of our own.

`/sys/fs/bpf` is not used: it is often not mounted, and `ip netns exec` hides it under a fresh `/sys`.
"""

from pathlib import Path

from netplane.datapath import libbpf
from netplane.datapath.contract import DatapathError

BPFFS = Path("/run/netplane/bpf")
MOUNTS = Path("/proc/self/mounts")


def is_bpffs(path: Path) -> bool:
    """Whether a bpffs is mounted exactly there."""
    lines = (line.split() for line in MOUNTS.read_text().splitlines())
    return any(fields[1] == str(path) and fields[2] == "bpf" for fields in lines)


def mount_bpffs(path: Path = BPFFS) -> Path:
    """Make sure that a bpffs, for root only, is mounted there; the path."""
    path.mkdir(parents=True, exist_ok=True)
    if not is_bpffs(path):
        libbpf.mount("bpf", path, "mode=0700")
    return path


def unmount_bpffs(path: Path = BPFFS) -> bool:
    """Take the mount away if nothing is pinned in it any more; whether it is gone."""
    if not is_bpffs(path):
        return True
    # What has a dot in its name is the kernel's own (kernel/bpf/inode.c, populate_bpffs).
    if any("." not in entry.name for entry in path.iterdir()) or not libbpf.unmount(path):
        return False
    path.rmdir()
    return True


def check_inside(pin_dir: Path) -> None:
    """DatapathError if a directory to pin in is not below a bpffs, or has a name that a bpffs does not take."""
    mounted = next((parent for parent in pin_dir.parents if is_bpffs(parent)), None)
    if mounted is None:
        raise DatapathError(f"{pin_dir} is not below a bpffs")
    # kernel/bpf/inode.c, bpf_lookup: names with dots are reserved.
    if "." in str(pin_dir.relative_to(mounted)):
        raise DatapathError(f"{pin_dir}: a bpffs takes no name with a dot")
