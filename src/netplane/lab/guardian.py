"""Removes a lab whose owner has died, at once, whatever it died of.

It is a small process that waits on a pipe whose other end only the lab's process holds. The kernel closes that end
when the owner goes; a lab that ends properly has then nothing left to remove. Should the guardian be killed too,
the next lab sweeps.
"""

import os
import subprocess
import sys
from contextlib import suppress

from netplane.lab.ledger import LabBusy, Ledger, claim, directory
from netplane.lab.wait import NotReached, until

PATIENCE = 10.0
"""Seconds to wait for the owner's lock."""


class Guardian:
    """The owner's side: holds the pipe open."""

    def __init__(self, prefix: str) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-c", f"from netplane.lab.guardian import main; main({prefix!r})"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    def dismiss(self) -> None:
        """End it; the lab is gone."""
        self._popen.kill()
        self._popen.communicate()


def main(prefix: str) -> None:
    """Wait for the owner's end, then remove what is left of the lab."""
    os.read(0, 1)
    if directory(prefix).exists():
        # The kernel lets go of a dead owner's files one after the other: the pipe may be closed before the lock.
        with suppress(NotReached):
            until("the lab is nobody's", lambda: _claim(prefix), PATIENCE).destroy()


def _claim(prefix: str) -> Ledger | None:
    try:
        return claim(prefix)
    except LabBusy:
        return None
