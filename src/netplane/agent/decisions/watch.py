"""Takes the datapath's decisions out of their ring, so many at a time: machines are answered in between.

    ring ── readable ──▶ take ──▶ Telling ──▶ DecisionFile
                                         ╰──▶ Kept ──▶ (the agent says them to its controller)

When the ring fills faster than this, the datapath counts what it could not write.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from time import monotonic_ns, time_ns

from netplane.agent.decisions.file import DecisionFile
from netplane.agent.decisions.kept import Kept
from netplane.agent.decisions.telling import Telling
from netplane.agent.slice import Slice
from netplane.datapath import Datapath

AT_ONCE, PAUSE = 256, 0.1
"""Events taken at a time, and seconds before more are: some 2,500 a second."""

log = logging.getLogger(__name__)


class DecisionWatch:
    """The reader of one datapath's decisions."""

    def __init__(self, datapath: Datapath, slice: Slice, path: Path) -> None:
        self.kept = Kept()
        self._datapath = datapath
        # Microseconds of today are more than any number that an agent before this one has come to.
        self._telling = Telling(slice, time_ns() // 1_000)
        self._file = DecisionFile(path)
        self._complaint = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._fd = -1

    def start(self, tell: Callable[[], None]) -> None:
        """Read from the running loop; `tell` is called when there is something new to say."""
        self._loop, self._fd = asyncio.get_running_loop(), self._datapath.decisions_fd()
        self._wait(tell)

    def close(self) -> None:
        """Stop reading."""
        if self._pause is not None:
            self._pause.cancel()
        if self._loop is not None and self._fd >= 0:
            self._loop.remove_reader(self._fd)

    def tidy(self) -> None:
        """Forget ports that are no longer here."""
        self._telling.forget()

    def _wait(self, tell: Callable[[], None]) -> None:
        if self._loop is not None and self._fd >= 0:
            self._loop.add_reader(self._fd, self._readable, tell)

    def _readable(self, tell: Callable[[], None]) -> None:
        assert self._loop is not None
        self._loop.remove_reader(self._fd)
        self._pause = self._loop.call_later(PAUSE, self._wait, tell)
        decisions = list(self._telling.tell(self._datapath.take_decisions(AT_ONCE), time_ns() - monotonic_ns()))
        self.kept.add(decisions)
        try:
            self._file.write(decisions)
            self._complaint = ""
        except OSError as problem:
            if str(problem) != self._complaint:
                log.warning("cannot write down decisions: %s", problem)
            self._complaint = str(problem)
        if decisions:
            tell()
