"""One end of a connection: whole frames each way, in order. A frame is 4 bytes of its length, and so many bytes.

    read(), each() ◀── frames, a few ahead ◀── bytes ◀── TLS   what is not read is not taken from the network
    write() ──▶ length, frame ─────────────────────────▶ TLS   `drained` waits while the other end takes nothing

Each end says an empty frame every few seconds, if it has nothing else to say; whoever hears nothing for much longer
ends the connection. That notices ends that hang as well as those that are cut off, on Unix sockets as on TCP.
"""

import asyncio
import errno
import os
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from struct import Struct
from threading import local
from typing import NoReturn, cast

from netplane.stream.faults import Gone, RemoteFault

BEAT = 3.0
"""Seconds between two empty frames."""
SILENCE = 4
"""Beats without a word from the other end, after which it is gone: 12 to 15 s."""
MOST_BEATS = 100
"""Empty frames that are taken between two beats of ours; many may come at once when the network was held up."""
TURN = 32
"""Frames that are read, or taken as they come, before everybody else has a turn, though more are there."""
BUFFERED = 64 * 1024
"""Bytes that wait to be read before no more are taken, or to be sent before `drained` waits; beyond them, one frame."""
COPIED = 16 * 1024
"""Bytes of a frame that is put behind its length before it is encrypted: what is larger takes a record of TLS more."""


class Room(local):
    """What comes, of all connections of one thread, so of one event loop.

    TLS puts bytes there and says how many in one go. Without it each message would have a quarter of a megabyte
    reserved, and given back, for what it might be.
    """

    def __init__(self) -> None:
        self.octets = memoryview(bytearray(64 * 1024))


ROOM = Room()

CLOSED = "the connection was closed"
"""The reason of an end that has no other."""

Work = Callable[[], Awaitable[None]]
Take = Callable[[bytes], Work | None]
"""What is done with a frame, and what of that takes longer, if anything does."""

_LENGTH = Struct(">I")
_BEAT = _LENGTH.pack(0)


