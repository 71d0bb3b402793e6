"""HTTP as machines may send it, good and bad, over loopback."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from netplane.agent.metadata.http import BODY_LIMIT, CONNECTIONS, HEAD_LIMIT, REQUESTS, Listener, Request, Response

HELLO = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
Talk = Callable[[tuple[str, int]], Coroutine[Any, Any, None]]


async def answer(ifindex: int, request: Request) -> Response:
    assert ifindex == 0, "who comes by loopback is no machine"
    return Response(200, f"{request.method} {request.target} {len(request.body)}".encode())


def serve(talk: Talk) -> None:
    """Run a conversation with a listener."""

    async def run() -> None:
        opened = socket.create_server(("127.0.0.1", 0))
        listener = Listener(answer)
        await listener.start(opened)
        try:
            async with asyncio.timeout(20):
                await talk(opened.getsockname())
        finally:
            listener.close()

    asyncio.run(run())


async def said(address: tuple[str, int], *parts: bytes) -> bytes:
    """All that is answered until the connection ends; ours ends after the last part."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        writer.write_eof()
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("parts", "status", "body"),
    [
        ((HELLO,), b"200", b"GET /hello 0"),
        ((HELLO[:9], HELLO[9:]), b"200", b"GET /hello 0"),
        ((HELLO.replace(b"GET", b"HEAD"),), b"200", b""),
        ((b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",), b"200", b"PUT /a 5"),
        ((b"GET /a HTTP/1.0\r\n\r\n",), b"200", b"GET /a 0"),
        ((b"nonsense\r\n\r\n",), b"400", b""),
        ((b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",), b"400", b""),
        ((b"GET / HTTP/1.1\r\n\r\n",), b"400", b""),
        ((b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 3 * HEAD_LIMIT + b"\r\n\r\n",), b"431", b""),
        (
            (f"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY_LIMIT + 1}\r\n\r\n".encode(), b"a" * 70_000),
            b"413",
            b"",
        ),
        ((b"PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",), b"417", b""),
    ],
)
def test_answers(parts: tuple[bytes, ...], status: bytes, body: bytes) -> None:
    async def talk(address: tuple[str, int]) -> None:
        whole = await said(address, *parts)
        if not whole and status in (b"413", b"431"):
            return  # It was cut off while it still sent.
        assert whole.split()[1] == status
        assert whole.partition(b"\r\n\r\n")[2] == body

    serve(talk)


def test_one_request_after_another_on_one_connection_and_then_enough() -> None:
    async def talk(address: tuple[str, int]) -> None:
        assert (await said(address, HELLO * 3)).count(b"200") == 3
        assert (await said(address, HELLO * (REQUESTS + 5))).count(b"HTTP/1.1 200") == REQUESTS

    serve(talk)


def test_one_has_so_many_connections() -> None:
    async def talk(address: tuple[str, int]) -> None:
        held = [await asyncio.open_connection(*address) for _ in range(CONNECTIONS)]
        await asyncio.sleep(0.1)
        assert not await said(address, HELLO)
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.1)
        assert b"200" in await said(address, HELLO)

    serve(talk)
