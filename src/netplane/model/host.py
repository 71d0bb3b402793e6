"""Hosts, and bindings: which host carries which port."""

import re
from collections.abc import Iterable
from typing import Annotated

from netplane.model.record import Claim, OnDelete, Record, Reference, describe

_ID = r"[0-9A-Fa-f]{32}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
HOST_NAME = re.compile(rf"(?!(?:{_ID})\Z)[A-Za-z0-9][A-Za-z0-9._-]{{0,254}}")
"""What a host may be called: as hosts are (RFC 1123, and underscores); names become file names and log lines.

A host's id is its name: what looks like the id of a network or a project is no name, since people and reports, which
name things by id alone, would take one for the other.
"""
HOST_NAMES = "1 to 255 letters, digits, dots, hyphens and underscores, and neither a UUID nor 32 hexadecimal digits"
"""The same for people."""


class Host(Record, frozen=True, kw_only=True, gc=False, tag="host"):
    """A machine that runs an agent. Its id is its name."""

    number: Annotated[int, describe("What endpoints name it by in the datapath, from 1.")]
    address: Annotated[str, describe("Its address in the underlay, where tunnels end.")]

    def claims(self) -> Iterable[Claim]:
        """Its number and its address, everywhere."""
        return (Claim("host", str(self.number)), Claim("underlay", self.address))


class Binding(Record, frozen=True, kw_only=True, gc=False, tag="binding"):
    """A port is carried by a host. Its id is the port's id: a port has one right host at a time."""

    host_id: Annotated[str, describe("The host that carries the port.")]

    def references(self) -> Iterable[Reference]:
        """Its port, with which it goes, and its host, which stays while it carries ports."""
        yield Reference("id", "port", self.id, OnDelete.CASCADE)
        yield Reference("host_id", "host", self.host_id)
