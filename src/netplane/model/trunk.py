"""Trunks: ports that reach machines through another port's device, each under a VLAN tag of its own."""

from collections.abc import Iterable
from typing import Annotated, ClassVar

from netplane.model.port import TRUNK_PORTS
from netplane.model.record import Claim, Reference, describe
from netplane.model.resource import Resource


class Trunk(Resource, frozen=True, kw_only=True, gc=False, tag="trunk"):
    """A port that carries others, its subports; the parent's own record says which, since its host must know."""

    collection: ClassVar[str] = "trunks"

    port_id: Annotated[str, describe("The parent: the port whose frames have no tag.", create=True)]
    admin_state_up: Annotated[
        bool, describe("Whether the trunk may be changed and deleted; its packets go on.", create=True, update=True)
    ] = True

    def references(self) -> Iterable[Reference]:
        """Its parent, which stays while the trunk does."""
        return (Reference("port_id", "port", self.port_id),)

    def claims(self) -> Iterable[Claim]:
        """Its parent: a port is in one trunk only."""
        return (Claim(TRUNK_PORTS, self.port_id),)
