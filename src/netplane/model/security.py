"""Security groups, their rules, and identities: the distinct sets of groups that ports are in."""

from collections.abc import Iterable
from typing import Annotated, ClassVar
from uuid import UUID, uuid5

from msgspec import Meta

from netplane.base.protocols import protocol_number
from netplane.model.record import Claim, OnDelete, Record, Reference, describe
from netplane.model.resource import Resource

ProtocolText = Annotated[str, Meta(max_length=40)]
PortNumber = Annotated[int, Meta(ge=0, le=65535)]

EVERYWHERE = ("0.0.0.0/0", "::/0")

CASCADE = OnDelete.CASCADE
"""An enumeration takes as long to say what it holds as all the rest of a reference, and rules are many."""

IDENTITY_NAMESPACE = UUID("6f1f3a0e-5c39-4f0e-9d64-6e6574706c61")


class SecurityGroup(Resource, frozen=True, kw_only=True, gc=False, tag="security_group"):
    """A named set of rules; everything that no rule allows is dropped."""

    collection: ClassVar[str] = "security-groups"

    stateful: Annotated[
        bool,
        describe(
            "Whether replies pass without a rule of their own; unchangeable while a port is in the group.",
            create=True,
            update=True,
        ),
    ] = True

    def claims(self) -> Iterable[Claim]:
        """The name `default`, once a project."""
        return (Claim("default-group", self.project_id),) if self.name == "default" else ()


class Terms(Resource, frozen=True, kw_only=True, gc=False):
    """What one direction of new connections may look like."""

    direction: Annotated[str, describe("`ingress` (to the machine) or `egress` (from it).", create=True)]
    ethertype: Annotated[str, describe("`IPv4` or `IPv6`.", create=True)] = "IPv4"
    protocol: Annotated[ProtocolText | None, describe("A protocol's name or number; null for any.", create=True)] = None
    port_range_min: Annotated[
        PortNumber | None, describe("First destination port, or ICMP type; null for any.", create=True)
    ] = None
    port_range_max: Annotated[
        PortNumber | None, describe("Last destination port, or ICMP code; null for any.", create=True)
    ] = None
    remote_ip_prefix: Annotated[
        str | None, describe("The range the other side lies in; null for any.", create=True)
    ] = None
    remote_group_id: Annotated[str | None, describe("The group the other side is in; null for any.", create=True)] = (
        None
    )
    remote_address_group_id: Annotated[
        str | None, describe("The address group the other side's address lies in; null for any.", create=True)
    ] = None

    @property
    def meaning(self) -> str:
        """What it says, the same in whatever words."""
        says = (
            self.direction,
            self.ethertype,
            _protocol_meant(self.protocol),
            self.port_range_min,
            self.port_range_max,
            None if self.remote_ip_prefix in EVERYWHERE else self.remote_ip_prefix,
            self.remote_group_id,
            self.remote_address_group_id,
        )
        return "|".join("" if value is None else str(value) for value in says)


class SecurityGroupRule(Terms, frozen=True, kw_only=True, gc=False, tag="security_group_rule"):
    """A rule of a group: what it lets begin."""

    collection: ClassVar[str] = "security-group-rules"

    security_group_id: Annotated[str, describe("The group the rule belongs to.", create=True)]

    def revises(self) -> tuple[str, str]:
        """Its group."""
        return "security_group", self.security_group_id

    def references(self) -> Iterable[Reference]:
        """Its group and the remote group, with either of which it goes, and the address group, which stays for it."""
        yield Reference("security_group_id", "security_group", self.security_group_id, CASCADE)
        if self.remote_group_id is not None:
            yield Reference("remote_group_id", "security_group", self.remote_group_id, CASCADE)
        if self.remote_address_group_id is not None:
            yield Reference("remote_address_group_id", "address_group", self.remote_address_group_id)

    def claims(self) -> Iterable[Claim]:
        """What it says, once in its group, in whatever words."""
        return (Claim(f"rule:{self.security_group_id}", self.meaning),)


class Identity(Record, frozen=True, kw_only=True, gc=False, tag="identity"):
    """One distinct set of security groups and its number, by which hosts decide what may talk to what.

    It stands as long as a port is in exactly this set. Numbers start at 1; 0 is everybody without an identity.
    """

    number: Annotated[int, describe("What the datapath compares, from 1.")]
    groups: Annotated[tuple[str, ...], describe("The ids of the groups, sorted.")]
    stateless: Annotated[bool, describe("Whether no group keeps connections: each packet needs a rule.")] = False

    def references(self) -> Iterable[Reference]:
        """Its groups, which cannot go while a port is in them."""
        return tuple(Reference("groups", "security_group", group) for group in self.groups)

    def claims(self) -> Iterable[Claim]:
        """Its number, everywhere."""
        return (Claim("identity", str(self.number)),)


def _protocol_meant(text: str | None) -> int | str | None:
    try:
        return protocol_number(text)
    except ValueError:
        return text


def identity_id(groups: Iterable[str]) -> str:
    """The id of the identity of a set of groups: the same set always gives the same id."""
    return str(uuid5(IDENTITY_NAMESPACE, ",".join(sorted(set(groups)))))
