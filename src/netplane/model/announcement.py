"""Announcements: addresses that machines have said they have, of those that several ports may use."""

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Annotated
from uuid import UUID, uuid5

from netplane.model.port import Port
from netplane.model.record import OnDelete, Record, Reference, describe

NAMESPACE = UUID("b9d3f1c4-52c0-4c0e-8a35-6e6574706c61")


class Announcement(Record, frozen=True, kw_only=True, gc=False, tag="announcement"):
    """The machine that said last that it has an address. Its id is made of network and address, so there is one."""

    port_id: Annotated[str, describe("The port of the machine.")]
    address: Annotated[str, describe("The address.")]
    mac: Annotated[str, describe("The MAC address that it says is the address's.")]

    def references(self) -> Iterable[Reference]:
        """Its port, with which it goes."""
        yield Reference("port_id", "port", self.port_id, OnDelete.CASCADE)


def announcement_id(network: str, address: str) -> str:
    """The id of what is said of an address on a network."""
    return str(uuid5(NAMESPACE, f"{network} {ip_address(address)}"))


def may_announce(port: Port, address: str, mac: str) -> bool:
    """Whether an address and a MAC address are a machine's to announce; ValueError if the first is none."""
    wanted = ip_address(address)
    if wanted.is_multicast or wanted.is_unspecified or wanted.is_loopback or port.is_router_interface:
        return False
    # A second name of an address, which no packet says and which would be taken for the first one.
    if isinstance(wanted, IPv6Address) and (wanted.scope_id is not None or wanted.ipv4_mapped is not None):
        return False
    if not port.port_security_enabled:
        return mac == port.mac_address
    return any(
        pair.mac_address == mac and wanted in ip_network(pair.ip_address, strict=False)
        for pair in port.allowed_address_pairs
    )
