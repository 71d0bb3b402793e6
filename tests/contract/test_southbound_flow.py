"""The server alone: agents that do not read, or say nothing, where they come by, and what they are shown."""

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import uvloop
from msgspec import Raw
from msgspec.msgpack import encode

from netplane.interest import Key
from netplane.model import Network, Record, kind_of
from netplane.stream import client as client_module
from netplane.stream import connection as connection_module
from netplane.stream import server as server_module
from netplane.stream.client import Connected, Disconnected, Uplink
from netplane.stream.codec import Run, decode_down
from netplane.stream.connection import Work
from netplane.stream.delivery import Slice
from netplane.stream.faults import Gone, Unanswered
from netplane.stream.messages import MOST_PORTS, Claim, Delta, Farewell, Hello, Renewed, Snapshot, Up
from netplane.stream.outbox import Parcel
from netplane.stream.server import SouthboundServer
from netplane.stream.session import AgentSession
from netplane.stream.transport import agent_context
from netplane.trust.authority import make_authority
from netplane.trust.names import CONTROLLER, HostIdentity
from netplane.trust.own import OwnCertificate, wall_clock
from netplane.trust.papers import Papers
from tests.contract.southbound import PATIENCE, certified, connected

RECORDS, ROUNDS, CHANGED = 2_000, 200, 800
LIMIT = 1_000
H = HostIdentity("h", "0" * 16)


class OneSlice:
    """A controller of one host, whose slice is whatever it was told last."""

    log = "log"

    def __init__(self) -> None:
        self.revision = 1
        self.records: dict[Key, Raw] = {}
        self.slices = 0

    dns_domain = "openstacklocal."

    async def admit(self, hello: Hello, identity: HostIdentity) -> int:
        assert identity.host == hello.host
        return len(hello.host)

    def trusts(self, identity: HostIdentity) -> bool:
        return identity == H

    async def renew(self, identity: HostIdentity, request: str) -> tuple[Renewed, datetime]:
        raise AssertionError((identity, request))

    def resume(self, host: str, revision: int) -> Parcel | None:
        assert (host, revision) == ("h", 1)
        return None

    def slice(self, host: str) -> Slice:
        self.slices += len(host)
        return self.revision, [Run(1, bytes(raw)) for raw in self.records.values()]

    def hear(self, host: str, message: Up) -> Work | None:
        raise AssertionError((host, message))

    def left(self, host: str) -> None:
        assert host == "h"

    def change(self, random: Random) -> Parcel:
        """Some records change, some go."""
        self.revision += 1
        changed: dict[Key, Raw | None] = {}
        for number in random.sample(range(RECORDS), CHANGED):
            key = ("network", str(number))
            if random.random() < 0.2:
                self.records.pop(key, None)
                changed[key] = None
            else:
                record = Network(id=str(number), vni=self.revision, description="x" * 255)
                changed[key] = self.records[key] = Raw(encode(record))
        return Parcel(self.revision, changed)


def test_an_agent_that_does_not_read_gets_its_slice_anew_when_it_does(tmp_path: Path) -> None:
    asyncio.run(starve(OneSlice(), f"unix://{tmp_path}/southbound"))


async def starve(desk: OneSlice, address: str) -> None:
    random = Random(2)
    authority = make_authority(wall_clock())
    papers = certified(authority, H)
    server = SouthboundServer(desk, OwnCertificate(authority), tick=0, limit=LIMIT)
    await server.start(address)
    try:
        async with Uplink("h", "192.0.2.1", [address], lambda: papers) as uplink:
            async for event in uplink:
                if isinstance(event, Snapshot):
                    break
            for _ in range(ROUNDS):
                server.publish([("h", desk.change(random))])
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            deltas, found = await catch_up(uplink, desk.revision)
            assert found == {key: bytes(raw) for key, raw in desk.records.items()}
            assert desk.slices > 1, "it got its slice anew"
            assert desk.slices + deltas < ROUNDS / 2, "what waited became one"
    finally:
        await server.stop()


def test_questions_to_a_host_that_does_not_read_are_not_kept(tmp_path: Path) -> None:
    async def scenario() -> None:
        authority = make_authority(wall_clock())
        papers = certified(authority, H)
        server, address = SouthboundServer(desk := OneSlice(), OwnCertificate(authority)), f"unix://{tmp_path}/s"
        await server.start(address)
        try:
            async with Uplink("h", "192.0.2.1", [address], lambda: papers) as uplink:
                async for event in uplink:
                    if isinstance(event, Snapshot):
                        break
                line = server._lines["h"]
                async with asyncio.timeout(PATIENCE):
                    while line.connection.is_writable:
                        server.publish([("h", desk.change(Random(2)))])
                        await asyncio.sleep(0.01)
                for _ in range(3):
                    with pytest.raises(Unanswered):
                        await server.ask("h", "tables", {}, 0.05)
                assert not line.outbox.words
        finally:
            await server.stop()

    asyncio.run(scenario())


