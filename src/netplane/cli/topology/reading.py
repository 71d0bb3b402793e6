"""What there is, as far as a document is concerned with it."""

from netplane.cli.client import Client
from netplane.cli.kinds import kinds
from netplane.cli.resources import list_resources
from netplane.cli.topology.document import Document
from netplane.cli.topology.names import Name
from netplane.cli.topology.parts import PARTS, Item
from netplane.cli.topology.planning import Found, View
from netplane.model import ROUTER_INTERFACE


def read_project(client: Client) -> str:
    """The caller's project."""
    project: str = client.get("/netplane/v1/caller")["project_id"]
    return project


def read_found(client: Client, document: Document, *, prune: bool) -> Found:
    """The resources of the kinds that the document has, by project; with `prune` also what it once made of others."""
    project = document.project or read_project(client)
    named = {wanted.kind.name for wanted in document.wanted}
    part_kinds = {part.kind for parts in PARTS.values() for part in parts.values()}
    views: dict[str, list[View]] = {}
    for name, kind in kinds().items():
        if name in named:
            views[name] = list_resources(client, kind, project_id=project)
        elif prune and name not in part_kinds:
            views[name] = list_resources(client, kind, project_id=project, tags=document.tag)
    elsewhere = {name: id for name in document.names_elsewhere() if (id := _look_up(client, name))}
    return Found(views, _read_interfaces(client, views.get("router", [])), elsewhere)


def _look_up(client: Client, name: Name) -> str | None:
    """The id of something that the document does not make: the caller's own, or lent to it."""
    views = list_resources(client, kinds()[name.kind], name=name.name)
    return views[0]["id"] if len(views) == 1 else None


def _read_interfaces(client: Client, routers: list[View]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for router in routers:
        ports = list_resources(client, kinds()["port"], device_id=router["id"], device_owner=ROUTER_INTERFACE)
        found[router["id"]] = [
            {"subnet_id": fixed["subnet_id"], "port_id": port["id"]} for port in ports for fixed in port["fixed_ips"]
        ]
    return found
