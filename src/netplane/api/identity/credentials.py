"""`/v3/users/{user}/application_credentials`: what programs log in with, without the user's password.

One makes them for oneself and for the project of one's token, and passes on no role that one has not there.
"""

import secrets
from datetime import UTC, datetime
from uuid import uuid4

from netplane.api.callers.signed import Known
from netplane.api.identity.bodies import NEW_CREDENTIAL, NewCredential, RoleWish
from netplane.api.identity.errors import IdentityError, forbidden, invalid, not_found
from netplane.api.identity.login.passwords import hash_password
from netplane.api.identity.roles import NAMES
from netplane.api.identity.service import Asked, Identity, Told, collection, need_reader, parse
from netplane.api.identity.views import credential_view
from netplane.model import ApplicationCredential, User
from netplane.model.identity import ROLES
from netplane.store import Reader

MOST = 100
"""Application credentials of one user."""
LAST = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
"""When they end at the latest, in microseconds since 1970: later times cannot be told in every zone."""


def create(identity: Identity, asked: Asked, user: str) -> Told:
    """POST: answers the secret, this once."""
    token = identity.tokens.look_up(asked.token)
    if token is None or token.standing.user.id != user or token.standing.project is None:
        raise forbidden("create_application_credential")
    _check_unrestricted(token)
    wish = parse(NEW_CREDENTIAL, asked.body).application_credential
    if wish.access_rules:
        raise invalid("Invalid input for field 'access_rules': there are none here; name roles instead")
    secret = wish.secret or secrets.token_urlsafe(32)
    credential = ApplicationCredential(
        id=uuid4().hex,
        user_id=user,
        project_id=token.standing.project.id,
        name=wish.name,
        description=wish.description or "",
        roles=_roles(wish.roles, token),
        expires_at=_expiry(wish, identity.tokens.time()),
        unrestricted=wish.unrestricted,
        secret=hash_password(secret),
    )
    with identity.write(asked.context) as transaction:
        if len(transaction.find(ApplicationCredential, "user_id", user)) >= MOST:
            text = f"Unable to create additional application credentials, maximum of {MOST} already exceeded for user."
            raise IdentityError(403, text)
        transaction.add(credential)
    shown = credential_view(credential, asked.base) | {"secret": secret}
    return Told(201, {"application_credential": shown}, {"Cache-Control": "no-store"})


def list_all(identity: Identity, asked: Asked, user: str) -> Told:
    """GET of many."""
    if user != asked.context.user:
        need_reader(asked.context, "list_application_credentials")
    with identity.store.read() as reader:
        if reader.get(User, user) is None:
            raise not_found("user", user)
        found = reader.find(ApplicationCredential, "user_id", user)
    shown = [credential_view(one, asked.base) for one in found if asked.query.get("name", one.name) == one.name]
    return collection(asked, f"users/{user}/application_credentials", "application_credentials", shown)


def show(identity: Identity, asked: Asked, user: str, id: str) -> Told:
    """GET of one."""
    if user != asked.context.user:
        need_reader(asked.context, "get_application_credential")
    with identity.store.read() as reader:
        credential = _find(reader, user, id)
    return Told(200, {"application_credential": credential_view(credential, asked.base)})


def delete(identity: Identity, asked: Asked, user: str, id: str) -> Told:
    """DELETE: its tokens are void at once."""
    if not (user == asked.context.user or asked.context.is_admin):
        raise forbidden("delete_application_credential")
    token = identity.tokens.look_up(asked.token)
    if token is not None:
        _check_unrestricted(token)
    elif not asked.context.is_admin:
        raise forbidden("delete_application_credential")
    with identity.write(asked.context) as transaction:
        transaction.delete(_find(transaction.reader, user, id))
    return Told(204, None)


def _find(reader: Reader, user: str, id: str) -> ApplicationCredential:
    credential = reader.get(ApplicationCredential, id)
    if credential is None or credential.user_id != user:
        raise not_found("application credential", id)
    return credential


def _check_unrestricted(token: Known) -> None:
    credential = token.standing.credential
    if credential is not None and not credential.unrestricted:
        raise IdentityError(
            403,
            "You are not authorized to perform the requested action: Using method 'application_credential' is not "
            "allowed for managing additional application credentials.",
        )


def _roles(wanted: list[RoleWish] | None, token: Known) -> tuple[str, ...]:
    held = token.standing.roles
    if not wanted:
        return tuple(name for name in ROLES if name in held)
    names = [NAMES.get(one.id, "") if one.id is not None else one.name or "" for one in wanted]
    for one, name in zip(wanted, names, strict=True):
        if name not in ROLES:
            raise not_found("role", one.id or one.name or "")
        if name not in held:
            raise invalid(f"Invalid application credential: Could not find role assignment with role: {name}.")
    return tuple(name for name in ROLES if name in names)


def _expiry(wish: NewCredential, now: int) -> int:
    """Microseconds since 1970; what has no time zone is UTC."""
    if wish.expires_at is None:
        return 0
    try:
        moment = datetime.fromisoformat(wish.expires_at)
    except ValueError:
        raise invalid(f"Invalid input for field 'expires_at': {wish.expires_at!r} is no time (ISO 8601)") from None
    expiry = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000_000)
    if expiry <= now:
        raise invalid("The 'expires_at' must not be before now.")
    if expiry > LAST:
        raise invalid(f"Invalid input for field 'expires_at': {wish.expires_at!r} is not before the year 9999")
    return expiry
