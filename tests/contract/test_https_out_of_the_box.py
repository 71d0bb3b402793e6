"""A server that others can reach, told nothing of certificates: what is on its machine works by HTTPS at once."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from netplane.controller.whereabouts import own_address
from netplane.lab.controller import free_port
from netplane.trust.authority import make_authority
from netplane.trust.own import wall_clock
from tests.servers import COMMAND

OPENSTACK = str(Path(sys.executable).with_name("openstack"))
PATIENCE = 20.0


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """The folder of a server, and its port on every address of this machine."""
    (tmp_path / "tokens.toml").write_text('[[token]]\nsecret = "admin"\nproject = "ops"\nroles = ["admin"]\n')
    port = free_port()
    words = {
        "--listen": f"0.0.0.0:{port}",
        "--southbound": f"unix://{tmp_path}/southbound",
        "--database": str(tmp_path / "netplane.db"),
        "--tokens": str(tmp_path / "tokens.toml"),
    }
    argv = [*COMMAND, "server", *(word for pair in words.items() for word in pair)]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while ask(tmp_path, port).returncode:
                assert process.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            yield tmp_path, port
        finally:
            process.terminate()


def ask(folder: Path, port: int, **environment: str) -> "subprocess.CompletedProcess[str]":
    """`netplane status` on the server's machine."""
    found = {**os.environ, "NETPLANE_STATE": str(folder), "NETPLANE_URL": f"https://127.0.0.1:{port}", **environment}
    words = [*COMMAND, "status", "-o", "json"]
    return subprocess.run(words, capture_output=True, text=True, env=found, timeout=60)


def collect(folder: Path, port: int, **more: str) -> "subprocess.CompletedProcess[str]":
    """`netplane-cni`, asked to remove what nobody uses."""
    (folder / "token").write_text("admin")
    config = {
        "cniVersion": "1.1.0",
        "name": "blue",
        "type": "netplane-cni",
        "network": "left",
        "url": f"https://127.0.0.1:{port}",
        "token_file": str(folder / "token"),
        "cni.dev/valid-attachments": [],
        **more,
    }
    found = {**os.environ, "CNI_COMMAND": "GC", "CNI_PATH": "/opt/cni/bin", "NETPLANE_STATE": str(folder / "nowhere")}
    words = [sys.executable, "-m", "netplane.cni"]
    return subprocess.run(words, input=json.dumps(config), capture_output=True, text=True, env=found, timeout=60)


def test_containers_believe_whom_their_network_names(place: tuple[Path, int]) -> None:
    folder, port = place
    (folder / "other.pem").write_bytes(make_authority(wall_clock()).pem)
    done = collect(folder, port, cacert=str(folder / "authority.pem"))
    assert (done.returncode, done.stdout) == (0, ""), done.stdout
    for more in ({}, {"cacert": str(folder / "other.pem")}):
        refused = json.loads(collect(folder, port, **more).stdout)
        assert (refused["code"], "certificate verify failed" in refused["msg"].lower()) == (11, True), refused
    missing = json.loads(collect(folder, port, cacert=str(folder / "nobody.pem")).stdout)
    assert (missing["code"], missing["msg"].startswith("cacert ")) == (7, True), missing


def test_its_own_clients_believe_it_and_no_other(place: tuple[Path, int]) -> None:
    folder, port = place
    assert json.loads(ask(folder, port).stdout)["hosts"] == []
    elsewhere = f"https://{own_address() or '127.0.0.1'}:{port}"
    assert json.loads(ask(folder, port, NETPLANE_URL=elsewhere).stdout)["controllers"] == [elsewhere]
    stranger = ask(folder, port, NETPLANE_STATE=str(folder / "nowhere"), NETPLANE_TOKEN="admin")
    assert (stranger.returncode, "certificate verify failed" in stranger.stderr.lower()) == (1, True), stranger.stderr
    plain = ask(folder, port, NETPLANE_URL=f"http://127.0.0.1:{port}")
    assert plain.returncode == 1
    environment = {**os.environ, "OS_CLIENT_CONFIG_FILE": str(folder / "clouds.yaml"), "OS_CLOUD": "netplane"}
    words = [OPENSTACK, "network", "list", "-f", "json"]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=60)
    assert (done.returncode, json.loads(done.stdout or "null")) == (0, []), done.stderr
