"""Boots a kernel in QEMU and returns what it said."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from netplane.lab.guest.kernel import Kernel
from tests.guest.initramfs import write_initramfs

# The processor is emulated on purpose: nested virtualisation is missing, or hangs, on many machines that run tests.
QEMU = ("qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "2048", "-nodefaults", "-no-reboot")
CONSOLE = ("-display", "none", "-serial", "stdio")
APPEND = "console=ttyS0 rdinit=/init panic=-1 quiet net.ifnames=0"


class Answer(NamedTuple):
    """What the guest's command ended with, None if it never did, and all that the console showed."""

    status: int | None
    console: str


def run_in_guest(kernel: Kernel, command: str, directory: Path, *, timeout: float) -> Answer:
    """Run a shell command in a guest, at the project's root; `directory` takes the guest's file system."""
    initramfs = directory / "initramfs"
    write_initramfs(initramfs, kernel, command)
    call = [*QEMU, *CONSOLE, "-kernel", str(kernel.image), "-initrd", str(initramfs), "-append", APPEND]
    done = subprocess.run(call, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
    console = done.stdout + done.stderr
    marks = [line.split()[-1] for line in console.splitlines() if line.startswith("guest: exit ")]
    return Answer(int(marks[-1]) if marks else None, console)
