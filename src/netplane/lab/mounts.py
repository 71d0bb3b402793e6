"""Small disks of memory, for what a full disk does."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "netplane-disk-"


@contextmanager
def small_disk(size: str) -> Iterator[Path]:
    """A disk of its own within the block, of a size such as `160m`; what killed processes have left goes first."""
    place = Path(tempfile.gettempdir())
    for left in place.glob(f"{PREFIX}*"):
        if not Path(f"/proc/{left.name.removeprefix(PREFIX)}").exists():
            _remove(left)
    folder = place / f"{PREFIX}{os.getpid()}"
    folder.mkdir(mode=0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "netplane-lab", str(folder)], check=True)
    try:
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    # Whoever still has a file open there must not keep it.
    subprocess.run(["umount", "--lazy", str(folder)], check=False, stderr=subprocess.DEVNULL)
    with suppress(OSError):
        folder.rmdir()
