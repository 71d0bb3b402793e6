"""The HTTP server on real sockets: TLS, headers, and what a connection and a project may cost."""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from netplane.api import make_app, parse_tokens
from netplane.client import Client, Refused, Unanswered
from netplane.controller.listening import http
from netplane.controller.listening.pace import Paced, Rate
from netplane.controller.listening.place import Limits, Listening
from netplane.controller.listening.tls import Tls
from netplane.store import Store
from netplane.trust.authority import Authority, make_authority
from netplane.trust.own import OwnCertificate, wall_clock

TOKENS = "".join(f'[[token]]\nsecret = "{name}"\nproject = "{name}"\n' for name in ("blue", "red"))
PATIENCE = 5.0
LOCAL = "127.0.0.1"
MUST = ("x-content-type-options: nosniff", "cache-control: no-store", "content-security-policy: default-src 'none'")


class Place(NamedTuple):
    """A server that listens."""

    port: int
    authority: Authority
    tls: Tls | None

    async def say(self, *parts: bytes, pause: float = 0) -> bytes:
        """What is answered, until it hangs up, to somebody who says this."""

        def talk() -> bytes:
            with socket.create_connection((LOCAL, self.port), timeout=PATIENCE) as plain:
                heard = b""
                try:
                    for part in parts:
                        plain.sendall(part)
                        plain.settimeout(pause or PATIENCE)
                        if pause:
                            try:
                                heard += plain.recv(65536)
                            except TimeoutError:
                                continue
                    plain.settimeout(PATIENCE)
                    while part := plain.recv(65536):
                        heard += part
                except ConnectionError:
                    pass
                return heard

        return await asyncio.to_thread(talk)


@asynccontextmanager
async def place(
    folder: Path, listening: Listening, *, over_tls: bool = False, rate: Rate | None = None
) -> AsyncIterator[Place]:
    """A server on loopback; with TLS as it would speak it elsewhere."""
    store = Store.open(f"sqlite:///{folder}/netplane.db")
    own = OwnCertificate(make_authority(wall_clock()), [LOCAL, "localhost"])
    door = make_app(store, parse_tokens(TOKENS))
    if rate is not None:
        door.routes = Paced(door.routes, rate)
    server, tls = http.make_server(door, listening, own)
    assert (tls is not None) is over_tls
    task = asyncio.create_task(http.serve(server, tls))
    try:
        async with asyncio.timeout(PATIENCE):
            while not server.started:
                await asyncio.sleep(0.01)
        yield Place(server.servers[0].sockets[0].getsockname()[1], own.authority, tls)
    finally:
        server.stop()
        await task
        store.close()


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


