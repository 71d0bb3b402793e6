"""`netplane server` as an operator starts it: a process of its own on this machine's loopback."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

from netplane.lab.controller import free_port
from netplane.lab.wait import until

COMMAND = [sys.executable, "-m", "netplane.cli"]
LOG = "server.log"
START = 30.0
"""Seconds that a server may take to be there, and to end."""


@contextmanager
def server_running(folder: Path, *words: str, tokens: str = "", database: str = "") -> Iterator[str]:
    """The URL of a server, as long as it is needed; its store, its papers and its log lie in a folder.

    `tokens` is the file of them; without it the server makes one. `words` are further options. It must still be there
    at the end, and end well.
    """
    if tokens:
        (folder / "tokens.toml").write_text(tokens)
    listen = f"127.0.0.1:{free_port()}"
    options = {
        "--listen": listen,
        "--southbound": f"unix://{folder}/agents",
        "--state": str(folder),
        **({"--database": database} if database else {}),
    }
    argv = [*COMMAND, "server", *(word for pair in options.items() for word in pair), *words]
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        until("the server answers", lambda: _answers(f"http://{listen}/", process, folder / LOG), START, 0.05)
        yield f"http://{listen}"
        assert process.poll() is None, (folder / LOG).read_text()
        process.terminate()
        assert process.wait(START) == 0, (folder / LOG).read_text()
    finally:
        process.kill()
        process.wait()


def _answers(url: str, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        urllib3.request("GET", url, retries=False, timeout=START)
    except urllib3.exceptions.HTTPError:
        return False
    return True
