"""A QEMU guest on a host of the lab, plugged in by tap devices."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from netplane.lab.guest.image import write_image
from netplane.lab.guest.kernel import Kernel
from netplane.lab.guest.monitor import Monitor
from netplane.lab.guest.shell import Shell, open_shell
from netplane.lab.guest.tap import tap_name
from netplane.lab.host import Host
from netplane.lab.lab import Lab
from netplane.lab.machine import Plug
from netplane.lab.process import Child
from netplane.lab.wait import until

QEMU = ("qemu-system-x86_64", "-machine", "pc", "-accel", "tcg", "-cpu", "max", "-smp", "1")
QUIET = ("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot")
APPEND = "console=ttyS0 rdinit=/init panic=-1 quiet net.ifnames=0"
MEMORY = 192
"""In MiB."""

BOOT_SECONDS = 90.0


class Nic(NamedTuple):
    """A network device of a guest, and the port that it is for."""

    tap: str
    mac: str
    address: str
    """What its port has; the guest learns it by DHCP."""


def to_nic(plug: Plug) -> Nic:
    """The device of a port, under the name that Nova would give it."""
    return Nic(tap_name(plug.port), plug.mac, plug.address)


class Guest:
    """One guest; it ends with the lab."""

    def __init__(self, lab: Lab, host: Host, name: str, kernel: Kernel, plugs: Sequence[Plug]) -> None:
        self.host = host
        self.nics = [to_nic(plug) for plug in plugs]
        self.child: Child | None = None
        self._shell: Shell | None = None
        self._lab = lab
        self._kernel = kernel
        self._directory = Path(lab.directory) / "guests" / name

    @property
    def address(self) -> str:
        """That of its first port."""
        return self.nics[0].address

    def start(self) -> None:
        """Run QEMU; it opens the tap devices that are there, and makes those that are not."""
        self._hang_up()
        self._directory.mkdir(parents=True, exist_ok=True)
        boot = ("-kernel", str(self._kernel.image), "-initrd", str(shared_image(self._lab, self._kernel)))
        argv = [*QEMU, "-m", str(MEMORY), *QUIET, *boot, "-append", APPEND, *self._ears(), *network(self.nics)]
        self.child = self._lab.run_on(self.host, argv)

    def wait(self, seconds: float = BOOT_SECONDS) -> Shell:
        """Until it has booted; gives its shell."""
        self._shell = self._connect(seconds)
        self._shell.wait()
        return self._shell

    def monitor(self) -> Monitor:
        """A session with its QEMU."""
        return Monitor(self._directory / "qmp")

    def kill(self) -> None:
        """End QEMU at once; it says good-bye to nobody."""
        self._hang_up()
        if self.child is not None:
            self.child.kill()

    def _hang_up(self) -> None:
        if self._shell is not None:
            self._shell.close()

    def _connect(self, seconds: float) -> Shell:
        def attempt() -> Shell | None:
            if self.child is not None and not self.child.alive:
                raise RuntimeError(f"QEMU has ended: {self.child.tail()}")
            return open_shell(self._directory / "shell", seconds)

        return until("QEMU runs", attempt, 10, 0.05)

    def _ears(self) -> Sequence[str]:
        console, shell, monitor = (self._directory / name for name in ("console", "shell", "qmp"))
        yours = "server=on,wait=off"
        return (
            *("-serial", f"file:{console}", "-serial", f"unix:{shell},{yours}"),
            *("-qmp", f"unix:{monitor},{yours}"),
        )


def network(nics: Sequence[Nic]) -> list[str]:
    """QEMU's words for network devices: virtio on tap devices, with all offloads that QEMU offers."""
    return [
        word
        for index, nic in enumerate(nics)
        for word in (
            *("-netdev", f"tap,id=n{index},ifname={nic.tap},script=no,downscript=no,vhost=off"),
            *("-device", f"virtio-net-pci,id=d{index},netdev=n{index},mac={nic.mac},romfile="),
        )
    ]


def shared_image(lab: Lab, kernel: Kernel) -> Path:
    """What all guests of a lab boot; made for the first."""
    image = Path(lab.directory) / "guests" / "image"
    if not image.exists():
        write_image(image, kernel)
    return image
