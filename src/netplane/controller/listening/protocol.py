"""What a client's connection may cost: bytes and seconds until a request's headers are there, seconds for its body.

uvicorn itself bounds how long a connection may lie idle between two requests, and the API how long a body may be.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from netplane.controller.listening.joined import Joined
from netplane.controller.listening.place import Limits


class Guarded(HttpToolsProtocol):
    """uvicorn's protocol with limits; `guarded` gives it some."""

    limits = Limits()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected; it is hung up on if there are too many."""
        self._timer: asyncio.TimerHandle | None = None
        self._deadline: float | None = None
        self._in_head = True
        self._head = 0
        super().connection_made(Joined(transport, self.loop))  # type: ignore[arg-type]
        if len(self.connections) > self.limits.connections:
            transport.abort()
            return
        self._expect(self.limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._expect(None)
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """It has said something."""
        if self._in_head:
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > self.limits.head_bytes and not self.transport.is_closing():
            self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head = True
        self._expect(self.limits.head_seconds)

    def on_headers_complete(self) -> None:
        """Its headers are there."""
        self._in_head, self._head = False, 0
        self._expect(self.limits.body_seconds)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Its body is there: it is the server's turn."""
        self._expect(None)
        super().on_message_complete()

    def _expect(self, seconds: float | None) -> None:
        """Hang up unless what is awaited comes in time; None for nothing that is awaited."""
        self._deadline = None if seconds is None else self.loop.time() + seconds
        if self._deadline is not None and (self._timer is None or self._deadline < self._timer.when()):
            self._look_at(self._deadline)

    def _look_at(self, moment: float) -> None:
        """One timer serves many requests: it is cheaper to look in vain now and then than to set one for each."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_at(moment, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._deadline is None or self.transport.is_closing():
            return
        if self._deadline > self.loop.time():
            self._look_at(self._deadline)
        else:
            self._refuse(b"408 Request Timeout")

    def _refuse(self, status: bytes) -> None:
        """Say why, and hang up; whatever works on the request is told that its client has gone."""
        self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()


def guarded(limits: Limits) -> type[Any]:
    """The protocol with these limits."""
    return type("GuardedHere", (Guarded,), {"limits": limits})
