"""Compiles the hot modules to machine code with mypyc: a copy of netplane in `.cache/native`, of the same sources.

Run as `python -m tools.compile_native`, or `make native`. Whoever puts `.cache/native` first on `PYTHONPATH` runs that
copy; nothing else is changed, so what is edited is never hidden by what was compiled before. It takes a C compiler.
"""

import compileall
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src"
TARGET = ROOT / ".cache/native"

HOT = (
    "base/*.py",
    "compiler/*.py",
    "interest/*.py",
    "tables/schema.py",
    "agent/slice.py",
    "agent/reconcile.py",
    "controller/history.py",
    "controller/picture.py",
    "controller/ports.py",
    "controller/revisions.py",
    "stream/delivery.py",
    "stream/outbox.py",
)
"""What large slices and many changes spend their time in, as long as it is Python's."""

BUILD = """\
import sys
from setuptools import setup
from mypyc.build import mypycify
setup(name="netplane-native", packages=[], ext_modules=mypycify(sys.argv[3:], opt_level="2"), script_args=sys.argv[1:3])
"""


def compile_native() -> None:
    """Bring the copy up to date; CalledProcessError where mypyc or the C compiler finds a mistake."""
    if TARGET.exists():
        shutil.rmtree(TARGET)
    shutil.copytree(SOURCES / "netplane", TARGET / "netplane", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-c", BUILD, "build_ext", "--inplace", *hot_modules()]
    subprocess.run(command, check=True, cwd=TARGET, env=os.environ | {"MYPYPATH": str(TARGET)})
    compileall.compile_dir(TARGET / "netplane", quiet=1)


def hot_modules() -> list[str]:
    """The files that are compiled, relative to the sources; what only gathers names for a room is none of them."""
    found = (path for pattern in HOT for path in sorted((SOURCES / "netplane").glob(pattern)))
    return [str(path.relative_to(SOURCES)) for path in found if path.name != "__init__.py"]


if __name__ == "__main__":
    compile_native()
