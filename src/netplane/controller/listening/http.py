"""The HTTP server: uvicorn in the event loop of the controller, behind all that guards it."""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

from netplane.controller.listening.headers import Hardened
from netplane.controller.listening.place import Listening
from netplane.controller.listening.protocol import guarded
from netplane.controller.listening.tls import Files, Tls
from netplane.trust.own import OwnCertificate

GRACE = 2
"""Seconds that HTTP calls have to end when the server stops."""


class HttpServer(uvicorn.Server):
    """uvicorn without its own signal handlers, which would end the process before the sessions are ended."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    def stop(self) -> None:
        """End when the calls under way have ended."""
        self.should_exit = True


def make_server(app: ASGIApp, listening: Listening, own: OwnCertificate) -> tuple[HttpServer, Tls | None]:
    """The server, and its TLS if it speaks it. OSError if the certificate cannot be used."""
    tls = Tls(_source(listening, own)) if listening.over_tls else None
    config = uvicorn.Config(
        Hardened(app, over_tls=tls is not None),
        host=listening.host,
        port=int(listening.address.rpartition(":")[2]),
        http=guarded(listening.limits),
        loop="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        ssl_context_factory=None if tls is None else _context(tls),
    )
    return HttpServer(config), tls


async def serve(server: HttpServer, tls: Tls | None) -> None:
    """Serve until it is told to stop."""
    renewing = asyncio.create_task(tls.run()) if tls else None
    try:
        await server.serve()
    finally:
        if renewing:
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing


def _source(listening: Listening, own: OwnCertificate) -> Files | OwnCertificate:
    if listening.certificate is None:
        return own
    return Files(listening.certificate, listening.key or listening.certificate)


def _context(tls: Tls) -> Callable[[uvicorn.Config, Callable[[], ssl.SSLContext]], ssl.SSLContext]:
    return lambda _config, _default: tls.context
