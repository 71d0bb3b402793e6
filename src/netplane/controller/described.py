"""What the API's description says of netplane's own calls."""

from typing import Any

from msgspec import Struct
from msgspec.json import schema_components

from netplane.api.openapi import Calls, Described, Parameter
from netplane.api.openapi.described import ANYTHING
from netplane.controller.audit import PARAMETERS as AUDITED
from netplane.controller.inventory import BINDING, HOST, REVISION
from netplane.controller.joining import ENROLMENT, TOKEN, TokenWish
from netplane.trust.joining import Wish

NUMBER = {"type": "integer", "minimum": 1}


def _listed(name: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "array", "items": ANYTHING}}, "required": [name]}


def _body(wish: type[Struct]) -> dict[str, Any]:
    """The schema of a body without parts of other types."""
    _, found = schema_components([wish])
    return dict(found[wish.__name__])


def _filters(*names: str) -> tuple[Parameter, ...]:
    return tuple(Parameter(name, f"Only those with this `{name}`.", is_repeated=True) for name in names)


PAGES = (
    Parameter("limit", "How many at most.", {"type": "integer", "minimum": 0}),
    Parameter("marker", "The key of the last one of the page before."),
)
ASKED = (
    Parameter("port", "Only decisions at this port."),
    Parameter("event", "ACCEPT or DROP.", {"enum": ["ACCEPT", "DROP"]}),
    Parameter("direction", "ingress or egress.", {"enum": ["ingress", "egress"]}),
    Parameter("after", "The `last` of an answer.", {"type": "integer", "minimum": 0}),
    Parameter("limit", "How many at most.", NUMBER),
    Parameter("explain", "Whether to say why packets were dropped.", {"type": "boolean"}),
)
TRACED = {
    "type": "object",
    "properties": {"port_id": {"type": "string"}, "packet": {"type": "string", "description": "Hexadecimal."}},
    "required": ["port_id", "packet"],
    "additionalProperties": False,
}
JOINED = _body(Wish)
TOKEN_WISH = _body(TokenWish)
WATCHED = (
    Parameter("kind", "Only this kind.", is_repeated=True),
    Parameter("project_id", "Only what belongs to this project."),
    Parameter("since", "The revision to go on from.", {"type": "integer", "minimum": 0}),
    Parameter("Last-Event-ID", "The same, as browsers say it.", place="header"),
)
WAIT = Parameter(
    "wait", "Seconds to wait until it is real everywhere.", {"type": "number", "minimum": 0, "maximum": 60}
)

CALLS: Calls = {
    (f"/netplane/v1/{path}", method): described
    for (path, method), described in {
        ("status", "GET"): Described("The controller, its hosts and problems.", refusals=(403,)),
        ("problems", "GET"): Described(
            "What is wrong.", _filters("host", "kind", "id", "text"), answer=_listed("problems"), refusals=(400, 403)
        ),
        ("hosts", "GET"): Described("Hosts.", (*_filters(*HOST), *PAGES), answer=_listed("hosts")),
        ("hosts/{name}", "GET"): Described("One host."),
        ("hosts/{name}/tables", "GET"): Described(
            "The entries in a host's kernel.", refusals=(400, 403, 404, 502, 503)
        ),
        ("bindings", "GET"): Described(
            "Which host carries which port.", (*_filters(*BINDING), *PAGES), answer=_listed("bindings")
        ),
        ("revisions", "GET"): Described(
            "Where the youngest revisions are real.", (*_filters(*REVISION), *PAGES), answer=_listed("revisions")
        ),
        ("revisions/{revision}", "GET"): Described("Where a revision is real, and since when.", (WAIT,)),
        ("audit", "GET"): Described(
            "Who wrote what.",
            tuple(Parameter(name, f"Only `{name}`.") for name in AUDITED),
            answer=_listed("audit"),
            refusals=(400, 403),
        ),
        ("decisions", "GET"): Described("What was decided about packets.", ASKED, answer=_listed("decisions")),
        ("trace", "POST"): Described(
            "What becomes of a packet of a port.", body=TRACED, refusals=(400, 403, 404, 409, 413, 502, 503)
        ),
        ("authority", "GET"): Described("The certificate of the hosts' authority.", refusals=(), is_open=True),
        ("join", "POST"): Described("Let a host in.", body=JOINED, refusals=(400, 403, 409, 413), is_open=True),
        ("join-tokens", "GET"): Described("Join tokens.", _filters(*TOKEN) + PAGES, answer=_listed("join_tokens")),
        ("join-tokens", "POST"): Described("Make a join token.", body=TOKEN_WISH, refusals=(400, 403, 404, 409, 413)),
        ("join-tokens/{id}", "DELETE"): Described(
            "Take a join token back.", status=204, answer=None, refusals=(403, 404, 409)
        ),
        ("enrolments", "GET"): Described(
            "Which hosts are in.", _filters(*ENROLMENT) + PAGES, answer=_listed("enrolments")
        ),
        ("hosts/{name}", "DELETE"): Described(
            "Put a host out and forget it.", status=204, answer=None, refusals=(403, 404, 409)
        ),
        ("hosts/{name}/enrolment", "DELETE"): Described(
            "Put a host out.", status=204, answer=None, refusals=(403, 404, 409)
        ),
        ("watch", "GET"): Described(
            "What changes, as it happens.",
            WATCHED,
            answer={"type": "string"},
            refusals=(400, 403, 410, 503),
            media="text/event-stream",
        ),
    }.items()
}
