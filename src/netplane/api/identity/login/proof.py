"""Proof of who somebody is: by password, by another token, or by an application credential.

Every failure is the same 401, takes the same time, and counts for the lock-out.
"""

from typing import NamedTuple

from netplane.api.identity.errors import METHODS, invalid, unauthorized, unsupported
from netplane.api.identity.login.passwords import LONGEST, is_password
from netplane.api.identity.login.wishes import CredentialWish, IdentityWish, PasswordWish, UserWish
from netplane.api.identity.service import Asked, Identity
from netplane.model import ApplicationCredential, User
from netplane.store import Reader


class Proof(NamedTuple):
    """Who it is, and what follows for the token."""

    user: User
    methods: tuple[str, ...]
    credential: ApplicationCredential | None = None
    expires: int | None = None
    """When the token must expire at the latest, in microseconds since 1970."""
    root: str = ""
    """The audit id of the token that this one comes from."""


def prove(identity: Identity, asked: Asked, wish: IdentityWish) -> Proof:
    """Who it is; all methods that are named must agree."""
    if not set(wish.methods) <= set(METHODS):
        raise unsupported()
    proofs = []
    for method in dict.fromkeys(wish.methods):
        if method == "password" and wish.password is not None:
            proofs.append(_by_password(identity, asked, wish.password))
        elif method == "token" and wish.token is not None:
            proofs.append(_by_token(identity, wish.token.id))
        elif wish.application_credential is not None:
            proofs.append(_by_credential(identity, asked, wish.application_credential))
    if len({proof.user.id for proof in proofs}) != 1:
        raise unauthorized()
    whole = proofs[0]
    for proof in proofs[1:]:
        methods = tuple(dict.fromkeys((*whole.methods, *proof.methods)))
        whole = (proof if proof.root or proof.credential else whole)._replace(methods=methods)
    return whole


def _by_password(identity: Identity, asked: Asked, wish: PasswordWish) -> Proof:
    if wish.user.password is None:
        raise invalid("'password' is a required property")
    with identity.store.read() as reader:
        user = find_user(reader, wish.user)
    name = wish.user.id or wish.user.name or ""
    check_secret(identity, asked, name if user is None else user.id, wish.user.password, user.password if user else "")
    if user is None or not user.enabled:
        raise unauthorized()
    return Proof(user, ("password",))


def _by_token(identity: Identity, token: str) -> Proof:
    found = identity.tokens.look_up(token)
    if found is None or found.claims.credential:
        # A token by an application credential is for one project, and for no other token.
        raise unauthorized()
    claims = found.claims
    methods = tuple(dict.fromkeys((*claims.methods, "token")))
    return Proof(found.standing.user, methods, None, claims.expires, claims.root or claims.audit)


def _by_credential(identity: Identity, asked: Asked, wish: CredentialWish) -> Proof:
    with identity.store.read() as reader:
        credential = _find_credential(reader, wish)
        user = None if credential is None else reader.get(User, credential.user_id)
    hashed = credential.secret if credential else ""
    check_secret(identity, asked, f"credential:{_counted_as(credential, wish)}", wish.secret, hashed)
    if credential is None or user is None or not user.enabled:
        raise unauthorized()
    return Proof(user, ("application_credential",), credential, credential.expires_at or None)


def _counted_as(credential: ApplicationCredential | None, wish: CredentialWish) -> str:
    """What failures are counted by: a name is one user's, and others have credentials of that name."""
    if credential is not None:
        return credential.id
    if wish.id is not None or wish.user is None:
        return wish.id or ""
    return f"{wish.user.id or wish.user.name or ''}/{wish.name or ''}"


def check_secret(identity: Identity, asked: Asked, name: str, secret: str, hashed: str) -> None:
    """A 401 unless a secret is the one that was hashed, or for who has failed too often."""
    wait = identity.lockout.attempt(name, asked.address)
    if wait:
        raise unauthorized(wait)
    if len(secret) > LONGEST or not is_password(secret, hashed):
        raise unauthorized()
    identity.lockout.succeeded(name, asked.address)


def find_user(reader: Reader, wish: UserWish) -> User | None:
    """The user that is meant."""
    if wish.id is not None:
        return reader.get(User, wish.id)
    if wish.name is None:
        raise invalid("Expecting to find id or name in user")
    if wish.domain is None:
        raise invalid("Expecting to find domain in user")
    id = reader.holder("user-name", wish.name) if wish.domain.is_ours else None
    return None if id is None else reader.get(User, id)


def _find_credential(reader: Reader, wish: CredentialWish) -> ApplicationCredential | None:
    if wish.id is not None:
        return reader.get(ApplicationCredential, wish.id)
    if wish.name is None or wish.user is None:
        raise invalid("Expecting to find id, or name and user, in application_credential")
    user = find_user(reader, wish.user)
    id = None if user is None else reader.holder(f"application-credential:{user.id}", wish.name)
    return None if id is None else reader.get(ApplicationCredential, id)
