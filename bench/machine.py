"""The machine that is measured on, and where its results are kept."""

import os
from pathlib import Path

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
