"""Address groups: named lists of ranges, which rules of security groups speak of as one."""

from typing import Annotated, ClassVar

from netplane.model.record import describe
from netplane.model.resource import Resource

ADDRESS_LIMIT = 4096
"""Every rule that names a group costs its identities entries for each address."""


class AddressGroup(Resource, frozen=True, kw_only=True, gc=False, tag="address_group"):
    """Ranges of addresses under one name. It cannot go while a rule names it."""

    collection: ClassVar[str] = "address-groups"

    addresses: Annotated[
        tuple[str, ...],
        describe(
            "Ranges as network/length, IPv4 and IPv6, sorted, each once; later changed by `add_addresses` and "
            "`remove_addresses`.",
            create=True,
            max_length=ADDRESS_LIMIT,
        ),
    ] = ()