class Connection(asyncio.BufferedProtocol):
    """Either end's, on top of TLS."""

    def __init__(self, largest: int) -> None:
        self.largest = largest
        """Bytes of a frame that is taken; what is larger ends the connection."""
        self._transport: asyncio.Transport | None = None
        self._room = ROOM.octets
        self._begun = bytearray()
        """Of a frame that is not whole yet."""
        self._frames: deque[bytes] = deque()
        self._ahead = 0
        self._beaten = 0
        self._turn = 0
        self._reader: asyncio.Future[Work | None] | None = None
        """Whoever waits for a frame; its result is what is left to do of one, None if there are more, or an end."""
        self._take: Take | None = None
        self._end: Gone | RemoteFault | None = None
        self._is_held = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._silent = 0
        self._is_quiet = True
        """Whether nothing was said since the last beat."""
        self._timer: asyncio.TimerHandle | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when there is no connection any more, though what has come may not have been read yet."""

    # What the owner calls.

    async def read(self) -> bytes:
        """The next frame. Gone if there will be none; RemoteFault if it is too large."""
        while not self._frames:
            await self._news()
        self._turn += 1
        if self._turn > TURN:
            self._turn = 0
            await asyncio.sleep(0)
        frame = self._frames.popleft()
        self._ahead -= len(frame)
        if not self._frames:
            self._release()
        return frame

    async def each(self, take: Take) -> NoReturn:
        """Have frames taken, in order, until there will be none; raises as `read` does, and what `take` raises.

        A frame is taken in the moment in which it comes, without a task being woken for it, unless what is left
        to do of an earlier one is still going on.
        """
        self._take = take
        while True:
            work = take(await self.read()) if self._frames else await self._news()
            if work is not None:
                await work()

    def write(self, frame: bytes) -> None:
        """Send a frame, or let it be kept to be sent; nothing without a connection."""
        self._is_quiet = False
        if self._transport is not None and not self._transport.is_closing():
            length = _LENGTH.pack(len(frame))
            if len(frame) > COPIED:
                self._transport.writelines((length, frame))
            else:
                self._transport.write(length + frame)

    @property
    def waiting(self) -> int:
        """Bytes that wait to be sent."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    @property
    def is_writable(self) -> bool:
        """Whether little waits to be sent."""
        return self._writable.is_set()

    async def drained(self) -> None:
        """Wait until little waits to be sent. Gone if nothing can be sent any more: whoever has much more may stop."""
        await self._writable.wait()
        if self._end is not None and self.closed.done():
            raise self._end

    async def finish(self, grace: float) -> None:
        """End it: the other end has so many seconds to take what was written, and to go."""
        self._over(Gone(CLOSED))
        self._release()
        if self._transport is not None:
            await asyncio.wait([self.closed], timeout=grace)
        self.abort(CLOSED)

    def abort(self, reason: str) -> None:
        """End it now."""
        self._over(Gone(reason))
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TLS is spoken from now on. Some bytes may have come already."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(BUFFERED)
        self._timer = asyncio.get_running_loop().call_later(BEAT, self._beat)

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Where bytes may be put."""
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        """So many bytes have been put there."""
        self.receive(self._room[:nbytes])

    def receive(self, data: bytes | memoryview) -> None:
        """Some bytes have come."""
        self._silent = 0
        if self._end is not None:
            return
        frames: list[bytes] = []
        try:
            self._cut(data, frames)
        except RemoteFault as fault:
            self._have(frames)
            self._over(fault)
            return
        self._have(frames)
        if self._beaten > MOST_BEATS:
            self._over(RemoteFault(f"more than {MOST_BEATS} empty frames within {BEAT:g} s"))
            return
        if self._frames:
            self._wake()
        if self._ahead > BUFFERED and self._transport is not None and not self._is_held:
            self._is_held = True
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        """The other end takes less than it is sent."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has taken it."""
        self._writable.set()

    def connection_lost(self, error: Exception | None) -> None:
        """There is no connection any more."""
        self._over(Gone(explain(error) if error else CLOSED))
        if not self.closed.done():
            self.closed.set_result(None)

    # What nobody else calls.

    async def _news(self) -> Work | None:
        """Wait until there are frames, or what is left to do of one; raises why there will be none."""
        if self._end is not None:
            raise self._end
        self._reader = asyncio.get_running_loop().create_future()
        work = await self._reader
        self._turn = 0
        return work

    def _cut(self, data: bytes | memoryview, frames: list[bytes]) -> None:
        """Cut bytes into frames. RemoteFault if one is too large; those before it have been cut."""
        begun, start = self._begun, 0
        begun += data
        with memoryview(begun) as octets:
            while len(octets) - start >= _LENGTH.size:
                end = start + _LENGTH.size + self._length(octets, start)
                if len(octets) < end:
                    break
                frames.append(bytes(octets[start + _LENGTH.size : end]))
                start = end
        del begun[:start]

    def _length(self, octets: memoryview, start: int) -> int:
        length: int = _LENGTH.unpack_from(octets, start)[0]
        if length > self.largest:
            raise RemoteFault(f"a frame of {length} bytes, where {self.largest} are the most")
        return length

    def _have(self, frames: list[bytes]) -> None:
        for number, frame in enumerate(frames):
            if not frame:
                self._beaten += 1
            elif self._take is not None and number < TURN and not self._frames and self._is_awaited:
                self._give(self._take, frame)
            else:
                self._frames.append(frame)
                self._ahead += len(frame)

    @property
    def _is_awaited(self) -> bool:
        """Whether all frames before have been read, and whoever did waits for more."""
        return self._reader is not None and not self._reader.done()

    def _give(self, take: Take, frame: bytes) -> None:
        """Have a frame taken now; its reader goes on with what is left to do of it, or with its error."""
        assert self._reader is not None
        try:
            work = take(frame)
        except Exception as error:
            self._reader.set_exception(error)
        else:
            if work is not None:
                self._reader.set_result(work)

    def _wake(self) -> None:
        if self._is_awaited:
            cast("asyncio.Future[Work | None]", self._reader).set_result(None)

    def _release(self) -> None:
        if self._is_held and self._transport is not None:
            self._is_held = False
            self._transport.resume_reading()

    def _over(self, end: Gone | RemoteFault) -> None:
        """Nothing is taken any more; what has come before is still read."""
        self._end = self._end or end
        self._begun.clear()
        self._wake()
        self._writable.set()
        if self._timer is not None:
            self._timer.cancel()

    def _beat(self) -> None:
        """Look whether the other end is there, and say that this one is.

        What this end does not take is no silence of the other. So a connection that is held is let go once a beat:
        it is held again as soon as anything comes, and counts as silent if nothing does.
        """
        self._silent = 0 if self._is_held else self._silent + 1
        if self._ahead <= self.largest:
            self._release()
        self._beaten = 0
        if self._silent > SILENCE:
            self.abort(f"nothing was heard for {SILENCE * BEAT:g} s")
            return
        if self._is_quiet and self._writable.is_set() and self._transport is not None:
            self._transport.write(_BEAT)
        self._is_quiet = True
        self._timer = asyncio.get_running_loop().call_later(BEAT, self._beat)


def explain(error: BaseException) -> str:
    """What an error of the network or of TLS says; asyncio has errors that say nothing."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"TLS: {error.reason}: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS: {error.reason or error}"
        case OSError(errno=int(number)) if number > 0:
            return os.strerror(number)
        case TimeoutError():
            return "timed out"
        case ConnectionResetError():
            return os.strerror(errno.ECONNRESET)
    return str(error) or type(error).__name__
