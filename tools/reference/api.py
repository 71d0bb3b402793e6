"""The HTTP API: every path that the server answers, from its routes."""

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, cast

from starlette.routing import BaseRoute, Route

from netplane.api import Tokens, make_app
from netplane.api.app import routes_of
from netplane.api.rules import COMPUTED, RULES
from netplane.controller import joining
from netplane.controller import routes as own
from netplane.model import kind_of
from tools.reference.markdown import page_of, table_of

INTRODUCTION = """The server speaks OpenStack Networking v2.0: `openstack` and the SDK work as they are. A client sends
its token as `X-Auth-Token`. Every answer to a write has the header `X-Netplane-Revision`: the position in the change
log, which `GET /netplane/v1/revisions/N` tells more about.

Errors look as Neutron's do, and nothing is written when there is one:

```json
{"NeutronError": {"type": "NetworkNotFound", "message": "Network 7 could not be found.", "detail": ""}}
```

Lists take filters (`?name=web&network_id=...`), `fields`, `sort_key` and `sort_dir`, `limit` and `marker`. `POST` of a
list (`{"ports": [...]}`) makes all of them or none. What the fields are stands in [records](records.md)."""


def page() -> str:
    """The page."""
    paths = served_paths()
    return page_of(
        "HTTP API", INTRODUCTION, *_discovery(paths), *_identity(paths), *_resources(paths), *_computed(paths), *_own()
    )


def served_paths() -> dict[str, list[str]]:
    """The methods of every path. Routes are made without a store: nothing is called here."""
    nothing = cast(Any, None)
    door = make_app(nothing, Tokens({}), routes=own.routes(nothing))
    return methods_of(routes_of(door))


def methods_of(routes: Sequence[BaseRoute]) -> dict[str, list[str]]:
    """The methods of each path, `HEAD` left out, as routes declare them."""
    found: dict[str, list[str]] = {}
    for route in routes:
        assert isinstance(route, Route)
        found.setdefault(route.path, []).extend(sorted((route.methods or set()) - {"HEAD"}))
    return found


def _discovery(paths: dict[str, list[str]]) -> Iterator[str]:
    yield "## Discovery"
    kinds = (*(rules.kind for rules in RULES), *(rules.kind for rules in COMPUTED))
    collections = tuple(f"/v2.0/{kind.collection}" for kind in kinds)
    yield _table(
        {path: methods for path, methods in paths.items() if not path.startswith((*collections, "/netplane/", "/v3"))}
    )


def _identity(paths: dict[str, list[str]]) -> Iterator[str]:
    yield "## Identity"
    yield "As OpenStack Identity v3, whose errors look otherwise: [logging in](../identity.md). Also below `/identity`."
    yield _table({path: methods for path, methods in paths.items() if path.startswith("/v3")})


def _resources(paths: dict[str, list[str]]) -> Iterator[str]:
    for rules in RULES:
        collection = f"/v2.0/{rules.kind.collection}"
        yield f"## {rules.kind.collection}"
        extras = ", ".join(f"`{extra.name}`" for extra in rules.extras)
        yield f"Fields: [{kind_of(rules.kind)}](records.md#{kind_of(rules.kind)})" + (
            f"; answers also have {extras}." if extras else "."
        )
        yield _table({path: methods for path, methods in paths.items() if _is_below(path, collection)})


def _computed(paths: dict[str, list[str]]) -> Iterator[str]:
    for rules in COMPUTED:
        collection, kind = f"/v2.0/{rules.kind.collection}", kind_of(rules.kind)
        yield f"## {rules.kind.collection}"
        yield f"Fields: [{kind}](records.md#{kind}); worked out when somebody asks."
        yield _table({path: methods for path, methods in paths.items() if _is_below(path, collection)})


def _own() -> Iterator[str]:
    yield "## netplane's own"
    lines = [line for part in (own, joining) for line in (inspect.getdoc(part) or "").splitlines()]
    # The heads of the tables are the same lines.
    yield "\n".join(dict.fromkeys(line for line in lines if line.startswith("|")))


def _is_below(path: str, collection: str) -> bool:
    return path == collection or path.startswith(f"{collection}/")


def _table(paths: dict[str, list[str]]) -> str:
    return table_of(("path", "methods"), ((f"`{path}`", ", ".join(methods)) for path, methods in paths.items()))
