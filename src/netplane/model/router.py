"""Routers: logical routers that exist on every host that needs them."""

from collections.abc import Iterable
from typing import Annotated, ClassVar

from netplane.model.agent import ZoneHints
from netplane.model.record import Claim, describe
from netplane.model.resource import Resource
from netplane.model.route import Route

MOST_ROUTES = 30
"""Routes that a router may have besides those to its own networks, as in OpenStack Networking."""


class Router(Resource, frozen=True, kw_only=True, gc=False, tag="router"):
    """A logical router; its interfaces are ports whose `device_id` is its id."""

    collection: ClassVar[str] = "routers"

    admin_state_up: Annotated[bool, describe("Whether the router forwards packets.", create=True, update=True)] = True
    routes: Annotated[
        tuple[Route, ...],
        describe(
            "Routes besides those to its own networks, sorted; several to one range share its traffic. Later also "
            "changed by `add_extraroutes` and `remove_extraroutes`.",
            update=True,
        ),
    ] = ()
    availability_zone_hints: ZoneHints = ()
    number: Annotated[int, describe("Its number in the datapath's route table, from 1.", hidden=True)]

    def claims(self) -> Iterable[Claim]:
        """Its number, everywhere."""
        return (Claim("router", str(self.number)),)
