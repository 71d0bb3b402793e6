"""Child processes: started in a namespace, written down, dying with their parent, ended by their own id."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from netplane.lab.ledger import Ledger
from netplane.lab.namespace import inside

TERM_SECONDS = 5.0
MORTAL = ("setpriv", "--pdeathsig", "KILL", "--")
"""Before a command: the kernel kills it when the thread that started it ends, whatever that ends of."""


class Child:
    """One running program and the file its output goes to."""

    def __init__(self, popen: "subprocess.Popen[bytes]", log: Path) -> None:
        self.popen = popen
        self.log = log

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.popen.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.popen.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens if it has ended."""
        if self.alive:
            self.popen.send_signal(number)

    def stop(self, seconds: float = TERM_SECONDS) -> int:
        """Ask it to end, kill it if it does not in time; gives its exit status."""
        self.signal(signal.SIGTERM)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """Kill it at once, as a crash would; gives its exit status."""
        self.signal(signal.SIGKILL)
        return self.popen.wait()

    def read_log(self) -> str:
        """What it has written so far."""
        try:
            return self.log.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def tail(self, lines: int = 8) -> str:
        """The end of what it has written."""
        return "\n".join(self.read_log().splitlines()[-lines:])


def start(
    ledger: Ledger,
    argv: Sequence[str],
    *,
    log: Path,
    namespace: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Child:
    """Start a program in a namespace (None: ours), in a session of its own so that a terminal's Ctrl-C misses it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as output, inside(namespace):
        popen = subprocess.Popen(
            [*MORTAL, *argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
        )
    ledger.note_process(popen.pid)
    return Child(popen, log)
