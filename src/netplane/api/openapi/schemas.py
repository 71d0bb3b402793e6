"""The shapes of bodies, from the declarations that parse and show them."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, UnsetType, defstruct, field
from msgspec.json import schema_components

from netplane.api import computed
from netplane.api.bodies import body_type, plural
from netplane.api.fields import fields_of
from netplane.api.openapi.described import Schema
from netplane.api.rules.kind import Rules
from netplane.model import Record, kind_of

TEMPLATE = "#/components/schemas/{name}"

Schemas = dict[str, Any]


class Bodies:
    """The schemas of the bodies of all kinds, and all that they refer to."""

    def __init__(self, all_rules: Sequence[Rules], all_computed: Sequence[computed.Rules]) -> None:
        types: list[Any] = []
        for rules in all_rules:
            types += [body_type(rules.kind, method, rules.filled, rules.further) for method in ("POST", "PUT")]
            types.append(_shown(rules.kind))
        for each in all_computed:
            if each.writing is not None:
                types += [body_type(each.kind, method, each.writing.filled, ()) for method in ("POST", "PUT")]
            types.append(_shown(each.kind))
        _, found = schema_components(types, ref_template=TEMPLATE)
        self.components: Schemas = {name: _tidied(schema) for name, schema in found.items()}
        self.components["Error"] = ERROR
        for rules in all_rules:
            self._complete(rules)

    def _complete(self, rules: Rules) -> None:
        """What only rules know: fields of views that no record has; and texts that a looser type has lost."""
        shown = self.components[rules.kind.__name__]
        for extra in rules.extras:
            shown["properties"].setdefault(extra.name, {})
        shown["properties"]["tenant_id"] = {"type": "string", "description": "The same as `project_id`."}
        for method in ("Post", "Put"):
            properties = self.components[f"{rules.kind.__name__}{method}"]["properties"]
            for name, schema in properties.items():
                text = shown["properties"].get(name, {}).get("description")
                if text and "description" not in schema:
                    schema["description"] = text


def request_schema(kind: type[Record], method: str) -> Schema:
    """The body of a POST or PUT."""
    return {"$ref": TEMPLATE.format(name=f"{kind.__name__}{method.title()}Body")}


def shown_schema(kind: type[Record]) -> Schema:
    """One resource as it is shown."""
    return {"$ref": TEMPLATE.format(name=kind.__name__)}


def one_schema(kind: type[Record]) -> Schema:
    """An answer with one resource."""
    return {"type": "object", "properties": {kind_of(kind): shown_schema(kind)}, "required": [kind_of(kind)]}


def many_schema(kind: type[Record]) -> Schema:
    """An answer with a list of them."""
    name = plural(kind)
    shown = {"type": "array", "items": shown_schema(kind)}
    return {"type": "object", "properties": {name: shown, f"{name}_links": LINKS}, "required": [name]}


LINKS: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"rel": {"enum": ["next", "previous"]}, "href": {"type": "string"}},
        "required": ["rel", "href"],
    },
}

ERROR: Schema = {
    "type": "object",
    "properties": {
        "NeutronError": {
            "type": "object",
            "properties": {
                "type": {"type": "string", "description": "The name of the error, such as `NetworkNotFound`."},
                "message": {"type": "string", "description": "What is wrong, for people."},
                "detail": {"type": "string"},
            },
            "required": ["type", "message", "detail"],
        }
    },
    "required": ["NeutronError"],
}


def _shown(kind: type[Record]) -> type[Any]:
    """A type with what clients see of a kind: callers may not see, or not ask for, all of it."""
    columns = [
        (wanted.name, wanted.type | UnsetType, field(name=wanted.wire, default=UNSET)) for wanted in fields_of(kind)
    ]
    return defstruct(kind.__name__, columns, kw_only=True)


def _tidied(schema: Schema) -> Schemas:
    """Without what says nothing."""
    return {name: value for name, value in schema.items() if not (name == "required" and not value)}
