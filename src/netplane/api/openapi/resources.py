"""The calls that every kind has, and its own actions and questions."""

from collections.abc import Iterable, Iterator

from netplane.api import computed
from netplane.api.fields import fields_by_wire
from netplane.api.openapi.described import ANYTHING, Calls, Described, Parameter
from netplane.api.openapi.schemas import many_schema, one_schema, request_schema
from netplane.api.rules.kind import Rules
from netplane.api.tags import FILTERS
from netplane.model import Record, kind_of
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


Call = tuple[str, str, Described]
"""Path, method and what they do."""


def resource_calls(rules: Rules) -> Calls:
    """The calls of one kind."""
    calls = (
        *_listing(rules.kind, _filters(rules)),
        *_showing(rules.kind),
        *_writing(rules.kind, (IF_MATCH,), CHANGE),
        *_particular(rules),
        *_tagging(rules.kind),
    )
    return _grouped(rules.kind, calls)


def computed_calls(rules: computed.Rules) -> Calls:
    """The calls of a kind that is worked out: it has no tags and no actions, and may be neither shown nor written."""
    names = dict.fromkeys((*fields_by_wire(rules.kind), *sorted(rules.further)))
    calls = (
        *_listing(rules.kind, (*PAGES, *_filtering(names))),
        *(_showing(rules.kind) if rules.show is not None else ()),
        *(_writing(rules.kind, (), WRITE) if rules.writing is not None else ()),
    )
    return _grouped(rules.kind, calls)


def _grouped(kind: type[Record], calls: Iterable[Call]) -> Calls:
    return {(path, method): described._replace(group=kind.collection) for path, method, described in calls}


def _listing(kind: type[Record], filters: tuple[Parameter, ...]) -> Iterator[Call]:
    yield (
        _all(kind),
        "GET",
        Described(f"List {_name(kind)} records.", filters, None, 200, many_schema(kind), (400, *READ)),
    )


def _showing(kind: type[Record]) -> Iterator[Call]:
    yield _one(kind), "GET", Described(f"Show a {_name(kind)}.", (FIELDS,), None, 200, one_schema(kind), READ)


def _writing(kind: type[Record], conditions: tuple[Parameter, ...], refusals: tuple[int, ...]) -> Iterator[Call]:
    """Changes and deletes take the conditions, and have the refusals."""
    name, one, asked = _name(kind), one_schema(kind), request_schema(kind, "POST")
    made = {"anyOf": [one, many_schema(kind)]}
    yield _all(kind), "POST", Described(f"Create one {name}, or several.", (), asked, 201, made, WRITE)
    asked = request_schema(kind, "PUT")
    yield _one(kind), "PUT", Described(f"Change a {name}.", conditions, asked, 200, one, refusals)
    yield _one(kind), "DELETE", Described(f"Delete a {name}.", conditions, None, 204, None, refusals)


def _particular(rules: Rules) -> Iterator[Call]:
    path = _one(rules.kind)
    for action in rules.actions:
        words = action.replace("_", " ").capitalize()
        yield f"{path}/{action}", "PUT", Described(f"{words}.", (IF_MATCH,), ANYTHING, 200, ANYTHING, CHANGE)
    for question in rules.questions:
        words = question.replace("_", " ").capitalize()
        yield f"{path}/{question}", "GET", Described(f"{words}.", (), None, 200, ANYTHING, READ)


def _tagging(kind: type[Record]) -> Iterator[Call]:
    path = f"{_one(kind)}/tags"
    yield path, "GET", Described("List its tags.", (), None, 200, TAGS, READ)
    yield path, "PUT", Described("Replace its tags.", (IF_MATCH,), NEW_TAGS, 200, TAGS, CHANGE)
    yield path, "POST", Described("Add tags.", (), NEW_TAGS, 201, TAGS, CHANGE)
    yield path, "DELETE", Described("Remove its tags.", (IF_MATCH,), None, 204, None, CHANGE)
    path = f"{path}/{{tag}}"
    yield path, "GET", Described("Whether it has a tag.", (), None, 204, None, (400, *READ))
    yield path, "PUT", Described("Add a tag.", (IF_MATCH,), None, 201, TAGS, CHANGE)
    yield path, "DELETE", Described("Remove a tag.", (IF_MATCH,), None, 204, None, CHANGE)


def _name(kind: type[Record]) -> str:
    return kind_of(kind).replace("_", " ")


def _all(kind: type[Record]) -> str:
    return f"/v2.0/{kind.collection}"


def _one(kind: type[Record]) -> str:
    return f"{_all(kind)}/{{id}}"


def _filters(rules: Rules) -> tuple[Parameter, ...]:
    """What lists of a kind are filtered by: all that they show."""
    names = [name for name in fields_by_wire(rules.kind) if name not in FILTERS]
    return (*PAGES, *STORED, *_filtering([*names, *(extra.name for extra in rules.extras)]))


def _filtering(names: Iterable[str]) -> Iterator[Parameter]:
    return (Parameter(name, f"Only those with this `{name}`.", is_repeated=True) for name in names)