async def catch_up(uplink: Uplink, revision: int) -> tuple[int, dict[Key, bytes]]:
    """All records when a revision is reached, in bytes, and how many deltas came on the way."""
    records: dict[Key, Record] = {}
    deltas = 0
    async with asyncio.timeout(20):
        async for event in uplink:
            match event:
                case Snapshot(_, first, _, fresh):
                    records = {} if first else records
                case Delta(_, fresh, gone):
                    deltas += 1
                    records = {key: record for key, record in records.items() if key not in gone}
                case Connected() | Disconnected():
                    raise AssertionError(event)
                case _:
                    continue
            records |= {(kind_of(record), record.id): record for record in fresh}
            if event.revision == revision and (isinstance(event, Delta) or event.last):
                break
    return deltas, {key: encode(record) for key, record in records.items()}


class Occupied(OneSlice):
    """One that is never done with the first thing that it hears."""

    def hear(self, host: str, message: Up) -> Work:
        async def work() -> None:
            await asyncio.Event().wait()

        return work


def test_a_host_that_falls_silent_while_what_it_said_is_worked_on_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "BEAT", 0.05)
    asyncio.run(fall_silent(Occupied(), f"unix://{tmp_path}/southbound"))


async def fall_silent(desk: OneSlice, address: str) -> None:
    """Much waits to be heard, so nothing more is taken from the network, and then nothing more is said."""
    authority = make_authority(wall_clock())
    papers = certified(authority, H)
    server = SouthboundServer(desk, OwnCertificate(authority))
    await server.start(address)
    try:
        async with connected(address, papers) as connection:
            session = AgentSession()
            connection.write(session.send(Hello("h", "192.0.2.1")))
            session.receive(await connection.read())
            ports = [f"{number:036}" for number in range(MOST_PORTS)]
            for _ in range(8):
                connection.write(session.send(Claim(ports)))
            for _ in range(20):
                await asyncio.sleep(0.05)
                assert server.is_connected("h"), "it beats, so it is there"
            assert connection._timer is not None
            connection._timer.cancel()
            async with asyncio.timeout(PATIENCE):
                while server.is_connected("h"):
                    await asyncio.sleep(0.05)
    finally:
        await server.stop()


def test_a_slice_that_cannot_be_made_ends_its_session_and_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(OneSlice):
        def slice(self, host: str) -> Slice:
            self.slices += 1
            if self.slices == 1:
                raise KeyError("a record that is not there")
            return super().slice(host)

    async def scenario() -> None:
        authority = make_authority(wall_clock())
        papers = certified(authority, H)
        address = f"unix://{tmp_path}/southbound"
        server = SouthboundServer(Broken(), OwnCertificate(authority), tick=0)
        await server.start(address)
        async with asyncio.timeout(PATIENCE), Uplink("h", "192.0.2.1", [address], lambda: papers) as uplink:
            async for event in uplink:
                if isinstance(event, Snapshot):
                    break
        await server.stop()

    asyncio.run(scenario())
    assert "a session has failed: 'a record that is not there'" in caplog.text


@asynccontextmanager
async def listening(address: str, own: OwnCertificate) -> AsyncIterator[str]:
    server = SouthboundServer(OneSlice(), own, tick=0)
    reached = await server.start(address)
    try:
        yield reached
    finally:
        await server.stop()


async def comes(address: str, papers: Papers) -> None:
    """A host is welcomed there."""
    async with asyncio.timeout(PATIENCE), Uplink("h", "192.0.2.1", [address], lambda: papers) as uplink:
        async for event in uplink:
            if isinstance(event, Connected):
                return


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:0", "[::]:0", "localhost:0", "unix://{}/southbound"])
def test_agents_come_by_every_sort_of_address(tmp_path: Path, address: str) -> None:
    async def scenario() -> None:
        authority = make_authority(wall_clock())
        async with listening(address.format(tmp_path), OwnCertificate(authority)) as reached:
            papers = certified(authority, H)
            port = reached.rpartition(":")[2]
            also = [f"127.0.0.1:{port}", f"[::1]:{port}"] if reached.startswith("[::]") else []
            for each in also or [reached]:
                await comes(each, papers)

    asyncio.run(scenario())


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_what_agents_say_while_a_controller_is_busy_is_heard(
    tmp_path: Path, run: Callable[[Coroutine[Any, Any, None]], None]
) -> None:
    """The whole of a handshake's first word may be there before the connection is taken."""

    async def scenario() -> None:
        authority = make_authority(wall_clock())
        papers = certified(authority, H)
        async with listening(f"unix://{tmp_path}/southbound", OwnCertificate(authority)) as address:
            with ThreadPoolExecutor() as threads:
                coming = [threads.submit(asyncio.run, comes(address, papers)) for _ in range(5)]
                time.sleep(0.5)
                async with asyncio.timeout(PATIENCE):
                    await asyncio.gather(*map(asyncio.wrap_future, coming))

    run(scenario())


