"""What is logged at a port: all wishes that are about it, as one record for the host that carries it."""

from collections.abc import Iterable

from netplane.model import Logged, LogResource, Port


def covers(log: LogResource, port: Port) -> bool:
    """Whether a wish is about a port: it names it, or a group that it is in, or nothing but its project."""
    if not log.enabled or port.is_router_interface:
        return False
    if log.target_id is None and log.resource_id is None:
        return log.project_id == port.project_id
    return log.target_id in (None, port.id) and (log.resource_id is None or log.resource_id in port.security_groups)


def logged(port: Port, logs: Iterable[LogResource]) -> Logged | None:
    """What some wishes come to at a port; None for nothing."""
    about = [log for log in logs if covers(log, port)]
    groups = {
        group
        for log in about
        if log.accepts
        for group in (port.security_groups if log.resource_id is None else (log.resource_id,))
    }
    if not about:
        return None
    return Logged(id=port.id, drops=any(log.drops for log in about), accepts=tuple(sorted(groups)))
