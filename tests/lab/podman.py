"""Podman on a lab's host: in a mount namespace of its own, so that nothing of it shows or stays on this machine.

It needs neither images nor a registry: a container's root is a directory with a busybox in it.
"""

import json
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from netplane.lab import Host
from netplane.lab.namespace import inside
from netplane.lab.process import MORTAL
from tests.lab.containers import PLUGIN, Body

SETTINGS = """
[containers]
cgroups = "disabled"
[network]
network_backend = "cni"
cni_plugin_dirs = ["{plugins}"]
network_config_dir = "{configurations}"
[engine]
runtime = "crun"
events_logger = "none"
lock_type = "file"
tmp_dir = "/media/tmp"
"""
CACHE = Path("/var/lib/cni")
"""Where podman keeps what plugins answered, wherever else its state is."""

PREPARE = """
mount -t tmpfs none /media
mount -t tmpfs none /run/netns
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p {cache}
mount -t tmpfs none {cache}
echo ready
exec cat
"""
"""Where podman's state goes (it wants short paths), where it keeps namespaces, and what crun takes for a machine whose
control groups are all of version 2."""

LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
"""Lower than podman's own, which a root without CAP_SYS_RESOURCE may not set."""


def why_not() -> str:
    """Why podman cannot be tested here; empty if it can."""
    missing = [name for name in ("podman", "crun", "busybox", "unshare") if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    said = subprocess.run(["podman", "--version"], capture_output=True, text=True).stdout
    version = said.split()[-1] if said else "0"
    return "" if version.startswith(("3.", "4.")) else f"podman {version} does not speak CNI; 4 is the last that does"


class Podman:
    """The podman of one host."""

    def __init__(self, host: Host, directory: Path, conflist: Body) -> None:
        self._directory = directory
        self._root = directory / "root"
        (self._root / "bin").mkdir(parents=True)
        shutil.copy(str(shutil.which("busybox")), self._root / "bin/busybox")
        (directory / "net.d").mkdir()
        (directory / "net.d/netplane.conflist").write_text(json.dumps(conflist))
        values = {"plugins": PLUGIN.parent, "configurations": directory / "net.d"}
        (directory / "containers.conf").write_text(SETTINGS.format(**values))
        with inside(host.namespace):
            self._holder = subprocess.Popen(
                [*MORTAL, "unshare", "--mount", "--propagation", "private", "sh", "-ec", PREPARE.format(cache=CACHE)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "ready\n"

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """One podman command in the host's namespaces."""
        storage = ["--root", "/media/storage", "--runroot", "/media/run"]
        quiet = ["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"]
        argv = ["nsenter", "--target", str(self._holder.pid), "--mount", "--net", "podman", *storage, *quiet, *words]
        environment = {"CONTAINERS_CONF": f"{self._directory}/containers.conf", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60)

    def start(self, name: str, network: str, *options: str) -> None:
        """A container that does nothing, on a network."""
        command = ["run", "--detach", "--name", name, "--network", network, *LIMITS, *options]
        done = self.run(*command, "--rootfs", str(self._root), "/bin/busybox", "sleep", "600")
        assert done.returncode == 0, done.stderr

    def inside(self, name: str, words: Sequence[str]) -> str:
        """What a program of busybox says in a container; AssertionError if it fails."""
        done = self.run("exec", name, "/bin/busybox", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def close(self) -> None:
        """End its containers and its namespace."""
        self.run("rm", "--all", "--force", "--time", "0")
        self._holder.communicate("")
        with suppress(OSError):
            CACHE.rmdir()
