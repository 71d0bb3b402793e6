"""What is there of a lab, wherever one could be seen."""

import os
from pathlib import Path

from netplane.lab.ledger import ROOT, directory
from netplane.lab.namespace import DIRECTORY


def unique(name: str) -> str:
    """A prefix that other runs of the tests on this machine do not have."""
    return f"{name}{os.getpid():x}"


def read_leftovers(prefix: str) -> list[str]:
    """Files, pins, namespaces and processes of the lab of a prefix; empty when it is gone."""
    files = [str(path) for path in (directory(prefix), *(ROOT / "bpf").glob(f"{prefix}-*")) if path.exists()]
    names = (f"np-{prefix}-*", f"np-serve-{prefix}-*")
    namespaces = [str(path) for name in names for path in DIRECTORY.glob(name)]
    return [*files, *namespaces, *(f"process {pid}: {line}" for pid, line in _processes(prefix))]


def _processes(prefix: str) -> list[tuple[int, str]]:
    """Processes that name the lab's directory or one of its hosts, other than zombies and this one."""
    marks = (str(directory(prefix)), f"{prefix}-h", f"guardian import main; main('{prefix}')")
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if int(entry) != os.getpid() and any(mark in line for mark in marks):
            found.append((int(entry), line))
    return found
