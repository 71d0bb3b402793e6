"""Commands to a guest by its second serial port, which QEMU shows as a Unix socket."""

import socket
from pathlib import Path
from typing import NamedTuple

from netplane.lab.guest.image import EXIT, READY
from netplane.lab.wait import NotReached, until


class Told(NamedTuple):
    """What a command in the guest ended with, and what it wrote."""

    status: int
    text: str


class Shell:
    """The guest's first process, which runs one line after another."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._text = ""

    def wait(self) -> None:
        """Until the guest has booted."""
        self._read_until(READY)

    def run(self, command: str, seconds: float = 30) -> Told:
        """Run one line in the guest's shell."""
        self._socket.settimeout(seconds)
        self._socket.sendall(f"{command}\n".encode())
        text, status = self._read_until(EXIT)
        return Told(int(status), text)

    def obtain(self, device: str = "eth0", seconds: float = 30) -> str:
        """Wait until a network device has an address; gives it."""
        return until(f"{device} of the guest has an address", lambda: self.read_address(device), seconds, 0.1)

    def read_address(self, device: str = "eth0") -> str:
        """The address of a network device; empty before it has one."""
        return self.run(f"ip -4 addr show {device} | sed -n 's,.*inet \\([0-9.]*\\)/.*,\\1,p'").text.strip()

    def close(self) -> None:
        """Let go of the port."""
        self._socket.close()

    def _read_until(self, mark: str) -> tuple[str, str]:
        """What comes before the line that begins with a mark, and the rest of that line."""
        try:
            while True:
                found = parse_answer(self._text, mark)
                if found is not None:
                    before, rest, self._text = found
                    return before, rest
                received = self._socket.recv(65536)
                if not received:
                    raise NotReached(f"the guest has ended before it said {mark!r}: {self._text[-500:]}")
                self._text += received.decode(errors="replace")
        except TimeoutError:
            raise NotReached(f"the guest has not said {mark!r} in time: {self._text[-500:]}") from None


def open_shell(path: Path, seconds: float) -> Shell | None:
    """The guest behind a socket; None if nobody listens there yet. It has so many seconds to boot."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(seconds)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    return Shell(connection)


def parse_answer(text: str, mark: str) -> tuple[str, str, str] | None:
    """What comes before a mark, the rest of its line, and what follows; None if that line is not whole yet."""
    before, found, after = text.partition(mark)
    rest, ended, following = after.partition("\n")
    return (before, rest.strip(), following) if found and ended else None
