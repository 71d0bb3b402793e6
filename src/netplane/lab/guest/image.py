"""What a guest runs besides its kernel: a file system in memory, made of this machine's own programs.

The lab's guest is as small as a Linux machine gets: busybox with its DHCP client, ethtool, the drivers of virtio,
and VLAN devices. It configures every network device that it has at its start, and takes commands on its second serial
port.
"""

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from netplane.lab.guest.kernel import Kernel

DRIVERS = (
    "kernel/drivers/virtio",
    "kernel/drivers/net/virtio_net.ko",
    "kernel/drivers/net/net_failover.ko",
    "kernel/net/core/failover.ko",
    "kernel/net/8021q",
    "kernel/net/802",
    "kernel/net/llc",
)
PROGRAMS = ("ethtool",)
MERGED = ("bin", "sbin", "lib", "lib64")
"""Links into /usr on today's systems."""

READY = "guest: ready"
EXIT = "guest: exit"

INIT = f"""#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /run
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox --install -s /usr/bin
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp
modprobe virtio_pci
modprobe virtio_net
ip link set lo up
for device in $(ls /sys/class/net | grep eth); do configure $device; done
stty -F /dev/ttyS1 raw -echo
exec 3<>/dev/ttyS1
echo "{READY}" >&3
while read -r line <&3; do
    sh -c "$line" >/tmp/answer 2>&1 </dev/null
    status=$?
    cat /tmp/answer >&3
    echo "{EXIT} $status" >&3
done
"""

CONFIGURE = """#!/bin/busybox sh
# Has a network device configured by DHCP, now and for as long as the guest runs. Of several routers of IPv6, too, the
# first device's is the default.
echo $((1024 + ${1#eth})) >/proc/sys/net/ipv6/conf/$1/ra_defrtr_metric
ip link set $1 up
exec udhcpc -i $1 -b -t 20 -T 1 -A 1 -s /usr/bin/leased -O mtu -O staticroutes -p /run/$1.pid >/run/$1.log 2>&1
"""

LEASED = """#!/bin/busybox sh
# What udhcpc runs with each lease: address, MTU, and the routes of option 121 before those of option 3 (RFC 3442).
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip link set $interface mtu ${mtu:-1500}
ip -4 addr flush dev $interface
ip addr add $ip/$mask dev $interface
[ -n "$staticroutes" ] || staticroutes="0.0.0.0/0 $router"
set -- $staticroutes
while [ $# -ge 2 ]; do
    ip route add $1 via $2 dev $interface metric $((${interface#eth} + 1))
    shift 2
done
"""


def write_image(target: Path, kernel: Kernel) -> None:
    """The lab's guest: an initramfs for this kernel."""
    stage = target.with_suffix(".stage")
    shutil.rmtree(stage, ignore_errors=True)
    stage_base(stage, kernel, DRIVERS, INIT)
    for name, text in (("configure", CONFIGURE), ("leased", LEASED)):
        write_program(stage / "usr/bin" / name, text)
    for name in MERGED:
        (stage / "usr" / name).mkdir(exist_ok=True)
        (stage / name).symlink_to(f"usr/{name}")
    found = [Path(path) for path in map(shutil.which, PROGRAMS) if path]
    for path in {*found, *read_libraries(found)}:
        place = stage / path.relative_to("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    with target.open("wb") as archive:
        append(archive.fileno(), stage, (path.relative_to(stage) for path in sorted(stage.rglob("*"))))
    shutil.rmtree(stage)


def stage_base(stage: Path, kernel: Kernel, modules: Sequence[str], init: str) -> None:
    """Lay out what every guest has: busybox, modules of its kernel, and what it runs first."""
    busybox = stage / "usr/bin/busybox"
    busybox.parent.mkdir(parents=True)
    shutil.copy(shutil.which("busybox") or "/bin/busybox", busybox)
    for name in ("sh", "mount", "umount"):
        (stage / "usr/bin" / name).symlink_to("busybox")
    (stage / "usr/sbin").mkdir()
    (stage / "usr/sbin/modprobe").symlink_to("../bin/busybox")
    place = stage / "usr/lib/modules" / kernel.release
    for part in modules:
        if (kernel.modules / part).is_dir():
            shutil.copytree(kernel.modules / part, place / part)
        elif (kernel.modules / part).exists():
            (place / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(kernel.modules / part, place / part)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(kernel.modules / name, place / name)
    subprocess.run(["depmod", "-b", str(stage / "usr"), kernel.release], check=True)
    write_program(stage / "init", init)


def write_program(path: Path, text: str) -> None:
    """A script that can be run."""
    path.write_text(text)
    path.chmod(0o755)


def append(archive: int, directory: Path, paths: Iterable[Path]) -> None:
    """Add an archive of some paths below a directory to an open file; the kernel unpacks one behind the other."""
    names = b"\0".join(str(path).lstrip("/").encode() for path in paths)
    subprocess.run(
        ["cpio", "--create", "--format=newc", "--null", "--quiet"],
        input=names,
        stdout=archive,
        cwd=directory,
        check=True,
    )


def read_libraries(binaries: Iterable[Path]) -> set[Path]:
    """The shared libraries of programs and libraries, the loader included."""
    done = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False)
    words = {word for line in done.stdout.splitlines() for word in line.split() if word.startswith("/")}
    return {Path(word) for word in words if not word.endswith(":")}
