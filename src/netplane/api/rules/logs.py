"""Logging of decisions: what can be asked for. A tenant may log what he may see, an administrator everything."""

from collections.abc import Sequence

from msgspec.structs import replace

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.errors import ApiError, conflict, invalid
from netplane.api.ids import new_id
from netplane.api.policy import may
from netplane.api.rules.kind import Rules, Services, simply_delete
from netplane.api.views import View
from netplane.model import LogResource, Port, SecurityGroup
from netplane.model.log import EVENTS, LOGGABLE
from netplane.store import Reader, Transaction


def create(transaction: Transaction, context: Context, wish: Wish) -> LogResource:
    """A wish that can be fulfilled: its group and its port are there, and the port is in the group."""
    if wish["resource_type"] not in LOGGABLE:
        text = f"Invalid log resource_type: {wish['resource_type']}. What can be logged is: {', '.join(LOGGABLE)}."
        raise ApiError(400, "InvalidLogResourceType", text)
    if wish.get("event", "ALL") not in EVENTS:
        raise invalid(f"event '{wish['event']}' is not one of {', '.join(EVENTS)}")
    _check_group(transaction, context, wish.get("resource_id"))
    _check_port(transaction, context, wish)
    return transaction.add(LogResource(id=new_id(), **wish))


def update(transaction: Transaction, _context: Context, log: LogResource, wish: Wish) -> LogResource:
    """What people read, and whether it is on; for anything else make another."""
    return transaction.put(replace(log, **wish))


def show(_reader: Reader, _services: Services, _context: Context, logs: Sequence[LogResource]) -> list[View]:
    """Nothing besides."""
    return [{} for _ in logs]


def _check_group(transaction: Transaction, context: Context, id: str | None) -> None:
    group = None if id is None else transaction.get(SecurityGroup, id)
    if id is not None and (group is None or not may(transaction, context, "log", group)):
        raise ApiError(404, "ResourceNotFound", f"Resource {id} could not be found.")


def _check_port(transaction: Transaction, context: Context, wish: Wish) -> None:
    id, group = wish.get("target_id"), wish.get("resource_id")
    if id is None:
        return
    port = transaction.get(Port, id)
    if port is None or not may(transaction, context, "log", port):
        raise ApiError(404, "TargetResourceNotFound", f"Target resource {id} could not be found.")
    if port.is_router_interface:
        text = f"Logging type {wish['resource_type']} is not supported on port {id}."
        raise conflict("LoggingTypeNotSupported", text)
    if group is not None and group not in port.security_groups:
        text = (
            f"Invalid resource constraint between resource ({wish['resource_type']} {group}) "
            f"and target resource (port {id})."
        )
        raise ApiError(400, "InvalidResourceConstraint", text)


LOGS = Rules(LogResource, create, update, simply_delete, (), show, indexed=())
