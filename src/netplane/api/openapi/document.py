"""The whole document: every path that the server routes, said as fully as it is known.

A call that no room has described appears with its path and its method, so that nothing is hidden.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from msgspec.json import encode
from starlette.routing import BaseRoute, Route

from netplane import __version__
from netplane.api.openapi.described import ANYTHING, Calls, Described, Parameter
from netplane.api.openapi.page import page_of
from netplane.api.openapi.resources import computed_calls, resource_calls
from netplane.api.openapi.schemas import Bodies
from netplane.api.rules import COMPUTED, RULES

PARAMETER = re.compile(r"{(\w+)(?::(\w+))?}")
"""In paths of routes: a name and, if it is not any text, its type."""

REFUSALS = {
    400: "The request cannot be understood, or a value not be accepted.",
    401: "There is no token, or it is not known.",
    403: "It is not for this caller.",
    404: "There is no such resource for this caller.",
    409: "What exists forbids it.",
    410: "The revision is not in the change log.",
    412: "Somebody has changed the resource meanwhile.",
    413: "The body is too long.",
    429: "Too many requests.",
    502: "A host gave an answer that makes no sense.",
    503: "It cannot be done now.",
}
TEXT = """The API of netplane: OpenStack Networking v2.0 under `/v2.0`, and netplane's own under `/netplane/v1`.
Every call but a few takes a token in `X-Auth-Token`. Errors have the shape of `Error`; nothing is written when there is
one."""


class Documents:
    """The document and the page, made when they are asked for the first time."""

    def __init__(self, routes: Sequence[BaseRoute], calls: Calls) -> None:
        self._routes = routes
        self._calls = calls

    @cached_property
    def document(self) -> dict[str, Any]:
        """OpenAPI 3.1."""
        bodies = Bodies(RULES, COMPUTED)
        calls = {**self._calls}
        for rules in RULES:
            calls |= resource_calls(rules)
        for computed in COMPUTED:
            calls |= computed_calls(computed)
        paths: dict[str, dict[str, Any]] = {}
        for path, method in served(self._routes):
            plain = PARAMETER.sub(r"{\1}", path)
            described = calls.get((plain, method), _unknown(plain))
            paths.setdefault(plain, {})[method.lower()] = _operation(path, method, described)
        return {
            "openapi": "3.1.0",
            "info": {"title": "netplane", "version": __version__, "description": TEXT},
            "servers": [{"url": "/"}],
            "security": [{"token": []}],
            "paths": dict(sorted(paths.items())),
            "components": {
                "schemas": dict(sorted(bodies.components.items())),
                "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}},
            },
        }

    @cached_property
    def content(self) -> bytes:
        """The document as JSON."""
        return encode(self.document)

    @cached_property
    def page(self) -> str:
        """The document as HTML."""
        return page_of(self.document)


def served(routes: Iterable[BaseRoute]) -> list[tuple[str, str]]:
    """Every path, as its route has it, and method; `HEAD` is not told apart from `GET`."""
    return [
        (route.path, method)
        for route in routes
        if isinstance(route, Route)
        for method in sorted((route.methods or set()) - {"HEAD"})
    ]


def _unknown(path: str) -> Described:
    group = path.strip("/").partition("/")[0] or "discovery"
    return Described(path, (), None, 0, None, (), group=group)


def _operation(path: str, method: str, described: Described) -> dict[str, Any]:
    words = re.sub(r"[^A-Za-z0-9]+", "_", PARAMETER.sub(r"by_\1", path))
    operation: dict[str, Any] = {
        "tags": [described.group],
        "summary": described.summary,
        "operationId": f"{method.lower()}{words}",
        "responses": _responses(described),
    }
    parameters = [_in_path(name, kind) for name, kind in PARAMETER.findall(path)]
    parameters += [_parameter(each) for each in described.parameters]
    if parameters:
        operation["parameters"] = parameters
    if described.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": described.body}}}
    if described.is_open:
        operation["security"] = []
    return operation


def _responses(described: Described) -> dict[str, Any]:
    if not described.status:
        return {"default": {"description": "What comes of it."}}
    done: dict[str, Any] = {"description": "Done."}
    if described.answer is not None:
        done["content"] = {described.media: {"schema": described.answer}}
    refusals = described.refusals if described.is_open else (401, *described.refusals)
    return {str(described.status): done} | {str(status): _refusal(status) for status in sorted(refusals)}


def _refusal(status: int) -> dict[str, Any]:
    schema = ANYTHING if status == 401 else {"$ref": "#/components/schemas/Error"}
    return {"description": REFUSALS[status], "content": {"application/json": {"schema": schema}}}


def _in_path(name: str, kind: str) -> dict[str, Any]:
    number, text = {"type": "integer", "minimum": 0}, {"type": "string", "minLength": 1}
    schema: Mapping[str, Any] = number if kind == "int" else text
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = {"type": "array", "items": parameter.schema} if parameter.is_repeated else parameter.schema
    return {"name": parameter.name, "in": parameter.place, "description": parameter.text, "schema": schema}
