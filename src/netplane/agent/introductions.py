"""Where the host was told that controllers are, on disk: it finds them though all that it has joined with are gone."""

from collections.abc import Sequence
from pathlib import Path

from netplane.trust.papers import write_secret

FILE = "controllers"
MOST = 16
"""Addresses that are remembered."""


def read_introduced(folder: Path) -> tuple[str, ...]:
    """What is remembered, the latest first; nothing if nothing can be read."""
    try:
        return tuple((folder / FILE).read_text().splitlines())
    except (OSError, ValueError):
        return ()


def note_introduced(folder: Path, addresses: Sequence[str]) -> None:
    """Remember addresses. Those of before stay behind them: who is away now may be back when others are not."""
    known = read_introduced(folder)
    kept = tuple(dict.fromkeys((*addresses, *known)))[:MOST]
    if kept != known:
        write_secret(folder / FILE, "".join(f"{address}\n" for address in kept).encode())


def forget_introduced(folder: Path) -> None:
    """The host has joined anew, maybe others than before."""
    (folder / FILE).unlink(missing_ok=True)
