"""A real PostgreSQL for tests: one cluster for all of a run, in a directory of its own, under an unprivileged user.

It listens on a Unix socket and a free port of loopback, dies with the run however that ends, and the next run removes
what a killed one has left.
"""

import atexit
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import IO

import psycopg
import pytest

from netplane.lab.controller import free_port

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
PREFIX = "netplane-postgresql-"
USER = "postgres"
SETTINGS = {
    # Processes are killed in tests, machines are not: what the kernel has is kept.
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "autovacuum": "off",
    "max_wal_size": "256MB",
}


class Cluster:
    """One PostgreSQL server."""

    def __init__(self, folder: Path, lock: IO[str], wal_segment: int = 16, **settings: str) -> None:
        """`folder` is empty and ours; `lock` is kept as long as the cluster; `wal_segment` is in MB."""
        self.folder = folder
        self.port = free_port()
        self._lock = lock
        self._settings = SETTINGS | settings
        self._server: subprocess.Popen[bytes] | None = None
        self._names = count(1)
        user = pwd.getpwnam(USER)
        os.chown(folder, user.pw_uid, user.pw_gid)
        folder.chmod(0o700)
        words = ("--no-locale", f"--wal-segsize={wal_segment}")
        self._run("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "netplane", "--no-sync", "-E", "UTF8", *words)

    def start(self) -> None:
        """Run it, and wait until it answers."""
        words = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        argv = [*words, "-D", f"{self.folder}/data", "-k", str(self.folder), "-h", "127.0.0.1", "-p", str(self.port)]
        with open(self.folder / "log", "ab") as log:
            self._server = subprocess.Popen(
                [*_as_user("--pdeathsig", "KILL"), str(BINARIES[-1] / "postgres"), *argv],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait()

    def wait(self, seconds: float = 30) -> None:
        """Until it answers."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                psycopg.connect(self.driver_url("postgres")).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise RuntimeError((self.folder / "log").read_text()[-2000:]) from None
                time.sleep(0.05)

    def kill(self) -> None:
        """As a crash would: the server is gone at once, and its children when they notice."""
        assert self._server is not None
        self._server.kill()
        self._server.wait()

    def ensure(self) -> None:
        """See to it that it runs, as whoever supervises it would."""
        deadline = time.monotonic() + 60
        while True:
            if self._server is None or self._server.poll() is not None:
                self.start()
            try:
                self.wait(2)
                return
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise

    def stop(self) -> None:
        """End it: connections that are open are cut."""
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(20)

    def remove(self) -> None:
        """End it and leave nothing."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    def create(self) -> str:
        """A new empty database; answers its URL."""
        name = f"n{next(self._names)}"
        with psycopg.connect(self.driver_url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever still uses it."""
        name = url.partition("?")[0].rpartition("/")[2]
        with psycopg.connect(self.driver_url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())

    def url(self, name: str) -> str:
        """A database as netplane is told of it, by the socket."""
        return f"postgresql://netplane@/{name}?host={self.folder}&port={self.port}"

    def tcp_url(self, name: str, port: int | None = None) -> str:
        """A database by TCP."""
        return f"postgresql://netplane@127.0.0.1:{port or self.port}/{name}"

    def driver_url(self, name: str) -> str:
        """A database as the driver is told of it."""
        return f"host={self.folder} port={self.port} user=netplane dbname={name}"

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run([*_as_user(), str(BINARIES[-1] / program), *words], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)


@cache
def cluster() -> Cluster:
    """The one of this run; made when it is first asked for. Skips the test where there is no PostgreSQL."""
    made = new_cluster()
    atexit.register(made.remove)
    made.start()
    return made


def new_cluster(parent: Path | None = None, wal_segment: int = 16, **settings: str) -> Cluster:
    """A cluster that does not run yet, with settings of its own, in a directory below `parent`."""
    if not BINARIES or os.geteuid() != 0:
        pytest.skip("PostgreSQL's server is not installed (scripts/setup test), or this is not root")
    sweep()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    lock = open(folder / "owner", "w")  # noqa: SIM115 - held as long as the cluster
    fcntl.flock(lock, fcntl.LOCK_EX)
    return Cluster(folder, lock, wal_segment, **settings)


def sweep() -> None:
    """Remove the clusters of runs that were killed; their servers have died with them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError), open(folder / "owner", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def _as_user(*further: str) -> list[str]:
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *further, "--"]
