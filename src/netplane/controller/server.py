"""The composition root of the server: store, controller, southbound and HTTP in one process and one event loop.

clients ── HTTP ──▶ uvicorn ─▶ api ─▶ Store ─▶ Controller ══ southbound ══ agents
                                └── routes ───────┘

Hosts come first: what only clients need (`clients`) is loaded in a thread once those that wait have their slices.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from ctypes import CDLL
from pathlib import Path

import uvloop
from msgspec.structs import replace

from netplane.api.callers.config import NOWHERE, OutsideConfig, read_outside
from netplane.api.identity.config import STANDARD, IdentityConfig
from netplane.api.limits import read_limits
from netplane.api.naming import qualified
from netplane.api.tokens import Tokens, read_tokens
from netplane.base.garbage import collect_rarely, uncollected
from netplane.controller.admission import open_authority
from netplane.controller.config import CannotStart, ServerConfig
from netplane.controller.controller import Controller, hosts_of
from netplane.controller.listening.place import Listening, Rate
from netplane.controller.whereabouts import advertised, own_address, reachable
from netplane.model.network import DEFAULT_DOMAIN, UNDERLAY_MTU
from netplane.store import Store, Unavailable, Unfit
from netplane.store.engine import database_url, shown
from netplane.stream.transport import host_and_port
from netplane.trust.authority import Authority
from netplane.trust.faults import Distrust
from netplane.trust.own import OwnCertificate

LOGGER = logging.getLogger(__name__)

M_MMAP_THRESHOLD = -3
"""malloc.h."""
LARGE_BLOCK = 128 * 1024
"""Bytes."""
HOSTS_FIRST = 0.2
"""Seconds that clients wait for hosts, at most. Imports and slices at once take longer than one after the other."""


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
    with uncollected():
        controller = Controller(store, own, config.dns_domain, config.urls)
    try:
        address = await _listen(controller, config)
        await _wait_for_hosts(controller)
        serve_clients = await asyncio.to_thread(_load_clients)
        await serve_clients(config, controller, authority, _told(config, address))
    finally:
        await controller.stop()
        store.close()


async def _wait_for_hosts(controller: Controller) -> None:
    """Let hosts that wait for a controller have their slices, before there is a thread to share the processor with."""
    try:
        hosts = {host.id for host in await asyncio.to_thread(hosts_of, controller.store)}
    except Unavailable:
        return
    await controller.until(lambda: hosts <= controller.southbound.connected, HOSTS_FIRST)


ServeClients = Callable[[ServerConfig, Controller, Authority, Sequence[str]], Awaitable[None]]


def _load_clients() -> ServeClients:
    """What serves clients; a third of all imports."""
    from netplane.controller.clients import serve_clients

    return serve_clients


async def _listen(controller: Controller, config: ServerConfig) -> str:
    try:
        address = await controller.start(config.southbound, lambda address: reachable(_told(config, address)))
    except OSError as error:
        raise CannotStart(str(error)) from error
    LOGGER.info("agents on %s, database %s", address, shown(database_url(config.database)))
    LOGGER.info("the authority of hosts has the fingerprint (SHA-256) %s", controller.admission.authority.pin)
    return address


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
