"""A lab's controllers: processes in the root namespace, on loopback for clients and a Unix socket each for agents."""

import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import urllib3

from netplane.api.limits import DEFAULTS
from netplane.lab.api import Api
from netplane.lab.ledger import Ledger
from netplane.lab.process import Child, start
from netplane.lab.wait import NotReached, until
from netplane.model.quota import UNLIMITED


class Controller:
    """Its files, its tokens and its process."""

    def __init__(self, ledger: Ledger, projects: Sequence[str], name: str = "controller", location: str = "") -> None:
        """`location` is its database's; by default an SQLite file of the lab's."""
        self._ledger = ledger
        self._projects = projects
        self.name = name
        self.location = location or str(self.database)
        self.listen = f"127.0.0.1:{free_port()}"
        self.child: Child | None = None
        self.advertised: list[str] = []
        """Where hosts that join are told to find controllers; nothing for here."""
        self.secrets = {project: secrets.token_hex(16) for project in ("admin", *projects)}
        self._write_tokens(projects)

    def beside(self, name: str) -> "Controller":
        """Another controller of the same database and tokens."""
        other = Controller(self._ledger, self._projects, name, self.location)
        other.secrets = self.secrets
        self._write_tokens(self._projects)
        return other

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://{self.listen}"

    @property
    def southbound(self) -> str:
        """Where agents find it."""
        return f"unix://{self._ledger.directory}/southbound-{self.name}"

    @property
    def database(self) -> Path:
        """Where its store is, unless it was told another location."""
        return self._ledger.directory / "netplane.db"

    @property
    def tokens(self) -> Path:
        """The file of tokens."""
        return self._ledger.directory / "tokens.toml"

    def api(self, project: str = "admin") -> Api:
        """A client with the token of a project, or of the administrator."""
        return Api(self.url, self.secrets[project])

    def start(self, *, wait: bool = True, environment: Mapping[str, str] | None = None) -> None:
        """Run it, on the store of its former run if there was one."""
        words = {
            "--listen": self.listen,
            "--southbound": self.southbound,
            "--database": self.location,
            "--tokens": str(self.tokens),
            "--quotas": str(self._write_quotas()),
        }
        argv = [sys.executable, "-m", "netplane.cli", "server", *(word for pair in words.items() for word in pair)]
        argv += [word for address in self.advertised for word in ("--advertise", address)]
        log = self._ledger.directory / "log" / f"{self.name}.log"
        self.child = start(self._ledger, argv, log=log, environment=environment)
        if wait:
            self.wait()

    def wait(self, seconds: float = 20) -> None:
        """Until it answers."""
        try:
            until("the controller answers", self._answers, seconds)
        except NotReached as problem:
            raise NotReached(f"{problem}\n{self.child.tail(20) if self.child else ''}") from None

    def _answers(self) -> bool:
        if self.child is None or not self.child.alive:
            raise NotReached("the controller has ended")
        try:
            return urllib3.request("GET", f"{self.url}/", retries=False, timeout=2).status < 500
        except urllib3.exceptions.HTTPError:
            return False

    def kill(self) -> None:
        """As a crash would."""
        if self.child is not None:
            self.child.kill()

    def _write_quotas(self) -> Path:
        """No limits: a lab is as large as its builder likes."""
        path = self._ledger.directory / "quotas.toml"
        path.write_text("".join(f"{kind} = {UNLIMITED}\n" for kind in DEFAULTS))
        return path

    def _write_tokens(self, projects: Sequence[str]) -> None:
        tokens = [("admin", "admin", "admin"), *((project, project, "member") for project in projects)]
        text = "".join(
            f'[[token]]\nsecret = "{self.secrets[key]}"\nproject = "{project}"\nroles = ["{role}"]\n\n'
            for key, project, role in tokens
        )
        self.tokens.touch(mode=0o600)
        self.tokens.write_text(text)


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
