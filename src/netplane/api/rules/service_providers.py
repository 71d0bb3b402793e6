"""Who provides which service: netplane itself, whatever flavors say."""

from netplane.api.computed import Filters, Rules
from netplane.api.context import Context
from netplane.api.errors import ApiError
from netplane.model import ServiceProvider
from netplane.model.flavor import FIREWALLING, PROVIDER, ROUTING
from netplane.store import Reader

PROVIDERS = tuple(
    ServiceProvider(id=f"{service} {PROVIDER}", service_type=service, name=PROVIDER)
    for service in (ROUTING, FIREWALLING)
)


def providers(_reader: Reader, _context: Context, _filters: Filters) -> tuple[ServiceProvider, ...]:
    """All of them."""
    return PROVIDERS


def check_driver(driver: str) -> None:
    """404 for a driver of nobody who provides anything."""
    if driver != PROVIDER:
        text = f"Service Profile driver {driver} could not be found."
        raise ApiError(404, "ServiceProfileDriverNotFound", text)


SERVICE_PROVIDERS = Rules(ServiceProvider, providers)
