"""The field's own clients, as they call a server: openstacksdk and the `openstack` command."""

import os
import subprocess
import sys
from pathlib import Path

from openstack.connection import Connection


def connect(url: str, token: str) -> Connection:
    return Connection(auth_type="admin_token", auth={"endpoint": url, "token": token})


def command(url: str, token: str, commands: str) -> str:
    """What the `openstack` command prints for commands, all in one process: it takes seconds to start."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("openstack"))],
        input=commands,
        capture_output=True,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "OS_AUTH_TYPE": "admin_token",
            "OS_ENDPOINT": url,
            "OS_TOKEN": token,
        },
    )
    assert done.stderr == "", done.stderr  # its exit code is 1 whatever happened
    return done.stdout
