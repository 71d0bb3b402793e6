"""The machine that is measured on, and where its results are kept."""

import os
import time
from pathlib import Path
from statistics import median

RESULTS = Path(__file__).parent / "results"


def read_machine() -> dict[str, str]:
    """What the figures depend on besides the code; the load is that of the minute before."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    processor = models[0].split(":")[1].strip() if models else os.uname().machine
    return {
        "processor": f"{os.cpu_count()} x {processor}",
        "kernel": os.uname().release,
        "load": f"{os.getloadavg()[0]:.1f}",
    }


class Yardstick:
    """How fast the machine is while it is measured on: virtual ones get slower and faster within minutes.

    Figures of processor time, of two runs, compare as far as these times do.
    """

    ADDITIONS = 500_000
    PAUSE = 5.0
    """Seconds between two looks, at least."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._looked = 0.0

    def look(self) -> None:
        """Take the time of some additions, unless that was done a moment ago."""
        now = time.monotonic()
        if self._times and now - self._looked < self.PAUSE:
            return
        self._looked, began, total = now, time.thread_time(), 0
        for number in range(self.ADDITIONS):
            total += number
        self._times.append((time.thread_time() - began) * 1_000_000 / self.ADDITIONS)

    def __str__(self) -> str:
        least, middle, most = min(self._times), median(self._times), max(self._times)
        return f"{least:.3f} to {most:.3f} s, median {middle:.3f} s"
