"""Decisions on disk: a JSON object a line, in a file that is set aside when it is large, and a few older ones."""

import os
from collections.abc import Iterable
from pathlib import Path

from msgspec.json import Encoder

from netplane.model import Decision

LARGEST = 16 << 20
"""Bytes of a file, at most a batch more."""
OLDER = 4
"""Files that were set aside and are kept: `decisions.log.1` is the youngest."""


class DecisionFile:
    """The file at a path, whose directory is made when first needed. Writing raises OSError as disks do."""

    def __init__(self, path: Path, *, largest: int = LARGEST) -> None:
        self._path = path
        self._largest = largest
        self._encode = Encoder().encode

    def write(self, decisions: Iterable[Decision]) -> None:
        """Append decisions. The file is opened anew each time: others may move it away."""
        lines = b"".join(self._encode(decision) + b"\n" for decision in decisions)
        if not lines:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640), "ab") as file:
            file.write(lines)
            is_large = file.tell() >= self._largest
        if is_large:
            self._set_aside()

    def _set_aside(self) -> None:
        for age in range(OLDER, 0, -1):
            younger = self._aside(age - 1) if age > 1 else self._path
            if younger.exists():
                os.replace(younger, self._aside(age))

    def _aside(self, age: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{age}")
