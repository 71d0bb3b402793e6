"""What somebody can do who has taken over a host, or stands outside: nothing to others, and nothing for long.

Real TLS, the real server, a real store. In each test an honest host goes on as if nothing were.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from netplane.agent.renewal import Renewal
from netplane.model import Announcement, Binding, Enrolment, Host, Port
from netplane.stream.client import Connected, Disconnected, Uplink
from netplane.stream.codec import encode
from netplane.stream.faults import Gone
from netplane.stream.messages import MOST_PORTS, Ack, Announce, Claim, Hello, Release, Renew, Renewed
from netplane.stream.server import LARGEST_HELLO, LARGEST_UP
from netplane.stream.transport import PROTOCOL, agent_context
from netplane.trust.authority import certify_controller, make_authority
from netplane.trust.certificates import certificate_pem
from netplane.trust.keys import key_pem, make_key, make_request
from netplane.trust.names import CONTROLLER, HostIdentity
from netplane.trust.own import OwnCertificate, wall_clock
from netplane.trust.papers import Papers, read_papers, write_papers
from netplane.trust.showing import show
from tests.contract.southbound import PATIENCE, Site, agent, certified, connected, last_word, site

Scenario = Callable[[Site], Coroutine[Any, Any, None]]


def run(scenario: Scenario, folder: Path) -> None:
    """A scenario at a controller with an honest host, which is served during all of it."""

    async def within() -> None:
        async with site(folder, "127.0.0.1:0") as place, agent(place, "honest", 9) as honest:
            await scenario(place)
            network, _ = await place.subnet("10.9.0.0/24")
            port = await place.create("port", network_id=network, **{"binding:host_id": "honest"})
            await honest.reaches(port["revision"])
            assert port["id"] in honest.kinds(Port)
            assert not honest.said(Disconnected)

    asyncio.run(within())


def hello(host: str = "h1", address: str = "192.0.2.1", log: str = "", revision: int = 0) -> bytes:
    return encode(Hello(host, address, log, revision))


def held(place: Site, by: str) -> Papers:
    """Papers that are not good, with the true authority's certificate: the thief believes the controller."""
    authority, good, other = place.controller.admission.authority, place.enrol("h1"), make_authority(wall_clock())
    key = make_key()
    match by:
        case "another authority":
            papers = certified(other, good.identity)
        case "itself":
            papers = Papers(other.key, other.certificate, other.certificate)
        case "a certificate that has expired":
            papers = certified(authority, good.identity, timedelta(seconds=-1))
        case "a controller's certificate":
            certificate = certify_controller(authority, key.public_key(), [], wall_clock())
            papers = Papers(key, certificate, authority.certificate)
        case "a former enrolment":
            papers = certified(authority, HostIdentity("h1", "0" * 16))
        case _:
            papers = certified(authority, HostIdentity("h7", "0" * 16))
    return Papers(papers.key, papers.certificate, authority.certificate)


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("another authority", "gone: "),
        ("itself", "gone: "),
        ("a certificate that has expired", "gone: "),
        ("a controller's certificate", "gone: "),
        ("a former enrolment", "the certificate of host h1 is revoked"),
        ("a host that never joined", "the certificate of host h7 is revoked"),
    ],
)
def test_papers_that_prove_nothing(tmp_path: Path, by: str, said: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(place: Site) -> None:
        papers = await asyncio.to_thread(held, place, by)
        name = "h7" if "never" in by else "h1"
        assert (await last_word(place, papers, hello(name))).startswith(said)
        with place.controller.store.read() as reader:
            assert {host.id for host in reader.list(Host)} == {"honest"}
        if said.endswith("is revoked"):
            [line] = [record.message for record in caplog.records if record.levelno == logging.WARNING]
            assert line.endswith("is revoked")
            assert "\n" not in line

    run(scenario, tmp_path)


def test_one_host_is_not_another(tmp_path: Path) -> None:
    async def scenario(place: Site) -> None:
        papers = await asyncio.to_thread(place.enrol, "h1")
        said = await last_word(place, papers, hello("honest", "192.0.2.9"))
        assert said == "host h1 says that it is honest"

    run(scenario, tmp_path)


def test_a_host_is_told_nothing_that_is_not_its_own(tmp_path: Path) -> None:
    """Whatever it says it has: as of a revision of the future, or of another log."""

    async def scenario(place: Site) -> None:
        network, _ = await place.subnet("10.0.0.0/24")
        port = await place.create("port", network_id=network, **{"binding:host_id": "honest"})
        for log, revision in (("", 0), (place.controller.log, 1), (place.controller.log, 10**9), ("other", 3)):
            papers = await asyncio.to_thread(place.enrol, "h1")
            frames = await everything(place, papers, hello(log=log, revision=revision))
            # A revision of the future may be another controller's: that is waited for.
            assert b"h1" in b"".join(frames) or revision == 10**9
            for secret in (port["id"], network, "honest", "192.0.2.9"):
                assert secret.encode() not in b"".join(frames)

    run(scenario, tmp_path)


async def everything(place: Site, papers: Papers, *frames: bytes) -> list[bytes]:
    """What a controller says within a moment to an agent that says this."""
    heard: list[bytes] = []
    async with connected(place.address, papers) as connection:
        for frame in frames:
            connection.write(frame)
        with suppress(TimeoutError, Gone):
            async with asyncio.timeout(0.3):
                while True:
                    heard.append(await connection.read())
    return heard


def test_a_host_takes_no_port_that_is_requested_elsewhere(tmp_path: Path) -> None:
    async def scenario(place: Site) -> None:
        network, _ = await place.subnet("10.0.0.0/24")
        port = await place.create("port", network_id=network, **{"binding:host_id": "honest"})
        async with agent(place, "h1", 1) as thief:
            thief.send(Claim([port["id"]]))
            thief.send(Announce(port["id"], "10.0.0.77", "02:00:00:00:00:01"))
            thief.send(Ack(10**12))
            await problem(place, "h1", port["id"])
            thief.send(Release([port["id"]]))
            thief.send(Claim(["that all of it is heard"]))
            await problem(place, "h1", "that all of it is heard")
            with place.controller.store.read() as reader:
                binding = reader.get(Binding, port["id"])
                assert binding is not None
                assert binding.host_id == "honest"
                assert reader.list(Announcement) == []
            assert thief.kinds(Port) == set()
            status = (await place.call("GET", "/netplane/v1/status")).body
            known = {host["name"]: host["revision"] for host in status["hosts"]}
            assert known["h1"] <= status["revision"], "it cannot be ahead of what there is"

    run(scenario, tmp_path)


async def problem(place: Site, host: str, id: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while (host, id) not in {
            (found["host"], found["id"])
            for found in (await place.call("GET", "/netplane/v1/problems")).body["problems"]
        }:
            await asyncio.sleep(0.02)


def test_frames_beyond_all_measure_are_not_taken(tmp_path: Path) -> None:
    async def scenario(place: Site) -> None:
        papers = await asyncio.to_thread(place.enrol, "h1")
        for frames, most in (
            ([b"\0" * (LARGEST_HELLO + 1)], LARGEST_HELLO),
            ([hello(), b"\0" * (LARGEST_UP + 1)], LARGEST_UP),
            ([hello(), b"\0" * (4 * LARGEST_UP)], LARGEST_UP),
        ):
            assert f", where {most} are the most" in await last_word(place, papers, *frames)
        assert (await last_word(place, papers, b"\xdd\xff\xff\xff\xff")).startswith("this agent broke the rules: ")

    run(scenario, tmp_path)


def test_tls_1_3_with_a_certificate_and_nothing_else(tmp_path: Path) -> None:
    async def scenario(place: Site) -> None:
        papers = await asyncio.to_thread(place.enrol, "h1")
        for spoiled in (
            spoken(papers, maximum=ssl.TLSVersion.TLSv1_2),
            spoken(None, papers.authority),
            spoken(papers, protocol="h2"),
        ):
            assert await asyncio.to_thread(over_tls, place.address, spoiled) == b""
        assert await asyncio.to_thread(in_the_clear, place.address) == b""

    run(scenario, tmp_path)


def spoken(
    papers: Papers | None,
    authority: x509.Certificate | None = None,
    *,
    maximum: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    protocol: str = PROTOCOL,
) -> ssl.SSLContext:
    """TLS as an agent speaks it, but for one thing; without papers that of nobody."""
    if papers is not None:
        context = agent_context(papers)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    else:
        assert authority is not None
        context = ssl.create_default_context(cadata=certificate_pem(authority).decode())
    context.maximum_version = maximum
    context.set_alpn_protocols([protocol])
    return context


def over_tls(address: str, context: ssl.SSLContext) -> bytes:
    """What a controller says to who opens with `Hello`."""
    try:
        with connect(address) as plain, context.wrap_socket(plain, server_hostname=CONTROLLER) as secure:
            secure.sendall(len(hello()).to_bytes(4) + hello())
            heard = b""
            while part := secure.recv(65536):
                heard += part
            return heard
    except (ssl.SSLError, ConnectionResetError):
        return b""


def in_the_clear(address: str) -> bytes:
    """What a controller answers to who speaks no TLS."""
    with connect(address) as plain:
        plain.sendall(len(hello()).to_bytes(4) + hello())
        with suppress(ConnectionResetError):
            return plain.recv(65536)
        return b""


def connect(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE)


def test_noise_and_silence_keep_nobody_from_the_controller(tmp_path: Path) -> None:
    """Two hundred connections that say nothing, half a handshake, HTTP, or garbage, while honest hosts come."""

    async def scenario(place: Site) -> None:
        hello_of_tls = bytes.fromhex("16030100ff010000fb0303") + bytes(64)
        noises = [
            b"",
            b"\x16",
            hello_of_tls,
            b"GET / HTTP/1.1\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\xff" * 999,
        ]
        quiet = [connect(place.address) for _ in range(200)]
        try:
            for index, plain in enumerate(quiet):
                plain.sendall(noises[index % len(noises)])
            async with agent(place, "h1", 1) as one:
                assert not one.said(Disconnected)
        finally:
            for plain in quiet:
                plain.close()

    run(scenario, tmp_path)


def test_a_revoked_host_is_cut_off_at_once_and_for_good(tmp_path: Path) -> None:
    async def scenario(place: Site) -> None:
        async with agent(place, "h1", 1) as one:
            clock = asyncio.get_running_loop().time
            began = clock()
            assert (await place.call("DELETE", "/netplane/v1/hosts/h1/enrolment")).status == 204
            await one.until(one.reasons)
            assert clock() - began < 1
            assert one.reasons()[0] == "the host is revoked"
            await one.until(lambda: len(one.reasons()) > 2)
            assert set(one.reasons()[1:]) == {"the certificate of host h1 is revoked"}
            assert len(one.said(Connected)) == 1
            assert "h1" not in place.controller.southbound.connected

    run(scenario, tmp_path)


def test_a_host_that_is_revoked_while_it_comes_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Admitted in a transaction, revoked in the next, before its line is open."""

    async def scenario(place: Site) -> None:
        admit = place.controller.admit

        async def slowly(*words: Any) -> int:
            number = await admit(*words)
            await place.call("DELETE", "/netplane/v1/hosts/h1/enrolment")
            await place.controller.until(lambda: not place.controller.trusts(papers.identity), PATIENCE)
            return number

        papers = await asyncio.to_thread(place.enrol, "h1")
        # The moment between the two is what counts.
        monkeypatch.setattr(place.controller, "admit", slowly)
        assert await last_word(place, papers, hello()) == "the host is revoked"

    run(scenario, tmp_path)


def test_claims_without_end_keep_nobody_from_writing(tmp_path: Path) -> None:
    """Ports that there are not, as many as fit, said again and again by five hosts."""

    async def scenario(place: Site) -> None:
        names = [f"{number:036d}" for number in range(MOST_PORTS)]
        frames = [encode(Claim(names)), encode(Release(names))] * 100
        thieves = [await asyncio.to_thread(place.enrol, f"h{number}") for number in range(1, 6)]
        floods = [
            asyncio.create_task(last_word(place, papers, hello(papers.identity.host, f"192.0.2.{number}"), *frames))
            for number, papers in enumerate(thieves, 1)
        ]
        try:
            async with asyncio.timeout(PATIENCE):
                network, _ = await place.subnet("10.0.0.0/24")
                for _ in range(12):
                    await place.create("port", network_id=network)
        finally:
            for flood in floods:
                flood.cancel()
            await asyncio.gather(*floods, return_exceptions=True)

    run(scenario, tmp_path)


def test_nobody_renews_but_for_himself(tmp_path: Path) -> None:
    async def scenario(place: Site) -> None:
        papers = await asyncio.to_thread(place.enrol, "h1")
        mine, others = (make_request(make_key(), name).decode() for name in ("h1", "honest"))
        for requests, said in (
            ([others], "the request is not in the name of h1"),
            (["nonsense"], "what should be a request for a certificate is none"),
            ([mine * 100], "the request is too long"),
            ([mine, mine], "this agent broke the rules: a host renews its certificate once in 1 s"),
        ):
            frames = [hello(), *(encode(Renew(request)) for request in requests)]
            assert (await last_word(place, papers, *frames)).startswith(said)

    run(scenario, tmp_path)


def test_certificates_renew_themselves_and_the_session_goes_on(tmp_path: Path) -> None:
    """With certificates that live for three seconds; one host renews, another does not."""

    async def scenario(place: Site) -> None:
        place.controller.admission.life = timedelta(seconds=3)
        folder, authority = tmp_path / "h1", place.controller.admission.authority
        identity = (await asyncio.to_thread(place.enrol, "h1")).identity
        lazy = (await asyncio.to_thread(place.enrol, "h2")).identity
        first = certified(authority, identity, timedelta(seconds=3))
        write_papers(folder, first)
        async with (
            renewing(place, folder) as ends,
            agent(place, "h2", 2, papers=certified(authority, lazy, timedelta(seconds=3))) as other,
        ):
            await other.until(other.reasons)
            assert other.reasons()[0] == "the host's certificate has expired"
            await asyncio.sleep(1)
            renewed = read_papers(folder)
            assert renewed.certificate.not_valid_after_utc > first.certificate.not_valid_after_utc
            assert renewed.key.private_numbers() != first.key.private_numbers()
            assert "h1" in place.controller.southbound.connected
            assert ends == []
            with place.controller.store.read() as reader:
                enrolment = reader.get(Enrolment, identity.series)
                assert enrolment is not None
                assert enrolment.host == "h1"

    run(scenario, tmp_path)


@asynccontextmanager
async def renewing(place: Site, folder: Path) -> AsyncIterator[list[Disconnected]]:
    """A host that renews its certificate as an agent does; how its sessions have ended."""
    ends: list[Disconnected] = []
    renewal = Renewal(folder)

    async def follow(uplink: Uplink) -> None:
        async for event in uplink:
            match event:
                case Renewed():
                    renewal.take(event)
                case Disconnected():
                    ends.append(event)

    async with Uplink("h1", "192.0.2.1", [place.address], lambda: read_papers(folder)) as uplink:
        tasks = [asyncio.create_task(work) for work in (follow(uplink), renewal.run(uplink))]
        try:
            yield ends
            for task in tasks:
                assert not task.done(), task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def test_no_host_plays_a_controller(tmp_path: Path) -> None:
    """Agents believe certificates for controllers only, and only of their own authority."""

    async def scenario(place: Site) -> None:
        honest = await asyncio.to_thread(place.enrol, "h1")
        thief = await asyncio.to_thread(place.enrol, "h2")
        other = OwnCertificate(make_authority(wall_clock())).served()
        for key, chain in (
            (key_pem(thief.key), certificate_pem(thief.certificate)),
            (other.key, other.chain),
        ):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            show(context, key, chain)
            server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
            port = server.sockets[0].getsockname()[1]
            async with Uplink("h1", "192.0.2.1", [f"127.0.0.1:{port}"], lambda: honest) as uplink:
                event = await asyncio.wait_for(anext(uplink), PATIENCE)
                assert isinstance(event, Disconnected)
                assert "CERTIFICATE_VERIFY_FAILED" in event.reason
            server.close()
            await server.wait_closed()

    run(scenario, tmp_path)
