"""Frames out of bytes, and bytes of frames, on a connection whose other end is the test."""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netplane.stream.connection import BUFFERED, MOST_BEATS, SILENCE, TURN, Connection, Work, explain
from netplane.stream.faults import Gone, RemoteFault

LARGEST = 2 * BUFFERED


class Wire(asyncio.Transport):
    """What asyncio would send, and whether it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.is_held = False
        self.is_gone = False

    def write(self, data: Any) -> None:
        self.sent += data

    def pause_reading(self) -> None:
        self.is_held = True

    def resume_reading(self) -> None:
        self.is_held = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert (high, low) == (BUFFERED, None)

    def get_write_buffer_size(self) -> int:
        return len(self.sent)

    def is_closing(self) -> bool:
        return self.is_gone

    def abort(self) -> None:
        self.is_gone = True


def run(scenario: Callable[[Connection, Wire], Coroutine[Any, Any, None]]) -> None:
    async def within() -> None:
        connection, wire = Connection(LARGEST), Wire()
        connection.connection_made(wire)
        await scenario(connection, wire)
        connection.abort("the test is done")

    asyncio.run(within())


def framed(*frames: bytes) -> bytes:
    return b"".join(len(frame).to_bytes(4) + frame for frame in frames)


@given(st.lists(st.binary(min_size=1, max_size=9), max_size=6), st.lists(st.integers(0, 60), max_size=6))
def test_frames_are_the_same_however_their_bytes_come(frames: list[bytes], cuts: list[int]) -> None:
    async def scenario(connection: Connection, wire: Wire) -> None:
        data = framed(*frames)
        places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
        for start, end in pairwise(places):
            connection.receive(data[start:end])
        assert [await connection.read() for _ in frames] == frames
        for frame in frames:
            connection.write(frame)
        assert wire.sent == data

    run(scenario)


def test_a_reader_waits_for_a_frame() -> None:
    async def scenario(connection: Connection, _wire: Wire) -> None:
        reading = asyncio.create_task(connection.read())
        await asyncio.sleep(0)
        connection.receive(framed(b""))
        await asyncio.sleep(0)
        assert not reading.done(), "empty frames say only that somebody is there"
        connection.receive(framed(b"one"))
        assert await reading == b"one"

    run(scenario)


def test_what_came_before_the_end_is_read_and_then_why() -> None:
    async def scenario(connection: Connection, wire: Wire) -> None:
        connection.receive(framed(b"last"))
        wire.abort()
        connection.connection_lost(ConnectionResetError(104, "..."))
        assert await connection.read() == b"last"
        with pytest.raises(Gone, match="Connection reset by peer"):
            await connection.read()
        connection.write(b"nobody hears this")
        assert wire.sent == b""

    run(scenario)


def test_a_frame_that_is_too_large_is_not_waited_for_and_can_be_answered() -> None:
    async def scenario(connection: Connection, wire: Wire) -> None:
        connection.receive((LARGEST + 1).to_bytes(4))
        with pytest.raises(RemoteFault, match="are the most"):
            await connection.read()
        connection.write(b"why")
        assert wire.sent == framed(b"why")

    run(scenario)


def test_what_is_not_read_is_not_taken_from_the_network() -> None:
    async def scenario(connection: Connection, wire: Wire) -> None:
        connection.receive(framed(b"x" * BUFFERED, b"y"))
        assert wire.is_held
        for _ in range(2 * SILENCE):
            beat(connection)
            held = [wire.is_held]
            connection.receive(framed(b""))
            held.append(wire.is_held)
            assert held == [False, True], "whether anything comes is looked at once a beat"
        assert not wire.is_gone, "the other end is not silent if nobody listens"
        await connection.read()
        assert wire.is_held
        await connection.read()
        assert not wire.is_held

    run(scenario)


def test_whoever_goes_silent_while_nobody_reads_is_gone() -> None:
    async def scenario(connection: Connection, wire: Wire) -> None:
        connection.receive(framed(b"x" * BUFFERED, b"y"))
        assert wire.is_held
        for _ in range(SILENCE + 2):
            beat(connection)
        assert wire.is_gone
        assert await connection.read() == b"x" * BUFFERED, "what came before is still read"

    run(scenario)


def test_no_more_comes_while_nobody_reads_than_the_largest_frame() -> None:
    async def scenario(connection: Connection, wire: Wire) -> None:
        taken = 0
        for _ in range(10 * LARGEST // BUFFERED):
            if not wire.is_held:
                connection.receive(framed(b"x" * BUFFERED, b"y"))
                taken += BUFFERED + 1
            beat(connection)
        assert not wire.is_gone
        assert LARGEST < taken <= LARGEST + BUFFERED + 1

    run(scenario)


def test_many_frames_leave_turns_to_others() -> None:
    async def scenario(connection: Connection, wire: Wire) -> None:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        connection.receive(framed(*[b"x"] * 20 * TURN))
        task = asyncio.create_task(other())
        for _ in range(20 * TURN):
            await connection.read()
        assert turns >= 18
        task.cancel()

    run(scenario)


def test_a_frame_is_taken_as_it_comes_and_waits_for_what_is_left_of_an_earlier_one() -> None:
    async def scenario(connection: Connection, wire: Wire) -> None:
        taken: list[bytes] = []
        done = asyncio.Event()

        async def wait() -> None:
            await done.wait()
            taken.append(b"waited")

        def take(frame: bytes) -> Work | None:
            taken.append(frame)
            return wait if frame == b"long" else None

        connection.receive(framed(b"before"))
        reading = asyncio.create_task(connection.each(take))
        await asyncio.sleep(0)
        assert taken == [b"before"]
        connection.receive(framed(b"one", b"two")[:9])
        connection.receive(framed(b"one", b"two")[9:])
        assert taken == [b"before", b"one", b"two"], "no task had to be woken"
        connection.receive(framed(b"long", b"after"))
        connection.receive(framed(b"last", b"x" * BUFFERED))
        assert wire.is_held, "nor is it kept without end"
        await asyncio.sleep(0)
        assert taken[3:] == [b"long"]
        done.set()
        for _ in range(5):
            await asyncio.sleep(0)
        assert taken[4:7] == [b"waited", b"after", b"last"]
        connection.connection_lost(None)
        with pytest.raises(Gone):
            await reading
        assert not wire.is_held

    run(scenario)


def test_what_a_frame_is_refused_for_ends_the_reading() -> None:
    async def scenario(connection: Connection, _wire: Wire) -> None:
        def refuse(frame: bytes) -> None:
            raise RemoteFault(frame.decode())

        for is_awaited in (True, False):
            reading = asyncio.create_task(connection.each(refuse))
            if is_awaited:
                await asyncio.sleep(0)
            connection.receive(framed(b"no", b"nor this"))
            with pytest.raises(RemoteFault, match="no"):
                await reading
        reading = asyncio.create_task(connection.each(refuse))
        reading.cancel()
        await asyncio.wait([reading])
        connection.receive(framed(b"nobody takes this"))

    run(scenario)


def test_frames_that_are_taken_leave_turns_to_others() -> None:
    async def scenario(connection: Connection, _wire: Wire) -> None:
        taken: list[bytes] = []
        reading = asyncio.create_task(connection.each(taken.append))
        await asyncio.sleep(0)
        frames = [b"%d" % number for number in range(3 * TURN)]
        connection.receive(framed(*frames))
        assert taken == frames[:TURN]
        for _ in range(10):
            await asyncio.sleep(0)
        assert taken == frames
        reading.cancel()

    run(scenario)


def test_nobody_beats_without_end() -> None:
    async def scenario(connection: Connection, wire: Wire) -> None:
        for _ in range(3):
            connection.receive(framed(*[b""] * MOST_BEATS, b"x"))
            assert await connection.read() == b"x"
            beat(connection)
        connection.receive(framed(*[b""] * (MOST_BEATS + 1)))
        with pytest.raises(RemoteFault, match="more than 100 empty frames within 3 s"):
            await connection.read()

    run(scenario)


def test_writers_wait_while_the_other_end_takes_nothing() -> None:
    async def scenario(connection: Connection, wire: Wire) -> None:
        connection.pause_writing()
        waiting = asyncio.create_task(connection.drained())
        await asyncio.sleep(0)
        beat(connection)
        assert not waiting.done()
        assert wire.sent == b"", "nothing is added to what waits"
        connection.resume_writing()
        await waiting
        connection.pause_writing()
        waiting = asyncio.create_task(connection.drained())
        connection.connection_lost(None)
        for wait in (waiting, connection.drained()):
            with pytest.raises(Gone):
                await wait

    run(scenario)


def test_whoever_is_silent_for_long_is_gone() -> None:
    async def scenario(connection: Connection, wire: Wire) -> None:
        for _ in range(2):
            for _ in range(SILENCE):
                beat(connection)
            assert not wire.is_gone
            connection.receive(b"\0")
        assert wire.sent == framed(*[b""] * 2 * SILENCE)
        for _ in range(SILENCE + 1):
            beat(connection)
        assert wire.is_gone
        with pytest.raises(Gone, match="nothing was heard for 12 s"):
            await connection.read()

    run(scenario)


def beat(connection: Connection) -> None:
    """As if a beat's time were over."""
    assert connection._timer is not None
    connection._timer.cancel()
    connection._beat()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 1)"), "Connection refused"),
        (TimeoutError(), "timed out"),
        (OSError("Multiple exceptions: ..."), "Multiple exceptions"),
        (ValueError(), "ValueError"),
    ],
)
def test_every_error_says_something(error: Exception, said: str) -> None:
    assert explain(error).startswith(said)
