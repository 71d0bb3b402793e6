"""A second stock DHCP client: busybox's udhcpc."""

import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from netplane.lab import Machine
from netplane.lab.dhcp import PATH
from netplane.lab.machine import DEVICE
from netplane.lab.process import Child, start
from netplane.lab.wait import until

SCRIPT = Path(__file__).with_name("udhcpc-script")


class Udhcpc:
    """udhcpc in a machine, asking also for some options by its names or numbers; it ends with the `with` block."""

    def __init__(self, machine: Machine, also: Sequence[str] = ()) -> None:
        if shutil.which("udhcpc") is None:
            pytest.skip("not installed: udhcpc")
        self.directory = machine.client.directory
        self.directory.mkdir(parents=True, exist_ok=True)
        self.machine = machine
        wanted = [word for name in also for word in ("-O", name)]
        argv = ["udhcpc", "-f", "-i", DEVICE, "-s", str(SCRIPT), "-t", "20", "-T", "1", "-A", "1", *wanted]
        self.child: Child = start(
            machine.client.ledger,
            argv,
            log=self.directory / "udhcpc.log",
            namespace=machine.namespace,
            environment={"PATH": PATH, "LAB_DIRECTORY": str(self.directory)},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.kill()

    def read_told(self) -> dict[str, str]:
        """What the server said last, by udhcpc's names."""
        path = self.directory / "udhcpc"
        return dict(line.split("=", 1) for line in path.read_text().splitlines()) if path.exists() else {}

    def read_history(self) -> list[str]:
        """The events so far."""
        path = self.directory / "udhcpc.history"
        return path.read_text().split() if path.exists() else []

    def obtain(self) -> dict[str, str]:
        """Wait for the next `bound`; what was said with it."""
        return self._await("bound", 0)

    def renew(self) -> dict[str, str]:
        """Renew now; what was said."""
        before = self.read_history().count("renew")
        self.child.signal(signal.SIGUSR1)
        return self._await("renew", before)

    def release(self) -> None:
        """Give the address back, and do nothing until asked."""
        before = self.read_history().count("deconfig")
        self.child.signal(signal.SIGUSR2)
        self._await("deconfig", before)

    def obtain_again(self) -> dict[str, str]:
        """Begin anew after a release."""
        before = self.read_history().count("bound")
        self.child.signal(signal.SIGUSR1)
        return self._await("bound", before)

    def _await(self, event: str, before: int) -> dict[str, str]:
        until(f"udhcpc's {event}", lambda: self.read_history().count(event) > before, 15)
        return self.read_told()
