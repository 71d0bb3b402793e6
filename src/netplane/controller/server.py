"""The composition root of the server: store, controller, southbound and HTTP in one process and one event loop.

clients ── HTTP ──▶ uvicorn ─▶ api ─▶ Store ─▶ Controller ══ southbound ══ agents
                                └── routes ───────┘
"""

import asyncio
import logging
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from ctypes import CDLL
from pathlib import Path

import uvloop
from msgspec import Struct
from msgspec.structs import replace

from netplane.api import IdentityConfig, Tokens, make_app, make_identity, read_tokens
from netplane.api.callers import Source
from netplane.api.callers.config import NOWHERE, OutsideConfig, read_outside
from netplane.api.door import Door
from netplane.api.identity.service import STANDARD
from netplane.api.limits import DEFAULTS, read_limits
from netplane.api.rules.names import qualified
from netplane.base.garbage import collect_rarely, uncollected
from netplane.controller.admission import open_authority
from netplane.controller.controller import Controller
from netplane.controller.described import CALLS
from netplane.controller.first import ensure_administrator
from netplane.controller.listening.http import HttpServer, make_server
from netplane.controller.listening.http import serve as listen
from netplane.controller.listening.pace import Paced, Rate
from netplane.controller.listening.place import Listening
from netplane.controller.listening.tls import Tls
from netplane.controller.routes import routes
from netplane.controller.whereabouts import advertised, own_address, reachable
from netplane.model.network import DEFAULT_DOMAIN, UNDERLAY_MTU, VXLAN_OVERHEAD
from netplane.store import Store, Unavailable, Unfit
from netplane.store.engine import database_url, shown
from netplane.stream.transport import host_and_port
from netplane.trust.authority import Authority
from netplane.trust.faults import Distrust
from netplane.trust.own import OwnCertificate
from netplane.trust.papers import AUTHORITY

LOGGER = logging.getLogger(__name__)

M_MMAP_THRESHOLD = -3
"""malloc.h."""
LARGE_BLOCK = 128 * 1024
"""Bytes."""
FAR_GLANCES = 4
"""Threads that read single resources from a database on another machine, while others wait for it."""


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


