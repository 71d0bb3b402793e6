"""What a server has for clients: the API and all that it needs, in the event loop of the controller.

It is a third of what a server loads, and hosts need none of it: it is loaded once they can have their sessions.
"""

import asyncio
import logging
import signal
from collections.abc import Iterator, Sequence

from netplane.api.app import make_app
from netplane.api.callers.config import OutsideConfig
from netplane.api.callers.source import Source
from netplane.api.door import Door
from netplane.api.identity.service import make_identity
from netplane.controller.config import CannotStart, ServerConfig
from netplane.controller.controller import Controller
from netplane.controller.described import CALLS
from netplane.controller.first import ensure_administrator
from netplane.controller.listening.http import HttpServer, make_server
from netplane.controller.listening.http import serve as listen
from netplane.controller.listening.pace import Paced
from netplane.controller.listening.place import Listening
from netplane.controller.listening.tls import Tls
from netplane.controller.routes import routes
from netplane.model.network import VXLAN_OVERHEAD
from netplane.store import Store
from netplane.trust.authority import Authority
from netplane.trust.own import OwnCertificate
from netplane.trust.papers import AUTHORITY

LOGGER = logging.getLogger(__name__)

FAR_GLANCES = 4
"""Threads that read single resources from a database on another machine, while others wait for it."""


async def serve_clients(
    config: ServerConfig, controller: Controller, authority: Authority, advertised: Sequence[str]
) -> None:
    """Serve until SIGTERM or SIGINT, or until the controller is broken, which is raised.

    `advertised` is where hosts are told to find controllers. CannotStart if it cannot be.
    """
    await _let_in_administrator(config, controller.store, authority)
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
    LOGGER.info("clients on %s", config.urls)
    await asyncio.gather(*(listen(server, tls) for server, tls in servers))
    if controller.broken.done():
        controller.broken.result()


async def _let_in_administrator(config: ServerConfig, store: Store, authority: Authority) -> None:
    """Let an empty server's operator log in, as `first` says."""
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


def _nearest(config: ServerConfig) -> Listening:
    """Where clients on this machine reach the server: without TLS if they may."""
    return min(config.listen, key=lambda each: each.over_tls)


def _server(door: Door, listening: Listening, own: OwnCertificate) -> tuple[HttpServer, Tls | None]:
    try:
        return make_server(door, listening, own)
    except OSError as error:
        raise CannotStart(f"clients cannot be shown {listening.certificate}: {error}") from error
