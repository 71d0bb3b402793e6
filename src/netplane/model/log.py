"""What is logged of the decisions about connections: what clients ask for, and what comes of it for a port."""

from collections.abc import Iterable
from typing import Annotated, ClassVar

from netplane.model.record import OnDelete, Record, Reference, describe
from netplane.model.resource import Resource

SECURITY_GROUP = "security_group"
LOGGABLE = (SECURITY_GROUP,)
"""What `resource_type` can be."""

ALL, ACCEPT, DROP = "ALL", "ACCEPT", "DROP"
EVENTS = (ACCEPT, DROP, ALL)


class LogResource(Resource, frozen=True, kw_only=True, gc=False, tag="log"):
    """A wish to have decisions logged: of one port, of the ports of one security group, or of a whole project."""

    collection: ClassVar[str] = "log/logs"

    resource_type: Annotated[str, describe("What decides: `security_group`.", create=True, max_length=255)]
    resource_id: Annotated[
        str | None, describe("The security group whose ports and rules it is about; null for any.", create=True)
    ] = None
    target_id: Annotated[str | None, describe("The port that it is about; null for any.", create=True)] = None
    event: Annotated[
        str, describe("`ACCEPT` (connections let pass), `DROP` (packets dropped) or `ALL`.", create=True)
    ] = ALL
    enabled: Annotated[bool, describe("Whether anything is logged by it.", create=True, update=True)] = True

    def references(self) -> Iterable[Reference]:
        """Its group and its port, with either of which it goes."""
        if self.resource_id is not None:
            yield Reference("resource_id", self.resource_type, self.resource_id, OnDelete.CASCADE)
        if self.target_id is not None:
            yield Reference("target_id", "port", self.target_id, OnDelete.CASCADE)

    @property
    def drops(self) -> bool:
        """Whether it asks for packets that are dropped."""
        return self.event in (DROP, ALL)

    @property
    def accepts(self) -> bool:
        """Whether it asks for connections that are let pass."""
        return self.event in (ACCEPT, ALL)


class Logged(Record, frozen=True, kw_only=True, gc=False, tag="logged"):
    """What is logged at a port, all wishes together. Its id is the port's id; the host that carries the port has it."""

    drops: Annotated[bool, describe("Whether packets that are dropped are.")]
    accepts: Annotated[tuple[str, ...], describe("The groups by whose rules connections let pass are, sorted.")]
