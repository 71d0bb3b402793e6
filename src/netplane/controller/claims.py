"""Ports whose devices hosts have, as they say: bindings follow, unless somebody else has the port."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial

from netplane.base.problem import Problem
from netplane.controller.picture import Picture
from netplane.controller.problems import Problems
from netplane.controller.writing import SHOWN, Until, write_as
from netplane.store import Store, Transaction, Unavailable
from netplane.store.bindings import claim_port, no_port, release_port
from netplane.stream.connection import Work
from netplane.stream.faults import RemoteFault

MOST = 65_536
"""Ports that a host may claim: as many as its port table holds."""


class Claims:
    """Those of all hosts that are here."""

    def __init__(self, store: Store, picture: Picture, problems: Problems, until: Until) -> None:
        self._store = store
        self._picture = picture
        self._problems = problems
        self._until = until

    def claim(self, host: str, ports: Sequence[str]) -> Work | None:
        """A host has the devices of ports; RemoteFault if it claims more than it can have.

        Those that are bound to it already need nothing more: nearly always all. The others are what is left to do.
        """
        self._picture.ports.claim(host, ports)
        if self._picture.ports.claimed(host) > MOST:
            raise RemoteFault(f"more than {MOST} ports claimed")
        wanted = [port for port in ports if self._picture.carrier(port) != host]
        return partial(self._bind, host, wanted) if wanted else None

    async def _bind(self, host: str, wanted: Sequence[str]) -> None:
        unknown = await self._unknown(wanted)
        self._judge(host, unknown, [no_port(port, host) for port in unknown])
        wanted = [port for port in wanted if self._picture.has_port(port)] if unknown else wanted
        if wanted:
            problems, _ = await write_as(self._store, host, lambda t: [claim_port(t, port, host) for port in wanted])
            self._judge(host, wanted, problems)

    async def release(self, host: str, ports: Iterable[str]) -> None:
        """A host has the devices of ports no more."""
        self._picture.ports.release(host, ports)
        self._judge(host, list(ports), ())
        bound = [port for port in ports if self._picture.carrier(port) == host]
        if bound:

            def release(transaction: Transaction) -> None:
                for port in bound:
                    release_port(transaction, port, host)

            await write_as(self._store, host, release)

    async def _unknown(self, ports: Sequence[str]) -> Sequence[str]:
        """Those that are no ports. A host may name as many as it likes, so the database is not asked about each."""
        if any(not self._picture.has_port(port) for port in ports):
            with suppress(Unavailable):
                reached = await asyncio.to_thread(lambda: self._store.revision)
                await self._until(lambda: self._picture.revision >= reached, SHOWN)
        return [port for port in ports if not self._picture.has_port(port)]

    def _judge(self, host: str, ports: Sequence[str], problems: Iterable[Problem | None]) -> None:
        self._problems.judge(host, ports, {problem.id: problem for problem in problems if problem})
