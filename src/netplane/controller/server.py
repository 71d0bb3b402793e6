"""The composition root of the server: store, controller, southbound and HTTP in one process and one event loop.

clients ── HTTP ──▶ uvicorn ─▶ api ─▶ Store ─▶ Controller ══ southbound ══ agents
                                └── routes ───────┘
"""

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
import uvloop
from msgspec import Struct

from netplane.api import Tokens, make_app, read_tokens
from netplane.controller.controller import Controller
from netplane.controller.routes import routes
from netplane.store import Store

LOGGER = logging.getLogger(__name__)

GRACE = 2
"""Seconds that HTTP calls have to end when the server stops."""


class ServerConfig(Struct, frozen=True):
    """What a server needs to be told."""

    listen: str
    """Where clients connect, `host:port`; port 0 for any."""
    southbound: str
    """Where agents connect: `unix:///path` or `host:port`."""
    database: str
    """The path of the SQLite file."""
    tokens: Tokens
    """Who may call."""


def main(listen: str, southbound: str, database: str, tokens: Path) -> None:
    """Run a controller until SIGTERM or SIGINT.

    `listen` is the HTTP address (`127.0.0.1:9696`), `southbound` where agents connect (`unix:///path` or
    `host:port`), `database` the path of the SQLite file, `tokens` the TOML file of tokens.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    uvloop.run(serve(ServerConfig(listen, southbound, database, read_tokens(tokens))))


async def serve(config: ServerConfig) -> None:
    """Serve until SIGTERM or SIGINT; raises what breaks the controller."""
    store = await asyncio.to_thread(Store.open, f"sqlite:///{config.database}")
    controller = Controller(store, config.tokens.agent_secret)
    try:
        address = await controller.start(config.southbound)
        LOGGER.info("HTTP on %s, agents on %s, database %s", config.listen, address, config.database)
        await _serve_http(config, controller)
    finally:
        await controller.stop()
        store.close()


async def _serve_http(config: ServerConfig, controller: Controller) -> None:
    host, _, port = config.listen.rpartition(":")
    app = make_app(controller.store, config.tokens, routes=routes(controller))
    server = _Server(
        uvicorn.Config(
            app,
            host=host.strip("[]"),
            port=int(port),
            http="httptools",
            loop="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=GRACE,
        )
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    controller.broken.add_done_callback(lambda _: server.stop())
    await server.serve()
    if controller.broken.done():
        controller.broken.result()


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers, which would end the process before the sessions are ended."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        """End when the calls under way have ended."""
        self.should_exit = True
