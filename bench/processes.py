"""What running processes have used, as the kernel tells it (proc(5)). It imports nothing, so that agents stay small."""

import re
import time
from collections.abc import Callable
from pathlib import Path

PROCESS = 2
"""What a process and all of its threads have had, of the clocks that the kernel keeps of it."""
QUIET, LOOK, LIMIT = 0.02, 0.2, 60.0
"""Processes rest when they use so many seconds of processor at most in so many; so long it is waited for at most."""


def read_cpu(pid: int) -> float:
    """Seconds of processor that a process has used, to the nanosecond: by its own clock (clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | PROCESS)


def wait_for_rest(read: Callable[[], float]) -> None:
    """Wait until processes do nothing more, also what nobody waits for; `read` says what processor they have used."""
    end, before = time.monotonic() + LIMIT, read()
    while time.monotonic() < end:
        time.sleep(LOOK)
        now = read()
        if now - before <= QUIET:
            return
        before = now


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


def read_map_memory() -> int:
    """Bytes that the kernel says it holds for the eBPF maps that this process has open."""
    found = {}
    for path in Path("/proc/self/fdinfo").iterdir():
        try:
            text = path.read_text()
        except OSError:
            continue
        fields = dict(re.findall(r"^(memlock|map_id):\s*(\d+)$", text, re.MULTILINE))
        if len(fields) == 2:
            found[fields["map_id"]] = int(fields["memlock"])
    return sum(found.values())
