"""Real controllers, `netplane server`, in processes of their own on this machine's loopback."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from netplane.api.limits import DEFAULTS
from netplane.lab.controller import free_port

SECRET = "bench"
TOKENS = f'[[token]]\nsecret = "{SECRET}"\nproject = "bench"\nroles = ["admin"]\n'
START = 60.0
"""Seconds that a controller has to begin to answer."""
TICKS = os.sysconf("SC_CLK_TCK")


class Servers(NamedTuple):
    """Controllers on one database."""

    ports: tuple[int, ...]
    """Where each answers HTTP."""
    pids: tuple[int, ...]

    def read_cpu(self) -> float:
        """Seconds of processor that they have used."""
        return sum(_read_cpu(pid) for pid in self.pids)


@contextmanager
def serve(folder: Path, database: str, controllers: int = 1) -> Iterator[Servers]:
    """So many controllers on a database: a path, or a URL of PostgreSQL."""
    tokens = folder / "tokens.toml"
    tokens.write_text(TOKENS)
    (folder / "quotas.toml").write_text("".join(f"{kind} = -1\n" for kind in DEFAULTS))
    with ExitStack() as stack:
        running = [stack.enter_context(_controller(folder / str(n), database, tokens)) for n in range(controllers)]
        yield Servers(tuple(port for port, _ in running), tuple(pid for _, pid in running))


@contextmanager
def _controller(folder: Path, database: str, tokens: Path) -> Iterator[tuple[int, int]]:
    folder.mkdir()
    port = free_port()
    command = [
        *(sys.executable, "-m", "netplane.cli", "server", "--listen", f"127.0.0.1:{port}"),
        *("--southbound", f"unix://{folder}/southbound", "--database", database, "--tokens", str(tokens)),
        *("--quotas", str(tokens.with_name("quotas.toml"))),
    ]
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_until_open(port, process, folder / "log")
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_open(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the controller does not answer:\n{log.read_text()}") from None
            time.sleep(0.05)


def _read_cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
