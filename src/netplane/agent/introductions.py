"""Where the host was told that controllers are, on disk: it finds them though all that it has joined with are gone."""

from collections.abc import Sequence
from pathlib import Path

from netplane.stream.preference import remembered
from netplane.trust.papers import write_secret

FILE = "controllers"


def read_introduced(folder: Path) -> tuple[str, ...]:
    """What is remembered, the latest first; nothing if nothing can be read."""
    try:
        return tuple((folder / FILE).read_text().splitlines())
    except (OSError, ValueError):
        return ()


def note_introduced(folder: Path, addresses: Sequence[str]) -> None:
    """Remember addresses, besides those of before."""
    known = read_introduced(folder)
    kept = remembered(addresses, known)
    if kept != known:
        write_secret(folder / FILE, "".join(f"{address}\n" for address in kept).encode())


def forget_introduced(folder: Path) -> None:
    """The host has joined anew, maybe others than before."""
    (folder / FILE).unlink(missing_ok=True)
