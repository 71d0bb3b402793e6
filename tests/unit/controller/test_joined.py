"""Writes that are sent together."""

import asyncio

from netplane.controller.listening.joined import MOST, Joined


class Wire(asyncio.Transport):
    """A transport that keeps what it is told to send, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.is_closed = False

    def write(self, data: object) -> None:
        assert isinstance(data, bytes)
        self.sent.append(data)

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


def test_what_is_written_in_one_turn_goes_together() -> None:
    async def talk() -> list[bytes]:
        wire = Wire()
        joined = Joined(wire, asyncio.get_running_loop())
        for content in (b"head", b"body"):
            joined.write(content)
        assert not wire.sent
        await asyncio.sleep(0)
        joined.write(b"next")
        await asyncio.sleep(0)
        return wire.sent

    assert asyncio.run(talk()) == [b"headbody", b"next"]


def test_who_hangs_up_has_said_all() -> None:
    async def talk() -> tuple[list[bytes], bool]:
        wire = Wire()
        joined = Joined(wire, asyncio.get_running_loop())
        joined.write(b"goodbye")
        joined.close()
        await asyncio.sleep(0)
        return wire.sent, bool(joined.is_closing())

    assert asyncio.run(talk()) == ([b"goodbye"], True)


def test_much_does_not_wait() -> None:
    async def talk() -> list[bytes]:
        wire = Wire()
        joined = Joined(wire, asyncio.get_running_loop())
        joined.write(b"a" * MOST)
        joined.write(b"b")
        return wire.sent

    assert asyncio.run(talk()) == [b"a" * MOST + b"b"]


def test_who_has_gone_is_told_nothing() -> None:
    async def talk() -> list[bytes]:
        wire = Wire()
        joined = Joined(wire, asyncio.get_running_loop())
        joined.write(b"hello")
        wire.close()
        await asyncio.sleep(0)
        return wire.sent

    assert asyncio.run(talk()) == []
