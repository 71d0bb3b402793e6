"""OVN's daemons, each a child of this process in the foreground, with every file of its own below one directory.

Nothing of it is where the system's own OVN or Open vSwitch would be: directories are given by the environment and by
the options that name a file, and each daemon is ended by the process id that it was started with.
"""

import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from bench.ovn.programs import Programs
from netplane.lab import namespace
from netplane.lab.ledger import Ledger
from netplane.lab.process import Child, start

START = 30.0
"""Seconds that a daemon has to listen."""


class Place(NamedTuple):
    """Where daemons of one machine run: a directory for what they keep, and a network namespace."""

    ledger: Ledger
    programs: Programs
    name: str

    @property
    def namespace(self) -> str:
        """The network namespace that it runs in."""
        return f"np-{self.ledger.prefix}-{self.name}"

    @property
    def directory(self) -> Path:
        """Databases, sockets, pid files and logs."""
        return self.ledger.directory / self.name

    @property
    def environment(self) -> dict[str, str]:
        """What the daemons, and the programs that speak to them, are told."""
        folders = (f"{who}_{what}DIR" for who in ("OVN", "OVS") for what in ("RUN", "LOG", "DB", "SYSCONF"))
        return self.programs.environment | dict.fromkeys(folders, str(self.directory))

    def start(self, program: str, *arguments: str, name: str = "") -> Child:
        """Run a daemon; `name` tells two of the same program apart."""
        name = name or program
        self.directory.mkdir(parents=True, exist_ok=True)
        argv = [
            self.programs.find(program),
            "--no-chdir",
            f"--pidfile={self.directory}/{name}.pid",
            f"--log-file={self.directory}/{name}.log",
            *("-vconsole:off", "-vsyslog:off", "-vfile:warn"),
            *arguments,
        ]
        out = self.directory / f"{name}.out"
        return start(self.ledger, argv, log=out, namespace=self.namespace, environment=self.environment)

    def serve(self, database: str, file: str, *arguments: str) -> Child:
        """Run a database server on `<file>.db`, which is made if it is not there; it listens at `<file>.sock` then."""
        stored, listens = self.directory / f"{file}.db", self.directory / f"{file}.sock"
        if not stored.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            self.run("ovsdb-tool", "create", str(stored), str(self.programs.schema(database)))
        listens.unlink(missing_ok=True)
        child = self.start("ovsdb-server", f"--remote=punix:{listens}", *arguments, str(stored), name=f"{file}-server")
        wait_for(listens, child)
        return child

    def run(self, program: str, *arguments: str) -> str:
        """What a program says that is run to its end."""
        argv = [self.programs.find(program), *arguments]
        return subprocess.run(argv, env=self.environment, capture_output=True, text=True, check=True).stdout


def wait_for(path: Path, child: Child) -> None:
    """Wait until a daemon has made a socket; RuntimeError if it ends or takes too long."""
    end = time.monotonic() + START
    while not path.exists():
        if not child.alive or time.monotonic() > end:
            raise RuntimeError(f"{path} has not come:\n{child.tail()}")
        time.sleep(0.005)


def make(ledger: Ledger, programs: Programs, name: str) -> Place:
    """A new place with a namespace, which ends with the ledger."""
    place = Place(ledger, programs, name)
    ledger.note("namespaces", place.namespace)
    namespace.batch([f"netns add {place.namespace}"])
    return place
