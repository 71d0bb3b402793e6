"""Address scopes: pools whose addresses mean one thing, so that networks of one scope may be routed as they are."""

from collections.abc import Iterable
from typing import Annotated, ClassVar

from netplane.model.record import Claim, describe
from netplane.model.resource import Resource


class AddressScope(Resource, frozen=True, kw_only=True, gc=False, tag="address_scope"):
    """Subnet pools that do not overlap. It stays while a pool is in it."""

    collection: ClassVar[str] = "address-scopes"

    ip_version: Annotated[int, describe("4 or 6: that of its pools.", create=True)]
    shared: Annotated[
        bool, describe("Whether all projects may put pools into it; for good.", create=True, update=True)
    ] = False

    def claims(self) -> Iterable[Claim]:
        """Being there for all."""
        return (Claim(f"shared-{self.collection}", self.id),) if self.shared else ()