def request(path: str = "/v2.0/networks", *headers: str, token: str = "blue", method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: c", f"X-Auth-Token: {token}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def status_of(answer: bytes) -> int:
    found = re.match(rb"HTTP/1\.1 ([0-9]+)", answer)
    assert found, answer
    return int(found[1])


@pytest.mark.parametrize(
    ("path", "token", "status"), [("/v2.0/networks", "blue", 200), ("/v2.0/x", "blue", 404), ("/v2.0", "no", 401)]
)
def test_every_answer_is_hardened(tmp_path: Path, path: str, token: str, status: int) -> None:
    async def scenario() -> None:
        async with place(tmp_path, Listening(f"{LOCAL}:0")) as there:
            answer = await there.say(request(path, token=token))
            assert status_of(answer) == status
            head = answer.decode().lower()
            assert [line for line in MUST if line not in head] == []
            assert "strict-transport-security" not in head
            assert "server:" not in head

    run(scenario)


def test_https_by_the_controllers_own_certificate(tmp_path: Path) -> None:
    async def scenario() -> None:
        listening = Listening("0.0.0.0:0")
        async with place(tmp_path, listening, over_tls=True) as there:
            (tmp_path / "ca.pem").write_bytes(there.authority.pem)
            url = f"https://{LOCAL}:{there.port}"
            believing = Client(url, "blue", authority=str(tmp_path / "ca.pem"))
            assert await asyncio.to_thread(believing.call, "GET", "/v2.0/networks") == {"networks": []}
            with pytest.raises(Unanswered, match=r"(?i)certificate"):
                await asyncio.to_thread(Client(url, "blue").call, "GET", "/v2.0/networks")
            plain = Client(f"http://{LOCAL}:{there.port}", "blue")
            with pytest.raises(Unanswered):
                await asyncio.to_thread(plain.call, "GET", "/v2.0/networks")
            assert b"strict-transport-security" in await asyncio.to_thread(over_tls_1_2, there)
            assert there.tls is not None
            assert there.tls.context.minimum_version is ssl.TLSVersion.TLSv1_2
            believing.close()

    run(scenario)


def over_tls_1_2(there: Place) -> bytes:
    """An answer to a client that speaks no newer TLS."""
    context = ssl.create_default_context(cadata=there.authority.pem.decode())
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection((LOCAL, there.port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=LOCAL) as secure,
    ):
        secure.sendall(request())
        heard = b""
        while part := secure.recv(65536):
            heard += part
        return heard


def test_https_by_an_operators_certificate_that_is_renewed(tmp_path: Path) -> None:
    async def scenario() -> None:
        path, first, second = tmp_path / "tls.pem", make_authority(wall_clock()), make_authority(wall_clock())

        def shown(authority: Authority) -> bytes:
            served = OwnCertificate(authority, [LOCAL]).served()
            return served.key + served.chain

        path.write_bytes(shown(first))
        async with place(tmp_path, Listening(f"{LOCAL}:0", path), over_tls=True) as there:
            assert there.tls is not None
            await expect(there, tmp_path, first)
            path.write_bytes(b"half a certificate")
            there.tls.refresh()
            await expect(there, tmp_path, first)
            path.write_bytes(shown(second))
            there.tls.refresh()
            await expect(there, tmp_path, second)

    run(scenario)


async def expect(there: Place, folder: Path, authority: Authority) -> None:
    """That clients are shown a certificate of this authority."""
    (folder / "ca.pem").write_bytes(authority.pem)
    client = Client(f"https://{LOCAL}:{there.port}", "blue", authority=str(folder / "ca.pem"))
    assert await asyncio.to_thread(client.call, "GET", "/v2.0/networks") == {"networks": []}
    client.close()


def test_a_certificate_that_is_none_keeps_the_server_from_starting(tmp_path: Path) -> None:
    (tmp_path / "tls.pem").write_text("nonsense")
    store = Store.open(f"sqlite:///{tmp_path}/netplane.db")
    listening = Listening(f"{LOCAL}:0", tmp_path / "tls.pem")
    own = OwnCertificate(make_authority(wall_clock()))
    with pytest.raises(OSError, match="PEM"):
        http.make_server(make_app(store, parse_tokens(TOKENS)), listening, own)
    store.close()


def test_a_request_that_costs_too_much_is_ended(tmp_path: Path) -> None:
    """By size, and by time: somebody who says a byte now and then holds nothing for long."""

    async def scenario() -> None:
        limits = Limits(head_bytes=2_000, head_seconds=0.4, body_seconds=0.6)
        async with place(tmp_path, Listening(f"{LOCAL}:0", limits=limits)) as there:
            long = [b"GET /v2.0/networks HTTP/1.1\r\nX-Long: ", *([b"x" * 1_000] * 50)]
            many = [b"GET /v2.0/networks HTTP/1.1\r\n", *([b"X-A: b\r\n" * 100] * 50)]
            address = [b"GET /", *([b"a" * 1_000] * 50)]
            for parts in (long, many, address):
                assert status_of(await there.say(*parts, pause=0.01)) == 431
            slow = [b"GET / HTTP/1.1\r\n", *([b"A: b\r\n"] * 40)]
            body = request("/v2.0/networks", "Content-Length: 100", method="POST")
            for parts in ([b""], slow, [body, *([b"x"] * 40)]):
                begun = asyncio.get_running_loop().time()
                assert status_of(await there.say(*parts, pause=0.05)) == 408
                assert asyncio.get_running_loop().time() - begun < 2
            assert status_of(await there.say(request())) == 200

    run(scenario)


def test_there_are_so_many_connections_and_no_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        limits = Limits(connections=5, head_seconds=1)
        async with place(tmp_path, Listening(f"{LOCAL}:0", limits=limits)) as there:
            held = [socket.create_connection((LOCAL, there.port), timeout=PATIENCE) for _ in range(5)]
            await asyncio.sleep(0.1)
            assert await there.say(request()) == b""
            for plain in held:
                plain.close()
            await asyncio.sleep(0.1)
            assert status_of(await there.say(request())) == 200

    run(scenario)


def test_a_project_that_asks_too_often_is_told_when_to_come_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with place(tmp_path, Listening(f"{LOCAL}:0"), rate=Rate(0.5, 3)) as there:
            answers = [await there.say(request()) for _ in range(5)]
            assert [status_of(answer) for answer in answers] == [200, 200, 200, 429, 429]
            assert b"retry-after: 2" in answers[-1].lower()
            assert b'"NeutronError"' in answers[-1]
            assert status_of(await there.say(request(token="red"))) == 200, "no other project is concerned"

    run(scenario)


def test_nobody_is_limited_who_was_not_told_to_be(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with place(tmp_path, Listening(f"{LOCAL}:0")) as there:
            client = Client(f"http://{LOCAL}:{there.port}", "blue")
            for _ in range(200):
                await asyncio.to_thread(client.call, "GET", "/v2.0/networks")
            with pytest.raises(Refused):
                await asyncio.to_thread(client.call, "GET", "/v2.0/networks/none")
            client.close()

    run(scenario)
