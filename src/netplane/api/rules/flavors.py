"""Flavors: sorts of services that operators offer, each standing for service profiles."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from netplane.api.bodies import Wish, parse_struct
from netplane.api.context import Context
from netplane.api.errors import ApiError, conflict, invalid
from netplane.api.ids import new_id
from netplane.api.parts import Parts
from netplane.api.rules.kind import Rules, Services, simply_delete
from netplane.api.rules.service_providers import PROVIDERS, check_driver
from netplane.api.views import View
from netplane.model import Flavor, ServiceProfile
from netplane.model.flavor import MOST_PROFILES, SERVICE_TYPES
from netplane.store import Reader, Transaction


class ProfileWish(Struct, frozen=True, forbid_unknown_fields=True):
    """A service profile, by its id."""

    id: str


class ProfileBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a call."""

    service_profile: ProfileWish


_body = Decoder(ProfileBody)


def create(transaction: Transaction, _context: Context, wish: Wish) -> Flavor:
    """A flavor of a service that there is, for profiles that there are."""
    if wish["service_type"] not in SERVICE_TYPES:
        raise ApiError(400, "InvalidServiceType", f"Invalid service type: {wish['service_type']}.")
    _check_profiles(transaction, wish)
    return transaction.add(Flavor(id=new_id(), **wish | {"project_id": ""}))


def update(transaction: Transaction, _context: Context, flavor: Flavor, wish: Wish) -> Flavor:
    """All but the service that it is of."""
    _check_profiles(transaction, wish)
    return transaction.put(replace(flavor, **wish))


def show(_reader: Reader, _services: Services, _context: Context, flavors: Sequence[Flavor]) -> list[View]:
    """Nothing besides."""
    return [{} for _ in flavors]


def next_providers(reader: Reader, flavor: Flavor) -> View:
    """Who would provide it, by the first of its profiles; 404 if it has none, 503 if that is disabled."""
    if not flavor.service_profiles:
        raise _not_associated(flavor, "")
    profile = reader.get(ServiceProfile, flavor.service_profiles[0])
    assert profile is not None, "profiles stay for flavors"
    if not profile.enabled:
        raise ApiError(503, "ServiceProfileDisabled", "Service Profile is not enabled.")
    check_driver(profile.driver)
    return {"next_providers": [{"driver": profile.driver, "provider": PROVIDERS[0].name}]}


def list_profiles(_reader: Reader, flavor: Flavor) -> list[View]:
    """The ids of its profiles, in the order in which they came."""
    return [{"id": id} for id in flavor.service_profiles]


def associate(transaction: Transaction, flavor: Flavor, body: bytes) -> View:
    """One profile more."""
    wish: ProfileBody = parse_struct(_body, body)
    id = wish.service_profile.id
    if id in flavor.service_profiles:
        text = f"Service Profile {id} is already associated with flavor {flavor.id}."
        raise conflict("FlavorServiceProfileBindingExists", text)
    if len(flavor.service_profiles) == MOST_PROFILES:
        raise invalid(f"a flavor has at most {MOST_PROFILES} service profiles")
    _check_profile(transaction, id)
    transaction.put(replace(flavor, service_profiles=(*flavor.service_profiles, id)))
    return {"id": id}


def dissociate(transaction: Transaction, flavor: Flavor, id: str) -> None:
    """One fewer."""
    if id not in flavor.service_profiles:
        raise _not_associated(flavor, id)
    left = tuple(one for one in flavor.service_profiles if one != id)
    transaction.put(replace(flavor, service_profiles=left))


def _check_profiles(transaction: Transaction, wish: Wish) -> None:
    profiles = wish.get("service_profiles", ())
    if len(set(profiles)) < len(profiles):
        raise invalid("Duplicate items in the list: 'service_profiles'")
    for id in profiles:
        _check_profile(transaction, id)


def _check_profile(transaction: Transaction, id: str) -> None:
    if transaction.get(ServiceProfile, id) is None:
        raise ApiError(404, "ServiceProfileNotFound", f"Service Profile {id} could not be found.")


def _not_associated(flavor: Flavor, id: str) -> ApiError:
    text = f"Service Profile {id} is not associated with flavor {flavor.id}."
    return ApiError(404, "FlavorServiceProfileBindingNotFound", text)


FLAVORS = Rules(
    Flavor,
    create,
    update,
    simply_delete,
    (),
    show,
    questions={"next_providers": next_providers},
    parts=(
        Parts(
            "service_profiles",
            "service_profile",
            "id",
            seen_by="show_service_profiles",
            changed_by="associate",
            missing=_not_associated,
            list=list_profiles,
            create=associate,
            update=None,
            delete=dissociate,
            actions={},
        ),
    ),
)
