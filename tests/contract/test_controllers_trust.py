"""Two controllers on one PostgreSQL are one authority: who joins by one is in everywhere, and who is revoked is out."""

import asyncio
from pathlib import Path

from msgspec import convert, to_builtins

from netplane.trust.joining import Welcoming, check_welcome, make_wish
from netplane.trust.keys import make_key
from netplane.trust.tokens import parse_join_secret
from tests.contract.southbound import agent
from tests.contract.test_controllers import run, two, until


def test_a_host_that_has_joined_one_comes_to_the_other(tmp_path: Path) -> None:
    async def scenario(folder: Path) -> None:
        async with two(folder) as (one, other):
            assert one.controller.admission.authority.pin == other.controller.admission.authority.pin
            secret = parse_join_secret((await one.call("POST", "/netplane/v1/join-tokens", {})).body["token"])
            key = make_key()
            wish = make_wish(secret, "h1", key)
            reply = await other.call("POST", "/netplane/v1/join", to_builtins(wish), token="")
            papers = check_welcome(secret, wish, key, convert(reply.body, Welcoming))
            again = make_wish(secret, "h2", make_key())
            assert (await one.call("POST", "/netplane/v1/join", to_builtins(again), token="")).status == 403
            for place in (one, other):
                async with agent(place, "h1", 1, papers=papers) as host:
                    await host.reaches(1)

    run(scenario, tmp_path)


def test_a_host_that_is_revoked_by_one_is_cut_off_by_the_other(tmp_path: Path) -> None:
    async def scenario(folder: Path) -> None:
        async with two(folder) as (one, other), agent(one, "h1", 1) as first, agent(other, "h2", 2) as second:
            former = await asyncio.to_thread(one.enrol, "h1")
            clock = asyncio.get_running_loop().time
            for place, name, host in ((other, "h1", first), (one, "h2", second)):
                began = clock()
                assert (await place.call("DELETE", f"/netplane/v1/hosts/{name}/enrolment")).status == 204
                await host.until(host.reasons)
                assert clock() - began < 1
                assert host.reasons()[0] == "the host is revoked"
            await until(lambda: not one.controller.southbound.connected | other.controller.southbound.connected)
            for place in (one, other):
                async with agent(place, "h1", 1, papers=former) as host:
                    await host.until(host.reasons)
                    assert "revoked" in host.reasons()[0]

    run(scenario, tmp_path)
