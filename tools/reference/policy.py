"""Who may see and do what: the table of the API's policy, kind by kind."""

from collections.abc import Iterator, Mapping

from netplane.api.personas import Persona
from netplane.api.policy.table import ASKED, CALLS, TABLE
from netplane.model import Record, kind_of
from tools.reference.markdown import member_texts, page_of, table_of

INTRODUCTION = """What one may not see is not found (404). What one sees, but may not do, is forbidden (403), and the
answer names the line of this page. A line `action:field` is about one field besides its action: who may give it, or
who sees it. Lists hold what one sees, and can neither be filtered nor sorted by a field that one does not see.

Roles bring along others: `admin` is a `manager`, a `manager` a `member`, a `member` a `reader`. The personas:"""

AFTER = """`POST` of a resource for another project takes a persona that is not bound to a project (`admin`,
`service`). What follows are the kinds; a field that has no line needs nothing more than its action."""

CALLS_TEXT = """## Calls about no resource

netplane's own, and quotas. Of `audit`, `watch`, `decisions` and `get_quota`, those of all projects: each sees its own
anyway. `host_names` is about hosts in the answers of other calls; what those tell of a port goes by whose it is."""

NAMES: Mapping[str, str] = {persona.name or "": (persona.name or "").lower().replace("_", " ") for persona in Persona}


def page() -> str:
    """The page."""
    texts = member_texts(Persona)
    personas = table_of(("persona", "who that is"), ((NAMES[name], text) for name, text in texts.items()))
    kinds = (part for kind, lines in TABLE.items() for part in _section(kind, lines))
    return page_of("Policy", INTRODUCTION, personas, AFTER, *kinds, CALLS_TEXT, _table(CALLS))


def _section(kind: type[Record], lines: Mapping[str, Persona]) -> Iterator[str]:
    yield f"## {kind_of(kind)}"
    yield _table(lines)


def _table(lines: Mapping[str, Persona]) -> str:
    return table_of(("line", "who"), ((_line(line), _who(personas)) for line, personas in lines.items()))


def _line(line: str) -> str:
    return f"`{line}` ({ASKED[line]})" if line in ASKED else f"`{line}`"


def _who(personas: Persona) -> str:
    return ", ".join(NAMES[persona.name or ""] for persona in Persona if persona in personas)
