"""Containers as a runtime makes them: a namespace each, and `netplane-cni` called by environment and stdin."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from netplane.lab import Host
from netplane.lab.namespace import DIRECTORY, batch, inside, remove, write_sysctl

PLUGIN = Path(sys.executable).parent / "netplane-cni"
"""The script, as it is installed."""

Body = dict[str, Any]


class Answer(NamedTuple):
    """What the plugin said."""

    status: int
    body: Body
    """{} for nothing."""
    output: str
    """All of it, with what went to stderr."""

    @property
    def code(self) -> int:
        """The error's code; 0 for a success."""
        return int(self.body["code"]) if self.status else 0


class Container(NamedTuple):
    """A container without an interface."""

    id: str
    namespace: str
    host: Host

    @property
    def sandbox(self) -> str:
        """What a runtime calls CNI_NETNS."""
        return str(DIRECTORY / self.namespace)


@contextmanager
def containers(prefix: str, hosts: Sequence[Host]) -> Iterator[list[Container]]:
    """A container for each of the hosts named; the same host may be named again."""
    made = [Container(f"c{place}", f"np-{prefix}-c{place}", host) for place, host in enumerate(hosts, 1)]
    try:
        batch(f"netns add {container.namespace}" for container in made)
        for container in made:
            write_sysctl(container.namespace, "ipv6/conf/default/disable_ipv6", 1)
            batch(["link set lo up"], container.namespace)
        yield made
    finally:
        for container in made:
            remove(container.namespace)


def call(
    host: Host | None, command: str, config: Body, container: Container | None = None, **environment: str
) -> Answer:
    """Call the plugin on a host as a runtime does; None for this namespace."""
    given = {"CNI_COMMAND": command, "CNI_PATH": str(PLUGIN.parent)}
    if container is not None:
        given |= {"CNI_CONTAINERID": container.id, "CNI_IFNAME": "eth0", "CNI_NETNS": container.sandbox}
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CNI_", "NETPLANE_"))}
    with inside(host.namespace if host is not None else None):
        done = subprocess.run(
            [PLUGIN],
            input=json.dumps(config),
            env={**clean, **given, **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
    body = json.loads(done.stdout) if done.stdout else {}
    return Answer(done.returncode, body, done.stdout + done.stderr)


class Relay:
    """The controller's port on a host's loopback. The hosts of a lab have no way to it but the southbound socket."""

    def __init__(self, host: Host, target: tuple[str, int]) -> None:
        self._target = target
        with inside(host.namespace):
            self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where the controller is, for programs on the host."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def close(self) -> None:
        """Take no more connections."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        with near:
            try:
                far = socket.create_connection(self._target)
            except OSError:
                return
            with far:
                back = threading.Thread(target=_pump, args=(far, near), daemon=True)
                back.start()
                _pump(near, far)
                back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Carry bytes one way, and the end with them."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
