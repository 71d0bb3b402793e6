"""The project's own files, as these tests see them."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src/netplane"
WRITTEN = ("src", "tests", "tools", "bench", "docs", "scripts")
"""The folders that people write in."""

TEXT = {".py", ".c", ".h", ".md", ".toml", ".txt", ".in", ".sh", ".html", ".js", ".css"}


def python_files(*folders: str) -> Iterator[Path]:
    """All Python files below these folders."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def written_files() -> Iterator[Path]:
    """Every text file that somebody wrote, or a tool for them, folders of builds and caches left out."""
    yield from (path for path in sorted(ROOT.iterdir()) if path.is_file() and path.suffix in TEXT | {""})
    for folder in WRITTEN:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and (path.suffix in TEXT or folder == "scripts") and "results" not in path.parts:
                yield path


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(path.read_text(), str(path))


def name(path: Path) -> str:
    """How a failure names a file."""
    return str(path.relative_to(ROOT))
