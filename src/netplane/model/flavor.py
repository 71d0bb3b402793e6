"""Flavors of services, the profiles behind them, and who provides them: words for clients, which change no packet."""

from collections.abc import Iterable
from typing import Annotated, ClassVar

from netplane.model.record import Record, Reference, describe
from netplane.model.resource import Resource

ROUTING, FIREWALLING, FLAVORING = "L3_ROUTER_NAT", "FIREWALL_V2", "FLAVORS"
SERVICE_TYPES = (ROUTING, FIREWALLING, FLAVORING)
"""The services that flavors may be of, by OpenStack Networking's names."""

PROVIDER = "netplane"
"""Who provides all services, and its driver."""

MOST_PROFILES = 100
"""Service profiles of one flavor."""

LONGEST_TEXT = 1024
LONGEST_METAINFO = 4096
"""Characters, as in OpenStack Networking."""

Words = Annotated[str, describe("Free text.", create=True, update=True, max_length=LONGEST_TEXT)]
Enabled = Annotated[bool, describe("Whether it is offered.", create=True, update=True)]


class ServiceProvider(Record, frozen=True, kw_only=True, gc=False, tag="service_provider"):
    """Who provides a service: netplane itself."""

    collection: ClassVar[str] = "service-providers"

    id: Annotated[str, describe("Service and name.", hidden=True)]
    service_type: Annotated[str, describe("The service, such as `L3_ROUTER_NAT`.")]
    name: Annotated[str, describe("The provider's name.")]
    default: Annotated[bool, describe("Whether it provides the service where nobody has said who shall.")] = True


class ServiceProfile(Resource, frozen=True, kw_only=True, gc=False, tag="service_profile"):
    """How a service is provided, for flavors to name. It belongs to no project, and stays while a flavor names it."""

    collection: ClassVar[str] = "service_profiles"
    is_owned: ClassVar[bool] = False

    description: Words = ""
    driver: Annotated[
        str,
        describe(
            "The driver, `netplane`; empty if `metainfo` says all there is.",
            create=True,
            update=True,
            max_length=LONGEST_TEXT,
        ),
    ] = ""
    metainfo: Annotated[
        str,
        describe(
            "What the driver is told, in words of its own.", create=True, update=True, max_length=LONGEST_METAINFO
        ),
    ] = ""
    enabled: Enabled = True


class Flavor(Resource, frozen=True, kw_only=True, gc=False, tag="flavor"):
    """A sort of a service that clients may ask for. It belongs to no project, and everybody sees it."""

    collection: ClassVar[str] = "flavors"
    is_owned: ClassVar[bool] = False

    description: Words = ""
    service_type: Annotated[str, describe("The service: `L3_ROUTER_NAT`, `FIREWALL_V2` or `FLAVORS`.", create=True)]
    enabled: Enabled = True
    service_profiles: Annotated[
        tuple[str, ...],
        describe("The profiles that it stands for, each once.", create=True, update=True, max_length=MOST_PROFILES),
    ] = ()

    def references(self) -> Iterable[Reference]:
        """Its profiles, which stay for it."""
        return (Reference("service_profiles", "service_profile", id) for id in self.service_profiles)
