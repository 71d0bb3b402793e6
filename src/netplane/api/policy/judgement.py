"""Whether a caller may do what it asks, by the table.

What one may not see is not found (404); what one sees but may not do is forbidden (403). Whose a resource is, and what
the caller's roles are, is at hand; only where that does not suffice is the store asked whose its network is, or whether
it is shared.
"""

from typing import Any, TypeVar

from netplane.api.context import Context
from netplane.api.errors import ApiError, bad_request, forbidden, not_found
from netplane.api.personas import Persona
from netplane.api.policy.compiled import compiled, hidden
from netplane.api.policy.sharing import Look, is_lent, owns_network
from netplane.api.policy.table import CALLS, FREE
from netplane.model import Network, Record, kind_of
from netplane.model.resource import Resource

R = TypeVar("R", bound=Resource)

ON_NETWORKS = int(Persona.NET_MEMBER | Persona.NET_READER)
SHARED = int(Persona.SHARER)


def may(look: Look, context: Context, action: str, record: Resource) -> bool:
    """Whether a caller may do something to a resource."""
    personas = compiled(type(record)).lines[action]
    standing = context.standing
    if personas & standing.everywhere:
        return True
    if record.project_id == context.project:
        return bool(personas & standing.own)
    if personas & standing.network and owns_network(look, context, record):
        return True
    return bool(personas & standing.shared) and is_lent(look, context, record)


def sees(look: Look, context: Context, record: Resource) -> bool:
    """Whether a resource exists for a caller."""
    return may(look, context, "show", record)


def sees_all(context: Context, kind: type[Record]) -> bool:
    """Whether a caller sees every resource of a kind."""
    return bool(compiled(kind).lines["show"] & context.standing.everywhere)


def sees_own(context: Context, kind: type[Resource]) -> bool:
    """Whether a caller sees those of its project."""
    return bool(compiled(kind).lines["show"] & context.standing.own)


def sees_shared(context: Context, kind: type[Resource]) -> bool:
    """Whether a caller may see some of other projects, without seeing all."""
    standing = context.standing
    return bool(compiled(kind).lines["show"] & (standing.network | standing.shared))


def unseen(context: Context, record: Record) -> frozenset[str]:
    """The fields, by the names that clients use, that a caller does not see of a record that it sees."""
    standing = context.standing
    is_own = getattr(record, "project_id", None) == context.project
    return hidden(type(record), standing.everywhere | standing.own if is_own else standing.everywhere)


def never_seen(context: Context, kind: type[Record]) -> frozenset[str]:
    """Those that it sees of no record of a kind."""
    return hidden(kind, context.standing.everywhere | context.standing.own)


def visible(look: Look, context: Context, kind: type[R], id: str) -> R:
    """The resource with this id; 404 if there is none for this caller."""
    record = look.get(kind, id)
    if record is None or not sees(look, context, record):
        raise not_found(kind, id)
    return record


def allowed(look: Look, context: Context, action: str, kind: type[R], id: str) -> R:
    """The same, to do something to it; 403 if the caller may not."""
    record = visible(look, context, kind, id)
    if not may(look, context, action, record):
        raise refused(kind, action)
    return record


def check_create(look: Look, context: Context, kind: type[Resource], wish: dict[str, Any]) -> None:
    """Whose a new resource becomes, and whether the caller may make it with what it gives."""
    table, standing = compiled(kind), context.standing
    project = wish.setdefault("project_id", context.project)
    personas = table.lines["create"]
    if not personas & standing.everywhere:
        if not personas & (standing.own | standing.network):
            raise refused(kind, "create")
        if project != context.project:
            text = "Specifying a 'project_id' other than the authenticated project requires admin privileges"
            raise bad_request(text)
        if not personas & standing.own and not _may_on_network(look, context, personas, wish):
            raise refused(kind, "create")
    elif not project:
        raise bad_request("A 'project_id' must be specified with a token that is for no project")
    for field in table.given["create"].keys() & wish.keys():
        if field not in FREE or wish[field] != FREE[field]:
            check_given(look, context, kind, "create", field, wish)


def check_update(look: Look, context: Context, before: Resource, wish: dict[str, Any]) -> None:
    """Whether a caller who may update a resource may give it what it gives."""
    kind = type(before)
    for field in compiled(kind).given["update"].keys() & wish.keys():
        check_given(look, context, kind, "update", field, before)


def check_given(
    look: Look, context: Context, kind: type[Resource], verb: str, field: str, of: Resource | dict[str, Any]
) -> None:
    """403 if a caller may not give a field, or do what a line of the table names, to a resource that it may write.

    `of` is the resource as it is, or the wish for a new one.
    """
    personas = compiled(kind).given[verb][field]
    standing = context.standing
    if personas & standing.everywhere:
        return
    is_own = isinstance(of, dict) or of.project_id == context.project
    if is_own and personas & standing.own:
        return
    if not _may_on_network(look, context, personas, of):
        raise refused(kind, verb, field)


def check_everywhere(context: Context, kind: type[Record], action: str) -> None:
    """403 if a caller may not do something to all of a kind, whoever has what it is about."""
    if not compiled(kind).lines[action] & context.standing.everywhere:
        raise refused(kind, action)


def check_call(context: Context, call: str) -> None:
    """403 if a caller may not make one of netplane's own calls."""
    if not may_call(context, call):
        raise forbidden(f"rule:{call} is disallowed by policy")


def may_call(context: Context, call: str) -> bool:
    """Whether it may."""
    return bool(CALLS[call] & context.standing.everywhere)


def refused(kind: type[Record], action: str, field: str = "") -> ApiError:
    """403 by the name that OpenStack Networking gives the rule, such as `create_port:mac_address`."""
    rule = f"{action}_{kind_of(kind)}" if action in ("create", "update", "delete") else action
    return forbidden(f"rule:{rule}{field and ':'}{field} is disallowed by policy")


def _may_on_network(look: Look, context: Context, personas: int, of: Resource | dict[str, Any]) -> bool:
    """Whether the caller's project owns the network that something is on, or shall be; 404 if it does not see that."""
    if not personas & context.standing.network:
        return False
    id = of["network_id"] if isinstance(of, dict) else getattr(of, "network_id", "")
    network = look.get(Network, id) if not isinstance(of, dict) else visible(look, context, Network, id)
    return network is not None and network.project_id == context.project
