"""What shall be written down of decisions, by whose wish: OpenStack Networking's log resources."""

from netplane.model import LogResource, Port
from netplane.verify.world import World


def covers(log: LogResource, port: Port) -> bool:
    """Whether a log is about a port: by its name, by a group that it is in, or by its project if it says neither."""
    if log.target_id is not None and log.target_id != port.id:
        return False
    if log.resource_id is not None:
        return log.resource_id in port.security_groups
    return log.target_id is not None or log.project_id == port.project_id


def is_noted(world: World, port: Port, event: str) -> bool:
    """Whether `ACCEPT` (connections let pass) or `DROP` (packets dropped) decisions about a port are written down.

    Where nothing is judged, nothing is let pass.
    """
    if event == "ACCEPT" and not port.port_security_enabled:
        return False
    return any(log.enabled and log.event in ("ALL", event) and covers(log, port) for log in world.all(LogResource))
