"""Inactive bindings: hosts that a port may be moved to, as whoever moves its machine has prepared it."""

from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID, uuid5

from msgspec import field

from netplane.model.record import OnDelete, Record, Reference, describe

NAMESPACE = UUID("8f0d6a52-0b39-4c1a-9a43-6e6574706c61")


class InactiveBinding(Record, frozen=True, kw_only=True, gc=False, tag="inactive_binding"):
    """A port may be moved to a host. No host hears of it before it is: then it becomes the port's own."""

    port_id: Annotated[str, describe("The port.")]
    host_id: Annotated[str, describe("The host.")]
    profile: Annotated[dict[str, Any], describe("What the port's `binding:profile` will be.")] = field(
        default_factory=dict
    )

    def references(self) -> Iterable[Reference]:
        """Its port, with which it goes."""
        return (Reference("port_id", "port", self.port_id, OnDelete.CASCADE),)


def inactive_binding_id(port: str, host: str) -> str:
    """The id of a port's binding to a host: there is one."""
    return str(uuid5(NAMESPACE, f"{port} {host}"))
