"""Agents: hosts as OpenStack Networking's clients know them, and what operators say of them."""

from collections.abc import Iterable
from typing import Annotated, ClassVar
from uuid import UUID, uuid5

from netplane.model.record import OnDelete, Reference, describe
from netplane.model.resource import Resource

DEFAULT_ZONE = "nova"
"""The availability zone of hosts that nobody has put into another, as in OpenStack Networking."""

NAMESPACE = UUID("3d5c1c4e-6a52-4b57-9d0c-6e6574706c61")

ZoneHints = Annotated[
    tuple[str, ...],
    describe("Availability zones that it was asked for; kept for clients: hosts of all zones serve it.", create=True),
]


class Agent(Resource, frozen=True, kw_only=True, gc=False, tag="agent"):
    """A host's agent. It comes with the host's first session and goes with the host; it belongs to no project."""

    collection: ClassVar[str] = "agents"
    is_owned: ClassVar[bool] = False

    host: Annotated[str, describe("The host's name.")]
    availability_zone: Annotated[
        str, describe("The availability zone that the host is in.", update=True, min_length=1, max_length=255)
    ] = DEFAULT_ZONE
    admin_state_up: Annotated[
        bool, describe("Kept for clients; what the host carries it goes on carrying.", update=True)
    ] = True

    def references(self) -> Iterable[Reference]:
        """Its host, with which it goes."""
        return (Reference("host", "host", self.host, OnDelete.CASCADE),)


def agent_id(host: str) -> str:
    """The id of a host's agent."""
    return str(uuid5(NAMESPACE, host))
