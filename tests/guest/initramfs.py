"""The guest's whole file system, as one archive in memory: this machine's Python and the project, at their own paths.

There is no disk and no network in the guest. What a program needs is found as the loader finds it, with `ldd`.
"""

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from pathlib import Path

from netplane.lab.guest.image import append, read_libraries, stage_base
from netplane.lab.guest.kernel import Kernel

ROOT = Path(__file__).resolve().parents[2]
DISTRIBUTIONS = (
    "hypothesis",
    "iniconfig",
    "msgspec",
    "packaging",
    "pluggy",
    "pygments",
    "pyroute2",
    "pytest",
    "pytest-timeout",
    "sortedcontainers",
)
PROGRAMS = ("ip", "ping")
LIBRARIES = ("libbpf.so.1",)
MODULES = ("kernel/net", "kernel/drivers/net", "kernel/lib", "kernel/crypto", "kernel/arch/x86/crypto")
"""Modules that machines, tunnels and programs may ask for."""

UNUSED = frozenset(
    {"test", "tests", "idlelib", "lib2to3", "ensurepip", "tkinter", "turtledemo", "site-packages", "dist-packages"}
)
"""What a Python installation holds besides the language."""
MERGED = ("bin", "sbin", "lib", "lib64")
"""Links into /usr on today's systems; the loader's own path goes through one."""

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /run
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp PYTHONPATH=src PYTHONDONTWRITEBYTECODE=1
modprobe tun
ip link set lo up
cd {root}
{command}
echo "guest: exit $?"
/bin/busybox poweroff -f
"""


def write_initramfs(target: Path, kernel: Kernel, command: str) -> None:
    """Two archives, one behind the other, as the kernel allows: this machine's files, and what only the guest has."""
    stage = target.with_suffix(".stage")
    shutil.rmtree(stage, ignore_errors=True)
    stage_base(stage, kernel, MODULES, INIT.format(root=ROOT, command=command))
    with target.open("wb") as archive:
        append(archive.fileno(), Path("/"), _with_parents(host_files()))
        append(archive.fileno(), stage, (path.relative_to(stage) for path in sorted(stage.rglob("*"))))
    shutil.rmtree(stage)


def host_files() -> set[Path]:
    """This machine's files that the guest needs, with the shared libraries of all of them."""
    files = {*_interpreter(), *_distributions(), *_project(), *_programs()}
    binaries = [path for path in files if path.suffix == ".so" or ".so." in path.name or _is_program(path)]
    return files | _libraries(binaries)


def _interpreter() -> Iterator[Path]:
    yield Path(sys.executable)
    yield Path(sys.executable).resolve()
    yield Path(sys.prefix, "pyvenv.cfg")
    for path in _tree(Path(sysconfig.get_path("stdlib"))):
        if not path.name.endswith((".opt-1.pyc", ".opt-2.pyc", ".a")):
            yield path


def _distributions() -> Iterator[Path]:
    for name in DISTRIBUTIONS:
        for file in distribution(name).files or ():
            path = Path(str(file.locate()))
            if path.is_file() and path.is_relative_to(sys.prefix):
                yield Path(*path.parts)


def _project() -> Iterator[Path]:
    yield ROOT / "pyproject.toml"
    for part in ("src", "tests", "tools"):
        yield from _tree(ROOT / part, without=frozenset({"__pycache__"}))


def _programs() -> Iterator[Path]:
    for name in PROGRAMS:
        found = shutil.which(name)
        if found:
            yield Path(found)


def _libraries(binaries: list[Path]) -> set[Path]:
    cache = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    roots = [Path(line.split("=> ")[1]) for line in cache.splitlines() if line.split()[0] in LIBRARIES]
    return {*roots, *read_libraries([*binaries, *roots])}


def _tree(top: Path, without: frozenset[str] = UNUSED) -> Iterator[Path]:
    for path in sorted(top.iterdir()):
        if path.is_dir() and not path.is_symlink():
            if path.name not in without and not path.name.startswith("config-"):
                yield from _tree(path, without)
        else:
            yield path


def _is_program(path: Path) -> bool:
    return path.parent.name in ("bin", "sbin")


def _with_parents(files: Iterable[Path]) -> list[Path]:
    """Every file under its real directories, links and what they point at, parents first."""
    found = {Path("/", name) for name in MERGED if Path("/", name).is_symlink()} | {Path("/usr/bin"), Path("/usr/sbin")}
    waiting = list(files)
    while waiting:
        path = waiting.pop()
        real = path.parent.resolve() / path.name
        if real in found:
            continue
        found.add(real)
        if real.is_symlink():
            waiting.append(real.parent / real.readlink())
    return sorted(found | {parent for path in found for parent in path.parents if parent != Path("/")})
