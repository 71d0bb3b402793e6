"""What running processes have used, as the kernel tells it (proc(5)). It imports nothing, so that agents stay small."""

import time
from pathlib import Path

PROCESS = 2
"""What a process and all of its threads have had, of the clocks that the kernel keeps of it."""


def read_cpu(pid: int) -> float:
    """Seconds of processor that a process has used, to the nanosecond: by its own clock (clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | PROCESS)


def read_waited(pid: int) -> float:
    """Seconds that a process's first thread was ready to run and had no processor: what else the machine did."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def read_peak(pid: int | str) -> float:
    """The most memory that a process has had at once, in MiB."""
    return _read_status(pid, "VmHWM")


def read_memory(pid: int | str) -> float:
    """The memory that a process has, in MiB."""
    return _read_status(pid, "VmRSS")


def _read_status(pid: int | str, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024