def test_whoever_says_nothing_is_told_why_it_must_go_and_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "STRANGERS", 3)

    async def scenario() -> None:
        authority = make_authority(wall_clock())
        papers = certified(authority, H)
        async with (
            listening(f"unix://{tmp_path}/southbound", OwnCertificate(authority)) as address,
            AsyncExitStack() as all,
        ):
            quiet = [await all.enter_async_context(connected(address, papers)) for _ in range(3)]
            await comes(address, papers)
            with pytest.raises(Gone):
                async with asyncio.timeout(PATIENCE):
                    await quiet[0].read()
            monkeypatch.setattr(server_module, "HELLO_TIMEOUT", 0.2)
            late = await all.enter_async_context(connected(address, papers))
            async with asyncio.timeout(PATIENCE):
                assert decode_down(await late.read()) == Farewell("nothing said within 0.2 s")

    asyncio.run(scenario())


def test_an_agent_moves_on_from_a_controller_that_takes_nobody_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one does whose database hangs: it is there, and never welcomes."""
    monkeypatch.setattr(client_module, "WELCOME", 0.2)

    class Hanging(OneSlice):
        async def admit(self, hello: Hello, identity: HostIdentity) -> int:
            await asyncio.sleep(60)
            return await super().admit(hello, identity)

    async def scenario() -> None:
        authority = make_authority(wall_clock())
        papers = certified(authority, H)
        hanging = SouthboundServer(Hanging(), OwnCertificate(authority), tick=0)
        stuck = await hanging.start(f"unix://{tmp_path}/hanging")
        async with (
            listening(f"unix://{tmp_path}/southbound", OwnCertificate(authority)) as address,
            asyncio.timeout(PATIENCE),
            Uplink("h", "192.0.2.1", [address], lambda: papers) as uplink,
        ):
            uplink.prefer([stuck])
            events = [await anext(uplink), await anext(uplink)]
            assert [type(event) for event in events] == [Disconnected, Connected]
            assert "no welcome within 0.2 s" in str(events[0])
        await hanging.stop()

    asyncio.run(scenario())


def test_a_crowd_from_one_address_makes_room_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that is slow to begin, at an address of its own, stays while others come and come."""
    monkeypatch.setattr(server_module, "STRANGERS", 3)

    async def scenario() -> None:
        authority = make_authority(wall_clock())
        async with listening("127.0.0.1:0", OwnCertificate(authority)) as address:
            port = int(address.rpartition(":")[2])
            slow = socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0))
            crowd = []
            for _ in range(9):
                crowd.append(socket.create_connection(("127.0.0.1", port)))
                await asyncio.sleep(0.02)
            loop, context = asyncio.get_running_loop(), agent_context(certified(authority, H))
            async with asyncio.timeout(PATIENCE):
                transport, _ = await loop.create_connection(
                    asyncio.Protocol, sock=slow, ssl=context, server_hostname=CONTROLLER
                )
                transport.abort()
            for each in crowd:
                each.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_the_log_names_whoever_comes_to_nothing_and_not_who_only_looks(
    run: Callable[[Coroutine[Any, Any, None]], None], caplog: pytest.LogCaptureFixture
) -> None:
    """A probe of the port says nothing; a host whose certificate has expired does not get in: once, whose is it?"""

    async def scenario() -> None:
        authority = make_authority(wall_clock())
        expired = agent_context(certified(authority, H, timedelta(seconds=-1)))
        async with listening("127.0.0.1:0", OwnCertificate(authority)) as address:
            port = int(address.rpartition(":")[2])
            socket.create_connection(("127.0.0.1", port)).close()
            await asyncio.sleep(0.1)
            assert caplog.messages == []
            for _ in range(3):
                await asyncio.to_thread(turned_away, port, expired)
            await asyncio.sleep(0.1)
        [line] = caplog.messages
        assert line.startswith("a connection from 127.0.0.1 came to nothing: TLS: CERTIFICATE_VERIFY_FAILED: ")
        assert "expired" in line

    caplog.set_level(logging.INFO, "netplane")
    run(scenario())


def turned_away(port: int, context: ssl.SSLContext) -> None:
    """Somebody comes and is not let in."""
    with (
        suppress(ssl.SSLError, ConnectionResetError),
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=CONTROLLER) as secure,
    ):
        assert secure.recv(1) == b""


def test_a_controller_shows_its_newest_certificate_without_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        now = wall_clock() - timedelta(days=2.5)
        authority = make_authority(now)
        papers = certified(authority, H)
        own = OwnCertificate(authority, life=timedelta(days=3), clock=lambda: now)
        async with listening(f"unix://{tmp_path}/southbound", own) as address:
            shown = [await certificate_at(address, papers)]
            now = wall_clock()
            shown += [await certificate_at(address, papers) for _ in range(2)]
            assert shown[0] != shown[1] == shown[2]

    asyncio.run(scenario())


async def certificate_at(address: str, papers: Papers) -> bytes:
    """What a controller shows, DER."""
    context = agent_context(papers)
    path = address.removeprefix("unix://")
    _, writer = await asyncio.open_unix_connection(path, ssl=context, server_hostname=CONTROLLER)
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    assert isinstance(shown, bytes)
    return shown
