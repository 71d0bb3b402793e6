"""Service profiles: drivers of services and what these are told, which flavors stand for."""

from collections.abc import Sequence

from msgspec.structs import replace

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.errors import ApiError, conflict
from netplane.api.ids import new_id
from netplane.api.rules.kind import Rules, Services
from netplane.api.rules.service_providers import check_driver
from netplane.api.views import View
from netplane.model import Flavor, ServiceProfile
from netplane.store import Reader, Transaction


def create(transaction: Transaction, _context: Context, wish: Wish) -> ServiceProfile:
    """A profile that says something."""
    return transaction.add(_checked(ServiceProfile(id=new_id(), **wish | {"project_id": ""})))


def update(transaction: Transaction, _context: Context, profile: ServiceProfile, wish: Wish) -> ServiceProfile:
    """Only while no flavor stands for it."""
    _check_free(transaction, profile)
    return transaction.put(_checked(replace(profile, **wish)))


def delete(transaction: Transaction, _context: Context, profile: ServiceProfile) -> None:
    """The same."""
    _check_free(transaction, profile)
    transaction.delete(profile)


def show(_reader: Reader, _services: Services, _context: Context, profiles: Sequence[ServiceProfile]) -> list[View]:
    """Nothing besides."""
    return [{} for _ in profiles]


def _checked(profile: ServiceProfile) -> ServiceProfile:
    """The same; 404 for a driver that there is not, 400 for neither driver nor words to it."""
    if profile.driver:
        check_driver(profile.driver)
    elif not profile.metainfo:
        raise ApiError(400, "ServiceProfileEmpty", "Service Profile needs either a driver or metainfo.")
    return profile


def _check_free(transaction: Transaction, profile: ServiceProfile) -> None:
    if transaction.find(Flavor, "service_profiles", profile.id):
        text = f"Service Profile {profile.id} is used by some service instance."
        raise conflict("ServiceProfileInUse", text)


SERVICE_PROFILES = Rules(ServiceProfile, create, update, delete, (), show)
