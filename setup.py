"""Compiles the datapath while the package is built; everything else is declared in pyproject.toml."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).parent))

from tools.compile_datapath import compile_datapath


class BuildWithDatapath(build_py):
    """`build_py` that first makes the object that it then copies like any other file of the package."""

    def run(self) -> None:
        """Compile, then build."""
        compile_datapath()
        super().run()


setup(cmdclass={"build_py": BuildWithDatapath})
