"""A server that nobody has prepared: a real process, and the `openstack` command by what it has written."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from urllib3 import PoolManager
from urllib3.exceptions import HTTPError

SECONDS = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + SECONDS
    with PoolManager(1, retries=False) as pool:
        while time.monotonic() < end and server.poll() is None:
            try:
                pool.request("GET", f"{url}/v3")
            except HTTPError:
                time.sleep(0.05)
            else:
                return
    raise AssertionError("the server does not answer")


def test_openstack_works_at_once(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text("")
    address = f"127.0.0.1:{free_port()}"
    words = ["--listen", address, "--southbound", f"unix://{tmp_path}/s", "--tokens", str(tokens)]
    command = [sys.executable, "-m", "netplane.cli", "server", *words, "--database", f"{tmp_path}/netplane.db"]
    log = tmp_path / "log"
    with log.open("wb") as file:
        server = subprocess.Popen(command, stdout=file, stderr=file)
        try:
            wait_for(f"http://{address}", server)
            done = subprocess.run(
                [str(Path(sys.executable).with_name("openstack")), "--os-cloud", "netplane", "network", "list"],
                capture_output=True,
                text=True,
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": "/nonexistent",
                    "OS_CLIENT_CONFIG_FILE": f"{tmp_path}/clouds.yaml",
                },
            )
        finally:
            server.send_signal(signal.SIGTERM)
            status = server.wait(SECONDS)
    assert (done.returncode, done.stderr) == (0, "")
    assert status == 0
    password = next(
        line.partition("=")[2]
        for line in (tmp_path / "openrc").read_text().splitlines()
        if line.startswith("export OS_PASSWORD=")
    )
    assert password not in log.read_text()
    assert (tmp_path / "clouds.yaml").stat().st_mode & 0o777 == 0o600
