"""Queries passed on to resolvers, from the host's own network: each from a port and with a number that nobody guesses.

What a machine's queries may take is limited: who asks more than that hears at once that there is no answer.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import cast

from netplane.agent.names.messages import HEADER, answers, numbered

PORT = 53
PATIENCE = 2.0
"""Seconds until the next resolver is asked."""
ATTEMPTS = 3
EACH, ALL = 64, 1024
"""Queries that wait for an answer: of one machine, and of all."""
SERVFAIL, REFUSED = 2, 5


def may_be_named(resolver: str) -> bool:
    """Whether users may have hosts ask a resolver: not the host itself, nor who is known on one link only, or many."""
    address = ip_address(resolver)
    return not (address.is_loopback or address.is_unspecified or address.is_link_local or address.is_multicast)


class Upstream:
    """Asks resolvers."""

    def __init__(self, resolv_conf: Path) -> None:
        self._resolv_conf = resolv_conf
        self._waiting: Counter[int] = Counter()

    def own_resolvers(self) -> tuple[str, ...]:
        """The host's own, as they are now."""
        try:
            lines = self._resolv_conf.read_text().splitlines()
        except OSError:
            return ()
        words = (line.split() for line in lines)
        return tuple(line[1] for line in words if len(line) > 1 and line[0] == "nameserver")

    async def ask(self, asker: int, wire: bytes, resolvers: Sequence[str], *, tcp: bool) -> bytes | None:
        """What the first resolver that knows something answers to a query; None if there is no answer."""
        if self._waiting[asker] >= EACH or self._waiting.total() >= ALL:
            return None
        self._waiting[asker] += 1
        try:
            return await self._ask_in_turn(wire, resolvers, tcp=tcp)
        finally:
            self._waiting[asker] -= 1
            if not self._waiting[asker]:
                del self._waiting[asker]

    async def _ask_in_turn(self, wire: bytes, resolvers: Sequence[str], *, tcp: bool) -> bytes | None:
        refused = None
        for resolver in (tuple(resolvers) * ATTEMPTS)[:ATTEMPTS]:
            question = numbered(wire, secrets.randbits(16))
            with suppress(OSError, TimeoutError, EOFError):
                async with asyncio.timeout(PATIENCE):
                    answer = await (_by_tcp if tcp else _by_udp)(resolver, question)
                answer = numbered(answer, int.from_bytes(wire[:2], "big"))
                if answer[3] & 0x0F not in (SERVFAIL, REFUSED):
                    return answer
                refused = answer
                if len(resolvers) == 1:
                    break
        return refused


class _Waiting(asyncio.DatagramProtocol):
    """One question, and the first datagram that answers it."""

    def __init__(self, question: bytes) -> None:
        self.question = question
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.DatagramTransport", transport).sendto(self.question)

    def datagram_received(self, data: bytes, _: object) -> None:
        if not self.answer.done() and answers(data, self.question):
            self.answer.set_result(data)

    def error_received(self, problem: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(problem)


async def _by_udp(resolver: str, question: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    transport, waiting = await loop.create_datagram_endpoint(lambda: _Waiting(question), remote_addr=(resolver, PORT))
    try:
        return await waiting.answer
    finally:
        transport.close()


async def _by_tcp(resolver: str, question: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(resolver, PORT)
    try:
        writer.write(len(question).to_bytes(2, "big") + question)
        answer = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
    finally:
        writer.close()
    if len(answer) < HEADER or not answers(answer, question):
        raise EOFError(f"{resolver} answers something else")
    return answer
