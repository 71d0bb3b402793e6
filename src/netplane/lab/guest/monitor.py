"""QEMU's monitor: the machine protocol QMP, one command at a time."""

import json
import socket
from pathlib import Path
from typing import Any

from netplane.lab.wait import NotReached


class MonitorRefused(Exception):
    """QEMU has refused a command."""


class Monitor:
    """A session with one QEMU."""

    def __init__(self, path: Path, seconds: float = 30) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(seconds)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self._read()
        self.run("qmp_capabilities")

    def run(self, command: str, **arguments: object) -> Any:
        """One command and its answer; MonitorRefused with what QEMU says against it."""
        named = {name.replace("_", "-"): value for name, value in arguments.items()}
        self._socket.sendall(json.dumps({"execute": command, "arguments": named}).encode())
        while True:
            message = self._read()
            if "error" in message:
                raise MonitorRefused(f"{command}: {message['error']['desc']}")
            if "return" in message:
                return message["return"]

    def close(self) -> None:
        """Let go of it."""
        self._lines.close()
        self._socket.close()

    def wait(self, event: str) -> dict[str, Any]:
        """Until QEMU tells of an event."""
        while True:
            message = self._read()
            if message.get("event") == event:
                return message

    def _read(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line:
            raise NotReached("QEMU has ended")
        found: dict[str, Any] = json.loads(line)
        return found
