"""Machines with a kernel of their own: QEMU guests on the lab's hosts, started by hand or by libvirt.

    Guest ── Shell      commands, by a serial port       image ── kernel    what it boots
          ├─ Monitor    QEMU's own ear (QMP)             Tap ── Nova's and libvirt's name for a port's device
          └─ Nic ── Tap

The processor is emulated (TCG): nested virtualisation is missing, or hangs, on many machines that run tests. Offloads
are those of a real hypervisor: virtio-net leaves checksums and segmentation to whoever needs them.
"""

from netplane.lab.guest.guest import Guest, Nic
from netplane.lab.guest.kernel import Kernel, NoKernelError, unpack_kernel
from netplane.lab.guest.libvirt import Domain, Libvirt
from netplane.lab.guest.tap import add_tap, remove_tap, tap_name

__all__ = [
    "Domain",
    "Guest",
    "Kernel",
    "Libvirt",
    "Nic",
    "NoKernelError",
    "add_tap",
    "remove_tap",
    "tap_name",
    "unpack_kernel",
]
