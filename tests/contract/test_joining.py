"""Hosts that join, and those that would like to: tokens, requests for certificates, and who is told what."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import convert, to_builtins
from msgspec.structs import replace

from netplane.model import Binding, Enrolment, Host, JoinToken, Port
from netplane.store.bindings import register_host
from netplane.store.enrolments import make_join_token
from netplane.stream.client import Uplink
from netplane.stream.messages import Claim, Welcome
from netplane.trust.authority import make_authority
from netplane.trust.certificates import certificate_pem
from netplane.trust.faults import Distrust
from netplane.trust.joining import Welcoming, Wish, check_welcome, make_welcoming, make_wish
from netplane.trust.keys import make_key, make_request
from netplane.trust.names import HostIdentity
from netplane.trust.own import wall_clock
from netplane.trust.papers import Papers
from netplane.trust.tokens import JoinSecret, join_secret, parse_join_secret, prove
from tests.contract.southbound import PATIENCE, Reply, Site, agent, certified, site

TOKENS = "/netplane/v1/join-tokens"
H1 = HostIdentity("h1", "0" * 16)
NETWORK = "f1dab4f2-9a09-4e30-bf34-62bccc3f3769"
"""An id, as networks have them."""


def run(scenario: Callable[[Site], Coroutine[Any, Any, None]], folder: Path) -> None:
    async def within() -> None:
        async with site(folder) as place:
            await scenario(place)

    asyncio.run(within())


async def token(place: Site, **wish: Any) -> JoinSecret:
    reply = await place.call("POST", TOKENS, wish)
    assert reply.status == 200, reply.body
    return parse_join_secret(reply.body["token"])


async def ask(place: Site, wish: Wish) -> Reply:
    return await place.call("POST", "/netplane/v1/join", to_builtins(wish), token="")


async def join(place: Site, secret: JoinSecret, host: str) -> Papers:
    """As `netplane join` does it."""
    key = make_key()
    wish = make_wish(secret, host, key)
    reply = await ask(place, wish)
    assert reply.status == 200, reply.body
    return check_welcome(secret, wish, key, convert(reply.body, Welcoming))


async def refused(place: Site, wish: Wish) -> str:
    """Why a host may not join; that it may not has changed nothing."""
    before = place.controller.store.revision
    reply = await ask(place, wish)
    assert reply.status == 403, reply.body
    assert place.controller.store.revision == before
    said: str = reply.body["NeutronError"]["message"]
    return said


def pem_of(papers: Papers) -> bytes:
    return certificate_pem(papers.certificate)


def test_a_host_joins_comes_and_is_shown(tmp_path: Path) -> None:
    async def scenario(place: Site) -> None:
        papers = await join(place, await token(place), "h1")
        await place.controller.until(lambda: bool(place.controller.admission.enrolments()), PATIENCE)
        [shown] = (await place.call("GET", "/netplane/v1/enrolments?host=h1")).body["enrolments"]
        assert shown["enrolled_at"] < shown["expires_at"]
        async with Uplink("h1", "192.0.2.1", [place.address], lambda: papers) as uplink:
            await anext(uplink)
            assert isinstance(await anext(uplink), Welcome)
            [host] = (await place.call("GET", "/netplane/v1/hosts")).body["hosts"]
            assert (host["address"], host["alive"]) == ("192.0.2.1", True)
        found = (await place.call("GET", "/netplane/v1/authority", token="")).body
        assert found["sha256"] == place.controller.admission.authority.pin

    run(scenario, tmp_path)


def test_a_token_serves_as_often_as_it_says(tmp_path: Path) -> None:
    async def scenario(place: Site) -> None:
        secret = await token(place, uses=2)
        for host in ("h1", "h2"):
            await join(place, secret, host)
        assert "used up" in await refused(place, make_wish(secret, "h3", make_key()))

    run(scenario, tmp_path)


def test_tokens_race_and_one_wins(tmp_path: Path) -> None:
    async def scenario(place: Site) -> None:
        secret = await token(place)
        wishes = [make_wish(secret, f"h{number}", make_key()) for number in range(16)]
        replies = await asyncio.gather(*(ask(place, wish) for wish in wishes))
        assert sorted(reply.status for reply in replies) == [200] + [403] * 15

    run(scenario, tmp_path)


def test_a_token_that_has_expired_or_was_taken_back_lets_nobody_in(tmp_path: Path) -> None:
    async def scenario(place: Site) -> None:
        store, authority = place.controller.store, place.controller.admission.authority
        with store.write("test") as transaction:
            old = make_join_token(transaction, "", 1, timedelta(seconds=-1))
        assert "expired" in await refused(place, make_wish(join_secret(authority, old.id), "h1", make_key()))
        secret = await token(place)
        assert [each["id"] for each in (await place.call("GET", TOKENS)).body["join_tokens"]] == [secret.id]
        assert (await place.call("DELETE", f"{TOKENS}/{secret.id}")).status == 204
        assert (await place.call("DELETE", f"{TOKENS}/{secret.id}")).status == 404
        assert "taken back" in await refused(place, make_wish(secret, "h1", make_key()))

    run(scenario, tmp_path)


def test_a_token_for_one_host_is_for_no_other(tmp_path: Path) -> None:
    async def scenario(place: Site) -> None:
        secret = await token(place, host="h1")
        assert "for another host" in await refused(place, make_wish(secret, "h2", make_key()))
        await join(place, secret, "h1")

    run(scenario, tmp_path)


def test_a_name_that_is_taken_needs_a_token_of_its_own(tmp_path: Path) -> None:
    """Else whoever has a token for any host could take over what another carries."""

    async def scenario(place: Site) -> None:
        async with agent(place, "h1", 1) as one:
            secret = await token(place, uses=5)
            assert "there is a host h1 already" in await refused(place, make_wish(secret, "h1", make_key()))
            await place.call("DELETE", "/netplane/v1/hosts/h1/enrolment")
            await one.until(one.reasons)
            assert "there is a host h1 already" in await refused(place, make_wish(secret, "h1", make_key()))
        own = await token(place, host="h1")
        papers = await join(place, own, "h1")
        async with agent(place, "h1", 1, papers=papers) as again:
            await again.until(lambda: again.position.revision)

    run(scenario, tmp_path)


def test_who_joins_again_puts_the_former_papers_out(tmp_path: Path) -> None:
    async def scenario(place: Site) -> None:
        async with agent(place, "h1", 1) as before:
            papers = await join(place, await token(place, host="h1"), "h1")
            await before.until(lambda: len(before.reasons()) > 1)
            assert "the host is revoked" in before.reasons()[0]
            assert "revoked" in before.reasons()[1]
            async with agent(place, "h1", 1, papers=papers) as after:
                await after.until(lambda: after.position.revision)

    run(scenario, tmp_path)


def test_what_is_forged_is_refused(tmp_path: Path) -> None:
    async def scenario(place: Site) -> None:
        secret, key = await token(place, uses=9), make_key()
        good, other = make_wish(secret, "h1", key), make_request(make_key(), "h1").decode()
        for forged in (
            replace(good, host="h2"),
            replace(good, request=other),
            replace(good, proof="0" * 64),
            replace(good, proof=""),
            replace(good, token="f" * 16),
            make_wish(secret._replace(secret="A" * 43), "h1", key),
        ):
            assert "does not have the token's secret" in await refused(place, forged)

        def signed(host: str, request: str) -> Wish:
            parts = [part.encode() for part in (secret.id, host, request)]
            return Wish(secret.id, host, request, prove(secret, "host", parts))

        for host, request, said in (
            ("h2", good.request, "not in the name of h2"),
            ("h1", "nonsense", "is none"),
            ("h1", "", "is none"),
            ("h1", good.request + "x" * 9_000, "too long"),
            ("../h1", make_request(make_key(), "../h1").decode(), "letters, digits"),
            ("h" * 256, make_request(make_key(), "h" * 256).decode(), "letters, digits"),
            ("h\n1", make_request(make_key(), "h\n1").decode(), "letters, digits"),
            (NETWORK, make_request(make_key(), NETWORK).decode(), "neither a UUID"),
        ):
            assert said in await refused(place, signed(host, request))
        assert (await ask(place, good)).status == 200

    run(scenario, tmp_path)


@pytest.mark.parametrize(
    "body", [None, [], {}, {"token": 1}, {"token": "x", "host": "h", "request": "r", "proof": "p", "more": 1}]
)
def test_what_is_no_wish_is_said_to_be_none(tmp_path: Path, body: Any) -> None:
    async def scenario(place: Site) -> None:
        assert (await place.call("POST", "/netplane/v1/join", body, token="")).status == 400

    run(scenario, tmp_path)


def test_a_wish_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    async def scenario(place: Site) -> None:
        assert (await place.call("POST", "/netplane/v1/join", "x" * 20_000, token="")).status == 413

    run(scenario, tmp_path)


def test_a_host_believes_only_the_controllers_of_its_token() -> None:
    """Who stands in between, or answers in a controller's place, gets nothing and gives nothing."""
    authority, impostor = make_authority(wall_clock()), make_authority(wall_clock())
    secret, key = join_secret(authority, "0" * 16), make_key()
    wish = make_wish(secret, "h1", key)
    mine = certified(authority, H1)
    answer = make_welcoming(authority, wish, pem_of(mine), ["c:9697"])
    for forged, said in (
        (make_welcoming(impostor, wish, pem_of(mine), ["c:9697"]), "its authority is another"),
        (replace(answer, controllers=["evil:9697"]), "does not have the token's secret"),
        (replace(answer, proof=wish.proof), "does not have the token's secret"),
        (replace(answer, certificate=pem_of(certified(impostor, H1)).decode()), "the token's secret"),
        (answer, "not of this host's key"),
        (make_welcoming(authority, wish, pem_of(certified(impostor, H1)), []), "not signed by"),
    ):
        with pytest.raises(Distrust, match=said):
            check_welcome(secret, wish, key, forged)


