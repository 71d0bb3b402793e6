"""The calls that every kind has, and its own actions and questions."""

from collections.abc import Iterator

from netplane.api import computed
from netplane.api.fields import fields_by_wire
from netplane.api.openapi.described import ANYTHING, Calls, Described, Parameter
from netplane.api.openapi.schemas import many_schema, one_schema, request_schema
from netplane.api.rules.kind import Rules
from netplane.api.tags import FILTERS
from netplane.model import kind_of
from netplane.model.resource import MOST_TAGS

FIELDS = Parameter("fields", "Show only this field.", is_repeated=True)
IF_MATCH = Parameter("If-Match", "`revision_number=N`: only if the resource has been written so often.", place="header")
PAGES = (
    FIELDS,
    Parameter("sort_key", "A field to sort by.", is_repeated=True),
    Parameter("sort_dir", "`asc` or `desc`, for each `sort_key`.", {"enum": ["asc", "desc"]}, is_repeated=True),
    Parameter("limit", "How many at most; 0 for all.", {"type": "integer", "minimum": 0}),
    Parameter("marker", "The id of the last one of the page before."),
    Parameter("page_reverse", "Whether to go backwards.", {"type": "boolean"}),
)
STORED = (
    Parameter("changed_since", "Only what was changed at this time or later (ISO 8601).", {"type": "string"}),
    *(Parameter(name, "Tags with commas between them.", is_repeated=True) for name in FILTERS),
)
"""What lists of kinds that are stored can be asked for besides."""
LIST = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 255}}
TAGS = {"type": "object", "properties": {"tags": LIST}, "required": ["tags"]}
NEW_TAGS = {**TAGS, "properties": {"tags": {**LIST, "uniqueItems": True, "maxItems": MOST_TAGS}}}

READ, WRITE, CHANGE = (403, 404), (400, 403, 404, 409, 413, 503), (400, 403, 404, 409, 412, 413, 503)


def resource_calls(rules: Rules) -> Calls:
    """The calls of one kind."""
    return {
        (path, method): described._replace(group=rules.kind.collection) for path, method, described in _calls(rules)
    }


def computed_calls(rules: computed.Rules) -> Calls:
    """The calls of a kind that is worked out."""
    return {
        (path, method): described._replace(group=rules.kind.collection)
        for path, method, described in _computed_calls(rules)
    }


def _computed_calls(rules: computed.Rules) -> Iterator[tuple[str, str, Described]]:
    kind, path = rules.kind, f"/v2.0/{rules.kind.collection}"
    name, one = kind_of(kind).replace("_", " "), one_schema(kind)
    named = dict.fromkeys((*fields_by_wire(kind), *sorted(rules.further)))
    filters = (*PAGES, *(Parameter(each, f"Only those with this `{each}`.", is_repeated=True) for each in named))
    yield path, "GET", Described(f"List {name} records.", filters, None, 200, many_schema(kind), (400, *READ))
    if rules.show is not None:
        yield f"{path}/{{id}}", "GET", Described(f"Show a {name}.", (FIELDS,), None, 200, one, READ)
    if rules.writing is not None:
        creating = {"anyOf": [one, many_schema(kind)]}
        yield (
            path,
            "POST",
            Described(f"Create one {name}, or several.", (), request_schema(kind, "POST"), 201, creating, WRITE),
        )
        path = f"{path}/{{id}}"
        yield path, "PUT", Described(f"Change a {name}.", (), request_schema(kind, "PUT"), 200, one, WRITE)
        yield path, "DELETE", Described(f"Delete a {name}.", (), None, 204, None, WRITE)


def _calls(rules: Rules) -> Iterator[tuple[str, str, Described]]:
    kind, path = rules.kind, f"/v2.0/{rules.kind.collection}"
    name, one = kind_of(kind).replace("_", " "), one_schema(kind)
    creating = {"anyOf": [one, many_schema(kind)]}
    yield path, "GET", Described(f"List {name} records.", _filters(rules), None, 200, many_schema(kind), (400, *READ))
    yield (
        path,
        "POST",
        Described(f"Create one {name}, or several.", (), request_schema(kind, "POST"), 201, creating, WRITE),
    )
    path = f"{path}/{{id}}"
    yield path, "GET", Described(f"Show a {name}.", (FIELDS,), None, 200, one, READ)
    yield path, "PUT", Described(f"Change a {name}.", (IF_MATCH,), request_schema(kind, "PUT"), 200, one, CHANGE)
    yield path, "DELETE", Described(f"Delete a {name}.", (IF_MATCH,), None, 204, None, CHANGE)
    for action in rules.actions:
        words = action.replace("_", " ").capitalize()
        yield f"{path}/{action}", "PUT", Described(f"{words}.", (IF_MATCH,), ANYTHING, 200, ANYTHING, CHANGE)
    for question in rules.questions:
        words = question.replace("_", " ").capitalize()
        yield f"{path}/{question}", "GET", Described(f"{words}.", (), None, 200, ANYTHING, READ)
    path = f"{path}/tags"
    yield path, "GET", Described("List its tags.", (), None, 200, TAGS, READ)
    yield path, "PUT", Described("Replace its tags.", (IF_MATCH,), NEW_TAGS, 200, TAGS, CHANGE)
    yield path, "POST", Described("Add tags.", (), NEW_TAGS, 201, TAGS, CHANGE)
    yield path, "DELETE", Described("Remove its tags.", (IF_MATCH,), None, 204, None, CHANGE)
    path = f"{path}/{{tag}}"
    yield path, "GET", Described("Whether it has a tag.", (), None, 204, None, (400, *READ))
    yield path, "PUT", Described("Add a tag.", (IF_MATCH,), None, 201, TAGS, CHANGE)
    yield path, "DELETE", Described("Remove a tag.", (IF_MATCH,), None, 204, None, CHANGE)


def _filters(rules: Rules) -> tuple[Parameter, ...]:
    """What lists of a kind are filtered by: all that they show."""
    named = [name for name in fields_by_wire(rules.kind) if name not in FILTERS]
    named += [extra.name for extra in rules.extras]
    return (*PAGES, *STORED, *(Parameter(name, f"Only those with this `{name}`.", is_repeated=True) for name in named))
