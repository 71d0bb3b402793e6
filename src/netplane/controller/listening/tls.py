"""TLS for clients, by an operator's certificate or the controller's own; either is renewed without a restart."""

import asyncio
import logging
import os
import ssl
from pathlib import Path
from typing import NamedTuple

from netplane.trust.own import OwnCertificate, Served
from netplane.trust.showing import show

LOOK = 60.0
"""Seconds between two looks whether there is a newer certificate."""

LOGGER = logging.getLogger(__name__)


class Files(NamedTuple):
    """An operator's certificate (with those in between) and key, PEM."""

    certificate: Path
    key: Path


class Tls:
    """The context of a listening server, kept current."""

    def __init__(self, source: Files | OwnCertificate) -> None:
        """OSError (ssl.SSLError) if the files hold no certificate and its key."""
        self._source = source
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self._shown = self._load()

    async def run(self) -> None:
        """Show what is newer, for ever."""
        while True:
            await asyncio.sleep(LOOK)
            self.refresh()

    def refresh(self) -> None:
        """Show what is newer to whoever connects from now on. A new certificate that is damaged is not shown."""
        try:
            if self._current() != self._shown:
                self._shown = self._load()
                LOGGER.info("clients are shown a new certificate")
        except OSError as problem:
            LOGGER.warning("the certificate for clients cannot be renewed: %s", problem)

    def _current(self) -> object:
        """What tells one certificate from the next."""
        if isinstance(self._source, OwnCertificate):
            return self._source.served()
        return [(status.st_mtime_ns, status.st_size) for status in map(os.stat, self._source)]

    def _load(self) -> object:
        current = self._current()
        if isinstance(current, Served):
            show(self.context, *current)
        elif isinstance(self._source, Files):
            self.context.load_cert_chain(*self._source, password=_no_password)
        return current


def _no_password() -> str:
    """Of an encrypted key: nobody is at a server's terminal to ask."""
    return ""
