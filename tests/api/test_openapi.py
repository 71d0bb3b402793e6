"""The API's description of itself: valid, whole, there for everybody, and true."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from starlette.routing import BaseRoute

from netplane.api import Tokens, make_app
from netplane.api.app import routes_of
from netplane.api.fields import fields_of
from netplane.api.openapi import Documents
from netplane.api.openapi.document import PARAMETER, served
from netplane.api.rules import COMPUTED, RULES
from netplane.controller.described import CALLS
from netplane.controller.routes import routes
from tests.api.support import TOKENS, World
from tests.servers import server_running

SECONDS = 25
"""That schemathesis has."""


@pytest.fixture(scope="module")
def all_routes() -> Sequence[BaseRoute]:
    """Those of the whole application, on no store: they are looked at only."""
    nothing: Any = None
    door = make_app(nothing, Tokens({}), routes=routes(nothing), calls=CALLS)
    return routes_of(door)


@pytest.fixture(scope="module")
def document(all_routes: Sequence[BaseRoute]) -> dict[str, Any]:
    return Documents(all_routes, CALLS).document


def test_it_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_it_has_every_call(all_routes: Sequence[BaseRoute], document: dict[str, Any]) -> None:
    for path, method in served(all_routes):
        plain = PARAMETER.sub(r"{\1}", path)
        assert method.lower() in document["paths"][plain], (plain, method)


def test_it_describes_no_call_that_is_not_there(all_routes: Sequence[BaseRoute]) -> None:
    there = {(PARAMETER.sub(r"{\1}", path), method) for path, method in served(all_routes)}
    assert set(CALLS) - there == set()


@pytest.mark.parametrize("rules", RULES, ids=lambda rules: rules.kind.__name__)
def test_it_has_every_field(document: dict[str, Any], rules: Any) -> None:
    schemas = document["components"]["schemas"]
    shown = schemas[rules.kind.__name__]["properties"]
    for field in fields_of(rules.kind):
        assert field.wire in shown
        assert shown[field.wire].get("description") or "$ref" in shown[field.wire] or "anyOf" in shown[field.wire]
        assert (field.wire in schemas[f"{rules.kind.__name__}Post"]["properties"]) == field.access.create
        assert (field.wire in schemas[f"{rules.kind.__name__}Put"]["properties"]) == field.access.update
    parameters = document["paths"][f"/v2.0/{rules.kind.collection}"]["get"]["parameters"]
    assert {field.wire for field in fields_of(rules.kind)} <= {parameter["name"] for parameter in parameters}


@pytest.mark.parametrize("rules", COMPUTED, ids=lambda rules: rules.kind.__name__)
def test_it_has_every_field_of_what_is_worked_out(document: dict[str, Any], rules: Any) -> None:
    shown = document["components"]["schemas"][rules.kind.__name__]["properties"]
    fields = {field.wire for field in fields_of(rules.kind)}
    assert all(shown[field].get("description") or "anyOf" in shown[field] for field in fields)
    listing = document["paths"][f"/v2.0/{rules.kind.collection}"]["get"]
    assert fields | rules.further <= {parameter["name"] for parameter in listing["parameters"]}
    assert set(listing["responses"]) >= {"200", "400"}


def test_it_is_there_without_a_token(world: World) -> None:
    reply = world.ask("GET", "/openapi.json", token=None)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json["openapi"] == "3.1.0"
    assert "/v2.0/networks/{id}" in reply.json["paths"]


def test_the_page_needs_nothing_else(world: World) -> None:
    reply = world.ask("GET", "/docs", token=None)
    page = reply.content.decode()
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "/v2.0/networks/{id}" in page
    assert re.findall(r"<script|src=|https?://", page) == []


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A whole server, as operators run it."""
    with server_running(tmp_path, tokens=TOKENS) as url:
        yield url


CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.parametrize(("token", "seed"), [("blue", "1"), ("admin", "2")])
def test_every_answer_is_one_that_it_names(server: str, tmp_path: Path, token: str, seed: str) -> None:
    """As schemathesis asks: with all that the description allows, and with much that it does not."""
    arguments = ["run", f"{server}/openapi.json", "--header", f"X-Auth-Token: {token}", "--checks", CHECKS]
    arguments += ["--exclude-path", "/netplane/v1/watch", "--phases", "fuzzing,coverage", "--max-examples", "1"]
    arguments += ["--seed", seed, "--max-time", str(SECONDS // 2), "--suppress-health-check", "all"]
    arguments += ["--generation-database", "none", "--warnings", "off", "--no-color"]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("st")), *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=110,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout
