"""Subnet pools: ranges of addresses that subnets are cut from, so that no two of them overlap."""

from collections.abc import Iterable
from typing import Annotated, ClassVar

from msgspec import Meta

from netplane.model.prefixes import prefix_claim, scope_space
from netplane.model.quota import MOST
from netplane.model.record import Claim, Reference, describe
from netplane.model.resource import Resource

PREFIX_LIMIT = 1024
"""Ranges that a pool may be made of."""

PrefixLength = Annotated[int, Meta(ge=0, le=128)]


DEFAULT_POOL = "default-subnetpool"
"""The space in which IP versions are claimed by their default pools."""


class SubnetPool(Resource, frozen=True, kw_only=True, gc=False, tag="subnetpool"):
    """Ranges that subnets are cut from. It stays while a subnet is one of its pieces."""

    collection: ClassVar[str] = "subnetpools"

    prefixes: Annotated[
        tuple[str, ...],
        describe(
            "The ranges, as network/length, all of one IP version; neighbours are joined. An update may only add; see "
            "also `add_prefixes` and `remove_prefixes`.",
            create=True,
            update=True,
            max_length=PREFIX_LIMIT,
        ),
    ]
    ip_version: Annotated[int, describe("4 or 6: that of its prefixes.")]
    default_prefixlen: Annotated[
        PrefixLength,
        describe(
            "The prefix length of subnets that ask for none; the smallest allowed by default.", create=True, update=True
        ),
    ]
    min_prefixlen: Annotated[
        PrefixLength,
        describe("The shortest prefix that may be asked for; 8 by default, 64 in IPv6.", create=True, update=True),
    ]
    max_prefixlen: Annotated[
        PrefixLength,
        describe("The longest prefix that may be asked for; 32 by default, 128 in IPv6.", create=True, update=True),
    ]
    default_quota: Annotated[
        Annotated[int, Meta(ge=0, le=MOST)] | None,
        describe(
            "How much each project may cut from it, in addresses, in IPv6 in ranges of /64; null or 0 for no limit.",
            create=True,
            update=True,
        ),
    ] = None
    is_default: Annotated[
        bool,
        describe(
            "Whether it serves subnets that ask for the default pool of its IP version.", create=True, update=True
        ),
    ] = False
    shared: Annotated[bool, describe("Whether all projects may use it.", create=True)] = False
    address_scope_id: Annotated[
        str | None, describe("The address scope that it is in; null for none.", create=True, update=True)
    ] = None

    def references(self) -> Iterable[Reference]:
        """Its scope, which stays for it."""
        return (
            ()
            if self.address_scope_id is None
            else (Reference("address_scope_id", "address_scope", self.address_scope_id),)
        )

    def claims(self) -> Iterable[Claim]:
        """Being the default pool of its IP version, being there for all, and its ranges in its scope."""
        if self.is_default:
            yield Claim(DEFAULT_POOL, str(self.ip_version))
        if self.shared:
            yield Claim(f"shared-{self.collection}", self.id)
        if self.address_scope_id is not None:
            for prefix in self.prefixes:
                yield Claim(scope_space(self.address_scope_id), prefix_claim(prefix))
