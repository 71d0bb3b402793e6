"""What agents that were killed have left in the kernel."""

from pathlib import Path

from netplane.datapath import KernelDatapath
from netplane.datapath.mounting import BPFFS, alone


def sweep(pins: str) -> None:
    """Take out the tables whose names begin so, with the number of a process that is gone; fleets may do it at once."""
    with alone():
        for path in BPFFS.glob(f"{pins}-*"):
            number = path.name.removeprefix(f"{pins}-").partition("-")[0]
            if number.isdecimal() and not Path(f"/proc/{number}").exists():
                KernelDatapath.discard(path)
