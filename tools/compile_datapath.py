"""Writes the datapath's C header from the tables' declaration, and compiles the programs into one object.

Run as `python -m tools.compile_datapath`. It works before netplane or anything it needs is installed: the tables are
declared in plain Python.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src/netplane/datapath/bpf"
HEADER = SOURCES / "tables.h"
PROGRAM = SOURCES / "netplane.bpf.c"
OBJECT = ROOT / "src/netplane/datapath/netplane.bpf.o"

FLAGS = ("-O2", "-g", "-target", "bpf", "-mcpu=v3", "-Wall", "-Wextra", "-Werror", f"-ffile-prefix-map={ROOT}=.")
"""`-g` is for BTF, by which libbpf creates the maps; v3 adds 32-bit jumps, which kernels have had since 5.1."""


def compile_datapath() -> None:
    """Bring header and object up to date; raises CalledProcessError where clang finds a mistake."""
    write_header()
    compile_program(OBJECT)


def compile_program(target: Path) -> None:
    """Compile the sources, with the header that is there, into `target`."""
    command = ["clang", *FLAGS, *system_includes(), "-c", PROGRAM.name, "-o", str(target)]
    subprocess.run(command, check=True, cwd=SOURCES)


def write_header() -> None:
    """Write `tables.h`, leaving it untouched where nothing changed so that nothing is built for nothing."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "netplane.tables.header"]
    text = subprocess.run(command, check=True, env=environment, capture_output=True, text=True).stdout
    if not HEADER.exists() or HEADER.read_text() != text:
        HEADER.write_text(text)


def system_includes() -> list[str]:
    """Where Debian and Ubuntu keep the kernel's `asm/` headers: clang does not look there for foreign targets."""
    return [f"-I/usr/include/{platform.machine()}-linux-gnu"]


if __name__ == "__main__":
    compile_datapath()
