"""netplane's own calls: who may make which, by the table and by hand."""

import asyncio
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from netplane.api import Tokens, make_app
from netplane.api.personas import Persona
from netplane.api.policy.table import CALLS
from netplane.controller.routes import routes
from tests.api.test_policy import CALLERS
from tests.contract.southbound import TOKENS, Site, site

PATHS: Mapping[str, tuple[str, str]] = {
    "status": ("GET", "status"),
    "problems": ("GET", "problems"),
    "hosts": ("GET", "hosts"),
    "bindings": ("GET", "bindings"),
    "revisions": ("GET", "revisions"),
    "tables": ("GET", "hosts/h1/tables"),
    "audit": ("GET", "audit?project_id=yellow"),
    "join_tokens": ("GET", "join-tokens"),
    "change_join_tokens": ("DELETE", "join-tokens/none"),
    "enrolments": ("GET", "enrolments"),
    "revoke_hosts": ("DELETE", "hosts/h1/enrolment"),
}
"""A call of each line that a path stands for; some answer 404 to those who may."""
READ_BY = {"admin@ops", "admin@system", "reader@system"}
WRITES = {"change_join_tokens", "revoke_hosts"}


def test_who_makes_which_call(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            app = make_app(place.controller.store, known(), routes=routes(place.controller))
            for line, (method, path) in PATHS.items():
                await check(Site(place.controller, app, place.address), line, method, path)

    asyncio.run(scenario())


async def check(place: Site, line: str, method: str, path: str) -> None:
    """As the table says, which is what one would expect."""
    for name, context in CALLERS.items():
        reply = await place.call(method, f"/netplane/v1/{path}", token=name)
        may = bool(CALLS[line] & context.standing.everywhere)
        assert may == (name in (READ_BY - {"reader@system"} if line in WRITES else READ_BY)), (line, name)
        assert (reply.status in (200, 404)) if may else reply.status == 403, (line, name, reply)


def test_decisions_are_for_who_sees_a_project(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            app = make_app(place.controller.store, known(), routes=routes(place.controller))
            for name, context in CALLERS.items():
                reply = await Site(place.controller, app, place.address).call(
                    "GET", "/netplane/v1/decisions", token=name
                )
                assert reply.status == (200 if context.may_see(context.project) else 403), name

    asyncio.run(scenario())


def known() -> Tokens:
    """The tokens of all callers."""
    callers = {sha256(name.encode()).digest(): context for name, context in CALLERS.items()}
    return TOKENS._replace(callers=TOKENS.callers | callers)


def test_every_line_names_an_administrator() -> None:
    assert all(Persona.ADMIN in personas for personas in CALLS.values())
