"""A server that nobody has prepared: a real process, and the `openstack` command by what it has written."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.servers import COMMAND, LOG, server_running


def test_openstack_and_netplane_work_at_once(tmp_path: Path) -> None:
    with server_running(tmp_path) as url:
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
        own = [*COMMAND, "status", "-o", "json"]
        told = {**os.environ, "NETPLANE_STATE": str(tmp_path), "NETPLANE_URL": url}
        status = subprocess.run(own, capture_output=True, text=True, env=told)
    assert (done.returncode, done.stderr) == (0, "")
    assert (status.returncode, json.loads(status.stdout)["controllers"]) == (0, [url]), status.stderr
    assert (tmp_path / "tokens.toml").stat().st_mode & 0o777 == 0o600
    password = next(
        line.partition("=")[2]
        for line in (tmp_path / "openrc").read_text().splitlines()
        if line.startswith("export OS_PASSWORD=")
    )
    assert password not in (tmp_path / LOG).read_text()
    assert (tmp_path / "clouds.yaml").stat().st_mode & 0o777 == 0o600
