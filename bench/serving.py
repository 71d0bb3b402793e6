"""Real controllers, `netplane server`, in processes of their own on this machine's loopback."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.processes import read_cpu
from netplane.api.limits import DEFAULTS
from netplane.lab.controller import free_port

SECRET = "bench"
TOKENS = f'[[token]]\nsecret = "{SECRET}"\nproject = "bench"\nroles = ["admin"]\n'
START = 600.0
"""Seconds that a controller has to begin to answer."""


class Server(NamedTuple):
    """One controller."""

    port: int
    """Where it answers HTTP."""
    pid: int
    southbound: str
    """Where agents connect."""


class Servers(NamedTuple):
    """Controllers on one database."""

    ports: tuple[int, ...]
    """Where each answers HTTP."""
    pids: tuple[int, ...]

    def read_cpu(self) -> float:
        """Seconds of processor that they have used."""
        return sum(read_cpu(pid) for pid in self.pids)


@contextmanager
def serve(folder: Path, database: str, controllers: int = 1) -> Iterator[Servers]:
    """So many controllers on a database: a path, or a URL of PostgreSQL."""
    with ExitStack() as stack:
        running = [stack.enter_context(controller(folder / str(n), database)) for n in range(controllers)]
        yield Servers(tuple(each.port for each in running), tuple(each.pid for each in running))


@contextmanager
def controller(folder: Path, database: str) -> Iterator[Server]:
    """One controller, which keeps its files in a folder; agents find another that is started there at the same place.

    It ends with the block, unless it has been killed before.
    """
    folder.mkdir(exist_ok=True)
    tokens, quotas, southbound = folder / "tokens.toml", folder / "quotas.toml", f"unix://{folder}/southbound"
    tokens.write_text(TOKENS)
    quotas.write_text("".join(f"{kind} = -1\n" for kind in DEFAULTS))
    port = free_port()
    command = [
        *(sys.executable, "-m", "netplane.cli", "server", "--listen", f"127.0.0.1:{port}"),
        *("--southbound", southbound, "--database", database, "--tokens", str(tokens), "--quotas", str(quotas)),
    ]
    with open(folder / "log", "a") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_until_open(port, process, folder / "log")
        yield Server(port, process.pid, southbound)
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
