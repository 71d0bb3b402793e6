"""What a server is told, and how it says that something of it cannot be; nothing of what serves."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from netplane.api.callers.config import NOWHERE, OutsideConfig
from netplane.api.identity.config import STANDARD, IdentityConfig
from netplane.api.limits import DEFAULTS
from netplane.api.tokens import Tokens
from netplane.controller.listening.place import Listening, Rate
from netplane.controller.whereabouts import advertised, reachable
from netplane.model.network import DEFAULT_DOMAIN, UNDERLAY_MTU


class CannotStart(Exception):
    """What the server was told cannot be; says so in one line."""


class ServerConfig(Struct, frozen=True):
    """What a server needs to be told."""

    listen: tuple[Listening, ...]
    """Where clients connect, and how."""
    southbound: str
    """Where agents connect: `unix:///path` or `host:port`."""
    database: str
    """The path of an SQLite file, or `postgresql://...`."""
    tokens: Tokens
    """Who may call."""
    underlay_mtu: int = UNDERLAY_MTU
    """The largest IP packet that the underlay carries between any two hosts, in bytes."""
    dns_domain: str = DEFAULT_DOMAIN
    """What machines' names end with by default, with a final dot; empty for nothing."""
    limits: Mapping[str, int] = DEFAULTS
    """How many resources of a kind a project may have unless it has a quota of its own."""
    authority_key: Path | None = None
    """A file whose content encrypts the authority's key in the database."""
    advertise: tuple[str, ...] = ()
    """Where hosts are told to find controllers; by default where this one listens for agents."""
    credentials: Path | None = None
    """The folder that is told how the first administrator logs in; None for no administrator."""
    identity: IdentityConfig = STANDARD
    """How people log in."""
    outside: OutsideConfig = NOWHERE
    """Where else callers come from."""
    names: tuple[str, ...] = ()
    """Names and addresses that clients know the controller by, for its own certificate."""
    rate: Rate | None = None
    """How often each project may ask; None for as often as it likes."""

    @property
    def urls(self) -> str:
        """Where clients find it, as its operator is told."""
        return self.identity.public_url or ", ".join(map(_url, self.listen))


def _url(listening: Listening) -> str:
    """Where clients find it, those of other machines too if they can."""
    places = reachable([advertised(listening.address)])
    return f"{'https' if listening.over_tls else 'http'}://{places[0]}" if places else listening.url
