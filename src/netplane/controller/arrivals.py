"""Hosts that come: what must be so before one is welcomed."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from netplane.controller.admission import Admission
from netplane.controller.picture import Picture
from netplane.controller.writing import SHOWN, Until, write_as
from netplane.model import Host
from netplane.store import Store, Transaction, Unavailable
from netplane.store.bindings import register_host
from netplane.store.enrolments import check_enrolled, find_enrolled
from netplane.store.reports import PORT_STATUS
from netplane.stream.faults import Refused
from netplane.stream.messages import Hello
from netplane.trust.names import HostIdentity

LOGGER = logging.getLogger(__name__)


class Arrivals:
    """Takes hosts in."""

    def __init__(self, store: Store, picture: Picture, admission: Admission, until: Until) -> None:
        self._store = store
        self._picture = picture
        self._admission = admission
        self._until = until

    async def admit(self, hello: Hello, identity: HostIdentity) -> Host:
        """Register a host, and wait until its own record, and all that it knows, is in the picture.

        One that is known needs no write, so that all may come at once, and while the database is away.
        """
        host = await self._known(hello, identity) or await self._register(hello, identity)
        if hello.log == self._store.log:
            await self._catch_up(hello)
        return host

    async def recall(self, host: str) -> None:
        """Learn what other controllers have said of a host's ports."""
        if self._store.peers.is_shared:
            ports = self._picture.ports.bound(host)
            with suppress(Unavailable):
                said = await asyncio.to_thread(_read_said, self._store, ports)
                self._picture.ports.recall(said, ports)

    async def _known(self, hello: Hello, identity: HostIdentity) -> Host | None:
        """The record of a host that is in and has not changed; by what was known last while the database is away."""
        known = self._picture.interest.get(("host", hello.host))
        if not isinstance(known, Host) or known.address != hello.address:
            return None
        try:
            is_in = await asyncio.to_thread(_is_enrolled, self._store, identity)
            if is_in:
                await self._until(lambda: self._admission.trusts(identity), SHOWN)
        except Unavailable:
            is_in = self._admission.trusts(identity)
        return known if is_in else None

    async def _register(self, hello: Hello, identity: HostIdentity) -> Host:
        def register(transaction: Transaction) -> Host:
            check_enrolled(transaction, *identity)
            return register_host(transaction, hello.host, hello.address)

        host, revision = await write_as(self._store, hello.host, register)
        await self._until(lambda: self._picture.revision >= revision, SHOWN)
        return host

    async def _catch_up(self, hello: Hello) -> None:
        """Another controller may have told a host more than we know yet: it must not be led back."""
        if await self._until(lambda: self._picture.revision >= hello.revision, SHOWN):
            return
        try:
            latest = await asyncio.to_thread(lambda: self._store.revision)
        except Unavailable as outage:
            raise Refused(f"host {hello.host} knows more than we do, and {outage}") from outage
        if latest >= hello.revision:
            raise Refused(f"host {hello.host} is at revision {hello.revision}, and we are behind it")
        LOGGER.error("the database has lost what host %s knows: revisions up to %d", hello.host, hello.revision)


def _is_enrolled(store: Store, identity: HostIdentity) -> bool:
    with store.read() as reader:
        return find_enrolled(reader, *identity) is not None


def _read_said(store: Store, ports: Sequence[str]) -> dict[str, str]:
    return {port: str(report.body) for port, report in store.reports(PORT_STATUS, ports).items()}