def main(
    listen: tuple[Listening, ...],
    southbound: str,
    database: str,
    tokens: Path,
    underlay_mtu: int = UNDERLAY_MTU,
    dns_domain: str = DEFAULT_DOMAIN,
    *,
    quotas: Path | None = None,
    authority_key: Path | None = None,
    advertise: tuple[str, ...] = (),
    identity: IdentityConfig = STANDARD,
    outside: Path | None = None,
    names: tuple[str, ...] = (),
    rate: Rate | None = None,
) -> None:
    """Run a controller until SIGTERM or SIGINT.

    `listen` is where clients connect, `southbound` where agents connect (`unix:///path` or
    `host:port`), `database` the path of an SQLite file or `postgresql://...`, `tokens` the TOML file of tokens,
    `underlay_mtu` the largest IP packet between hosts, in bytes, `dns_domain` what machines' names end with unless
    their network has a domain, `quotas` the TOML file of limits, `authority_key` a file whose content encrypts the
    authority's key in the database, `advertise` where hosts are told to find controllers, `identity` how
    people log in, `outside` the TOML file of where else callers come from, `names` what clients know the controller by,
    `rate` how often each project may ask. CannotStart if any of them will not do.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # It tells again what is told here.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    southern = (address for address in (southbound, *advertise) if not address.startswith("unix:"))
    for address in (*(each.address for each in listen), *southern):
        try:
            host, _ = host_and_port(address)
        except ValueError:
            host = ""
        if not host:
            raise CannotStart(f"{address!r} is no HOST:PORT to listen on")
    domain = _domain(dns_domain)
    known, limits = _tokens(tokens), _limits(quotas)
    config = ServerConfig(listen, southbound, database, known, underlay_mtu, domain, limits, authority_key, advertise)
    config = replace(config, credentials=tokens.absolute().parent, identity=identity, names=names, rate=rate)
    collect_rarely()
    _keep_large_blocks_apart()
    uvloop.run(serve(replace(config, outside=_outside(outside))))


def _keep_large_blocks_apart() -> None:
    """Have the C library, if it is glibc, ask the system for each large block, and give it back when it is free.

    It does so for fewer and fewer as it sees some be freed. The buffers of a thousand sessions then lie among what
    passed through them, and keep it: half as much again as all else that a controller holds.
    """
    with suppress(OSError, AttributeError):
        CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)


def _domain(text: str) -> str:
    try:
        return qualified(text)
    except ValueError as error:
        raise CannotStart(str(error)) from error


def _tokens(path: Path) -> Tokens:
    try:
        found = read_tokens(path)
    except (OSError, ValueError) as error:
        raise CannotStart(f"the tokens in {path} cannot be read: {error}") from error
    return found


def _limits(path: Path | None) -> Mapping[str, int]:
    try:
        return read_limits(path)
    except (OSError, ValueError) as error:
        raise CannotStart(f"the quotas in {path} cannot be read: {error}") from error


def _outside(path: Path | None) -> OutsideConfig:
    try:
        return NOWHERE if path is None else read_outside(path)
    except (OSError, ValueError) as error:
        raise CannotStart(f"{path} cannot be read: {error}") from error


def _sources(config: OutsideConfig) -> Iterator[Source]:
    """The sources of callers that a file names."""
    if config.keystone is not None:
        from netplane.api.callers.keystone import KeystoneTokens

        try:
            yield KeystoneTokens(config.keystone)
        except ImportError as error:
            raise CannotStart(f"[keystone] takes more: pip install 'netplane[keystone]' ({error})") from error
    if config.oidc is not None:
        from netplane.api.callers.oidc import OidcTokens

        yield OidcTokens(config.oidc)


async def serve(config: ServerConfig) -> None:
    """Serve until SIGTERM or SIGINT; raises what breaks the controller."""
    try:
        database = shown(database_url(config.database))
        store = await asyncio.to_thread(Store.open, config.database)
    except ValueError as error:
        raise CannotStart(str(error)) from error
    except Unfit as error:
        raise CannotStart(f"{database}: {error}") from error
    except Unavailable as error:
        raise CannotStart(f"the database {database} cannot be opened: {error}") from error
    try:
        authority = await asyncio.to_thread(open_authority, store, config.authority_key)
        own = OwnCertificate(authority, _names(config))
    except (OSError, Distrust, Unavailable) as error:
        raise CannotStart(f"the authority that certifies hosts cannot be had: {error}") from error
    urls = config.identity.public_url or ", ".join(map(_url, config.listen))
    with uncollected():
        controller = Controller(store, own, config.dns_domain, urls)
    try:
        await _ensure_administrator(config, store, authority)
        address = await _listen(controller, config)
        LOGGER.info("clients on %s, agents on %s, database %s", urls, address, database)
        LOGGER.info("the authority of hosts has the fingerprint (SHA-256) %s", own.authority.pin)
        await _serve_http(config, controller, _told(config, address))
    finally:
        await controller.stop()
        store.close()


async def _ensure_administrator(config: ServerConfig, store: Store, authority: Authority) -> None:
    if config.credentials is None:
        return
    path, nearest = config.credentials / AUTHORITY, _nearest(config)
    believed = path if nearest.over_tls and nearest.certificate is None and not config.identity.public_url else None
    url = config.identity.public_url or nearest.url
    try:
        # For clients on this machine; it is no secret.
        await asyncio.to_thread(path.write_bytes, authority.pem)
        await asyncio.to_thread(ensure_administrator, store, config.credentials, url, believed)
    except OSError as error:
        raise CannotStart(f"the first administrator's password cannot be written: {error}") from error


def _nearest(config: ServerConfig) -> Listening:
    """Where clients on this machine reach the server: without TLS if they may."""
    return min(config.listen, key=lambda each: each.over_tls)


async def _listen(controller: Controller, config: ServerConfig) -> str:
    try:
        return await controller.start(config.southbound, lambda address: reachable(_told(config, address)))
    except OSError as error:
        raise CannotStart(str(error)) from error


def _url(listening: Listening) -> str:
    """Where clients find it, those of other machines too if they can."""
    places = reachable([advertised(listening.address)])
    return f"{'https' if listening.over_tls else 'http'}://{places[0]}" if places else listening.url


def _told(config: ServerConfig, address: str) -> Sequence[str]:
    """Where hosts are told to find controllers; by default this one, where it listens."""
    return config.advertise or (advertised(address),)


def _names(config: ServerConfig) -> Sequence[str]:
    """What the controller's own certificate calls it, beside what agents do."""
    bound = {each.host or "0.0.0.0" for each in config.listen}
    everywhere = bound & {"0.0.0.0", "::"}
    own = [own_address()] if everywhere else []
    found = (*config.names, *sorted(bound - everywhere), *own, socket.gethostname(), "localhost", "127.0.0.1", "::1")
    return [name for name in dict.fromkeys(found) if name]


async def _serve_http(config: ServerConfig, controller: Controller, advertised: Sequence[str]) -> None:
    identity = make_identity(controller.store, config.identity)
    controller.watch(lambda entries: identity.tokens.take(entry.change for entry in entries))
    door = make_app(
        controller.store,
        config.tokens,
        largest_mtu=config.underlay_mtu - VXLAN_OVERHEAD,
        dns_domain=config.dns_domain,
        limits=config.limits,
        routes=routes(controller, advertised),
        identity=identity,
        glances=FAR_GLANCES if controller.store.peers.is_shared else 1,
        calls=CALLS,
        outside=tuple(_sources(config.outside)),
    )
    if config.rate is not None:
        door.routes = Paced(door.routes, config.rate)
    servers = [_server(door, each, controller.admission.own) for each in config.listen]
    loop = asyncio.get_running_loop()

    def stop() -> None:
        controller.watchers.close()  # or their streams would keep the server waiting
        for server, _ in servers:
            server.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    controller.broken.add_done_callback(lambda _: stop())
    await asyncio.gather(*(listen(server, tls) for server, tls in servers))
    if controller.broken.done():
        controller.broken.result()


def _server(door: Door, listening: Listening, own: OwnCertificate) -> tuple[HttpServer, Tls | None]:
    try:
        return make_server(door, listening, own)
    except OSError as error:
        raise CannotStart(f"clients cannot be shown {listening.certificate}: {error}") from error
