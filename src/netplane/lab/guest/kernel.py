"""Debian's kernel, unpacked from its package without being installed."""

import subprocess
from pathlib import Path
from typing import NamedTuple

CLOUD = "linux-image-cloud-amd64"
"""The package that depends on Debian's current kernel for virtual machines: small, quick to boot, complete for us."""


class Kernel(NamedTuple):
    """A kernel image, its release and its modules."""

    image: Path
    release: str
    modules: Path


class NoKernelError(Exception):
    """There is no such kernel to be had on this system; the text says why."""


def unpack_kernel(cache: Path) -> Kernel:
    """Debian's kernel in `cache`, fetched with apt at the first call."""
    root = cache / "kernel"
    if not any(root.glob("boot/vmlinuz-*")):
        subprocess.run(["dpkg-deb", "-x", str(_download(cache)), str(root)], check=True)
    image = next(root.glob("boot/vmlinuz-*"))
    release = image.name.removeprefix("vmlinuz-")
    return Kernel(image, release, root / "lib/modules" / release)


def _download(cache: Path) -> Path:
    package = _package() or _package(update=True)
    if package is None:
        raise NoKernelError(f"apt knows no package {CLOUD} here: this is not Debian")
    cache.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["apt-get", "download", "-q", package], cwd=cache, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NoKernelError(f"apt-get download {package}: {done.stderr.strip()}")
    return next(cache.glob(f"{package}_*.deb"))


def _package(*, update: bool = False) -> str | None:
    """The name of the package that holds the kernel, such as `linux-image-6.1.0-40-cloud-amd64`."""
    if update:
        subprocess.run(["apt-get", "update", "-qq"], capture_output=True, check=False)
    done = subprocess.run(["apt-cache", "depends", "--important", CLOUD], capture_output=True, text=True, check=False)
    depends = (line.split("Depends: ")[1].strip() for line in done.stdout.splitlines() if "Depends: " in line)
    return next((name for name in depends if name.startswith("linux-image-")), None)
