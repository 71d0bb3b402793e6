"""Routes are found as if they were tried one after the other."""

import pytest
from starlette.requests import Request
from starlette.routing import Match, Route

from netplane.api.signpost import Signpost


async def _nothing(_request: Request) -> None:
    raise AssertionError


def _route(path: str, *methods: str) -> Route:
    return Route(path, _nothing, methods=methods or ("GET",))


ROUTES = (
    _route("/"),
    _route("/v2.0"),
    _route("/v2.0/ports", "GET", "POST"),
    _route("/v2.0/ports/first"),
    _route("/v2.0/ports/{id}"),
    _route("/v2.0/ports/{id}", "PUT"),
    _route("/v2.0/ports/{id}/tags/{tag:path}"),
    _route("/v2.0/log/logs"),
    _route("/{name}"),
    _route("/{name}/ports"),
)


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        *("/", "/v2.0", "/v2.0/ports", "/v2.0/ports/first", "/v2.0/ports/1", "/v2.0/ports/1/tags/a/b", "/v2.0/log"),
        *("/v2.0/log/logs", "/v2.0/log/logs/1", "/x", "/x/ports", "/x/y", "", "x", "//v2.0/ports", "/v2.0/ports/"),
    ],
)
def test_the_same_route_is_found(method: str, path: str) -> None:
    scope = {"type": "http", "method": method, "path": path, "root_path": ""}
    match, found = Signpost(ROUTES).matches(scope)
    tried = [(route.matches(scope)[0], route) for route in ROUTES]
    best = max((one for one, _ in tried), key=lambda one: one.value)
    assert match is best
    if best is not Match.NONE:
        assert found["route"] is next(route for one, route in tried if one is best)