def test_only_administrators_decide_who_joins(tmp_path: Path) -> None:
    async def scenario(place: Site) -> None:
        secret = await token(place)
        for method, path, body in (
            ("POST", TOKENS, {}),
            ("GET", TOKENS, None),
            ("DELETE", f"{TOKENS}/{secret.id}", None),
            ("GET", "/netplane/v1/enrolments", None),
            ("DELETE", "/netplane/v1/hosts/h1/enrolment", None),
            ("DELETE", "/netplane/v1/hosts/h1", None),
        ):
            assert (await place.call(method, path, body, token="blue")).status == 403
            assert (await place.call(method, path, body, token="nobody")).status == 401
        for wrong in (
            {"uses": 0},
            {"seconds": 0},
            {"seconds": 10**9},
            {"host": 1},
            {"other": 1},
            {"host": "../x"},
            {"host": NETWORK},
        ):
            assert (await place.call("POST", TOKENS, wrong)).status == 400, wrong

    run(scenario, tmp_path)


def test_a_host_is_forgotten_when_it_is_out(tmp_path: Path) -> None:
    async def scenario(place: Site) -> None:
        store, path = place.controller.store, "/netplane/v1/hosts/h1"
        async with agent(place, "h1", 1) as one:
            network, _ = await place.subnet("10.0.0.0/24")
            wanted = await place.create("port", network_id=network, **{"binding:host_id": "h1"})
            loose = await place.create("port", network_id=network)
            one.send(Claim([loose["id"]]))
            await one.until(lambda: len(one.kinds(Port)) == 2)
            await token(place, host="h1")
            kept = await place.call("DELETE", path)
            assert (kept.status, kept.body["NeutronError"]["type"]) == (409, "HostInUse")
            with store.read() as reader:
                assert len(reader.list(Enrolment)) == 1, "all or nothing"
            assert (await place.call("DELETE", f"{path}/enrolment")).status == 204
            await one.until(one.reasons)
            assert (await place.call("DELETE", path)).status == 204
        with store.read() as reader:
            for kind in (Host, Enrolment, JoinToken, Binding):
                assert reader.list(kind) == []
        for gone in (path, f"{path}/enrolment"):
            assert (await place.call("DELETE", gone)).status == 404
        papers = await join(place, await token(place), "h1")
        async with agent(place, "h1", 1, papers=papers) as again:
            await again.until(lambda: again.kinds(Port) == {wanted["id"]})

    run(scenario, tmp_path)


def test_an_agent_that_is_deleted_does_not_come_back(tmp_path: Path) -> None:
    """As OpenStack's clients delete agents: a host that is dead, and is not told so."""

    async def scenario(place: Site) -> None:
        papers = await asyncio.to_thread(place.enrol, "h1")
        with place.controller.store.write("test") as transaction:
            register_host(transaction, "h1", "192.0.2.1")
        [found] = (await place.call("GET", "/v2.0/agents")).body["agents"]
        assert (await place.call("DELETE", f"/v2.0/agents/{found['id']}")).status == 204
        async with agent(place, "h1", 1, papers=papers) as one:
            await one.until(one.reasons)
            assert "revoked" in one.reasons()[0]

    run(scenario, tmp_path)


def test_what_is_written_about_joining_holds_no_secret(tmp_path: Path) -> None:
    async def scenario(place: Site) -> None:
        secret = await token(place, uses=2)
        papers = await join(place, secret, "h1")
        told = str((await place.call("GET", TOKENS)).body) + str(place.controller.store.journal(0))
        for hidden in (secret.secret, str(papers.key.private_numbers().private_value), "PRIVATE KEY"):
            assert hidden not in told

    run(scenario, tmp_path)
