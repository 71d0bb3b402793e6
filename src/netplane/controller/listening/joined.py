"""A transport that sends at once what is written to it one after the other.

uvicorn writes the head of an answer and then its body, and uvloop sends each write by itself: that would be two packets
and two calls of the kernel, a fifth of what a small answer costs.
"""

import asyncio
from typing import Any

MOST = 64 * 1024
"""Bytes that wait for more; whoever writes faster is to meet the transport's own limits."""


class Joined:
    """The transport, but for writing: what is written within one turn of the event loop goes together."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []
        self._size = 0

    def write(self, content: bytes) -> None:
        """Send this, together with what is written next."""
        if not self._waiting:
            self._loop.call_soon(self._send)
        self._waiting.append(content)
        self._size += len(content)
        if self._size > MOST:
            self._send()

    def close(self) -> None:
        """Send what was written, and hang up."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        waiting, self._waiting, self._size = self._waiting, [], 0
        if waiting and not self._transport.is_closing():  # or the client has gone meanwhile
            self._transport.write(b"".join(waiting))

    def __getattr__(self, name: str) -> Any:
        """All else is the transport's."""
        return getattr(self._transport, name)
