"""Who asks for metadata, and what the slice says, or Nova."""

from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from netplane.agent.metadata import ec2, nova, openstack
from netplane.agent.metadata.documents import Tree, list_plainly, list_with_slashes, lookup
from netplane.agent.metadata.facts import Facts, facts_of
from netplane.agent.metadata.http import Request, Response
from netplane.agent.metadata.nova import Nova
from netplane.agent.names.directory import Directory
from netplane.agent.slice import Slice
from netplane.model import Port

READS = ("GET", "HEAD")
OPENSTACK = "openstack"


class MetadataServer:
    """Answers machines; `port_of` tells whose a slot is (`netplane.tables.peers`)."""

    def __init__(
        self, slice: Slice, directory: Directory, port_of: Callable[[int], Port | None], nova: Nova | None
    ) -> None:
        self._slice = slice
        self._directory = directory
        self._port_of = port_of
        self._nova = nova

    async def answer(self, slot: int, request: Request) -> Response:
        """What the machine behind a device hears."""
        port = self._port_of(slot)
        if port is None:
            return Response(404)
        if self._nova is not None:
            address = next((fixed.ip_address for fixed in port.fixed_ips), "")
            return await nova.ask(self._nova, port, address, request)
        if request.method not in READS:
            return Response(405)
        return respond(facts_of(self._slice, self._directory, port), request.target)


def respond(facts: Facts, target: str) -> Response:
    """What stands at a target; 404 if nothing does."""
    path = unquote(urlsplit(target).path)
    first, _, rest = path.strip("/").partition("/")
    if first == OPENSTACK:
        found = lookup(openstack.tree(facts), rest, list_plainly)
    else:
        root: Tree = ec2.tree(facts)
        found = lookup(root, path, list_with_slashes if first else list_plainly)
    if found is None:
        return Response(404, b"not found")
    return Response(200, found, "application/json" if path.endswith(".json") else "text/plain; charset=utf-8")
