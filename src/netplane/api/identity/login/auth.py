"""`/v3/auth`: tokens are issued, shown and revoked; what a token's user may ask for."""

import secrets

from msgspec import Struct
from msgspec.json import Decoder

from netplane.api.callers.keys import SECOND, rotate
from netplane.api.callers.seal import Claims
from netplane.api.callers.signed import Known
from netplane.api.callers.standing import Standing, stand
from netplane.api.identity.errors import forbidden, invalid, not_found, unauthorized
from netplane.api.identity.login.proof import Proof, prove
from netplane.api.identity.login.wishes import TOKEN_BODY, AuthWish, ProjectWish, ScopeWish, check
from netplane.api.identity.service import Asked, Identity, Told, collection, need_admin, parse
from netplane.api.identity.views import catalog_view, domain_view, project_view, token_view
from netplane.model import Assignment, Project, Revocation
from netplane.model.identity import DOMAIN, SYSTEM
from netplane.store import Reader


class Rotation(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a wish for another key."""

    revoke: bool = False


ROTATION = Decoder(Rotation)
SWEEP = 100
"""Revocations that are looked at for having become pointless, each time one is made."""


def issue(identity: Identity, asked: Asked) -> Told:
    """POST tokens: log in, or another token for the one at hand."""
    wish = parse(TOKEN_BODY, asked.body).auth
    check(wish)
    proof = prove(identity, asked, wish.identity)
    now = identity.tokens.time()
    with identity.store.read() as reader:
        standing = _stand(reader, wish, proof, now)
    if standing is None:
        raise unauthorized()
    latest = now + identity.config.lifetime * SECOND
    claims = Claims(
        user=standing.user.id,
        epoch=standing.user.epoch,
        scope=standing.scope,
        issued=now,
        expires=latest if proof.expires is None else min(latest, proof.expires),
        audit=secrets.token_urlsafe(16),
        root=proof.root,
        methods=proof.methods,
        credential="" if proof.credential is None else proof.credential.id,
    )
    return _told(identity, asked, 201, identity.tokens.keys.seal(claims), Known(claims, standing))


def show(identity: Identity, asked: Asked) -> Told:
    """GET and HEAD tokens: what the token in `X-Subject-Token` is good for."""
    found = _subject(identity, asked)
    own = asked.context.user and found.standing.user.id == asked.context.user
    if not (own or asked.context.is_admin or "service" in asked.context.roles):
        raise forbidden("validate_token")
    return _told(identity, asked, 200, asked.subject, found)


def revoke(identity: Identity, asked: Asked) -> Told:
    """DELETE tokens: the token in `X-Subject-Token` is void, and those that came from it."""
    found = _subject(identity, asked)
    if not (asked.context.is_admin or found.standing.user.id == asked.context.user):
        raise forbidden("revoke_token")
    with identity.write(asked.context) as transaction:
        for old in transaction.reader.page(Revocation, secrets.token_urlsafe(16), SWEEP):
            if old.expires_at < identity.tokens.time():
                transaction.delete(old)
        transaction.put(Revocation(id=found.claims.audit, expires_at=found.claims.expires))
    return Told(204, None)


def catalog(identity: Identity, asked: Asked) -> Told:
    """GET catalog."""
    if not asked.context.project and not asked.context.roles:
        raise forbidden("get_auth_catalog")
    shown = catalog_view(asked.root, identity.config.region)
    return Told(200, {"catalog": shown, "links": {"self": f"{asked.base}/auth/catalog"}})


def projects(identity: Identity, asked: Asked) -> Told:
    """GET projects: what the caller may have a token for."""
    with identity.store.read() as reader:
        found = reader.list(Project, None, _targets(reader, asked))
    shown = [project_view(project, asked.base) for project in found if project.enabled]
    return collection(asked, "auth/projects", "projects", shown)


def domains(identity: Identity, asked: Asked) -> Told:
    """GET domains: as projects."""
    with identity.store.read() as reader:
        shown = [domain_view(asked.base)] if DOMAIN in _targets(reader, asked) else []
    return collection(asked, "auth/domains", "domains", shown)


def system(identity: Identity, asked: Asked) -> Told:
    """GET system: as projects."""
    with identity.store.read() as reader:
        shown = [{"all": True}] if SYSTEM in _targets(reader, asked) else []
    return Told(200, {"system": shown, "links": {"self": f"{asked.base}/auth/system"}})


def rotate_keys(identity: Identity, asked: Asked) -> Told:
    """POST signing-keys: another key signs; with `revoke` all tokens that were issued before are void."""
    need_admin(asked.context, "rotate_signing_keys")
    wish = parse(ROTATION, asked.body)
    lifetime = identity.config.lifetime * SECOND
    with identity.write(asked.context) as transaction:
        made = rotate(transaction, identity.tokens.time(), lifetime, revoke=wish.revoke)
    return Told(201, {"id": made.id})


def _targets(reader: Reader, asked: Asked) -> set[str]:
    return (
        {one.target for one in reader.find(Assignment, "user_id", asked.context.user)} if asked.context.user else set()
    )


def _told(identity: Identity, asked: Asked, status: int, token: str, found: Known) -> Told:
    shown = [] if "nocatalog" in asked.query else catalog_view(asked.root, identity.config.region)
    headers = {"X-Subject-Token": token, "Cache-Control": "no-store"}
    return Told(status, {"token": token_view(found.claims, found.standing, shown)}, headers)


def _subject(identity: Identity, asked: Asked) -> Known:
    found = identity.tokens.look_up(asked.subject) if asked.subject else None
    if found is None:
        raise not_found("token", "it is none of this server's, or not good any more")
    return found


def _stand(reader: Reader, wish: AuthWish, proof: Proof, now: int) -> Standing | None:
    """What the token is for, and its user's roles there; None if there are none."""
    if proof.credential is not None:
        if wish.scope is not None:
            raise unauthorized()
        return stand(reader, proof.user, proof.credential.project_id, proof.credential, now)
    if isinstance(wish.scope, ScopeWish):
        scope = _scope(reader, wish.scope)
        return None if scope is None else stand(reader, proof.user, scope, None, now)
    default = proof.user.default_project_id
    if wish.scope is None and default and not proof.root:
        standing = stand(reader, proof.user, default, None, now)
        if standing is not None:
            return standing
    return stand(reader, proof.user, "", None, now)


def _scope(reader: Reader, wish: ScopeWish) -> str | None:
    """What an assignment calls the scope that is meant; None if there is none such."""
    if wish.project is not None:
        return _project(reader, wish.project)
    if wish.domain is not None:
        return DOMAIN if wish.domain.is_ours else None
    if wish.system is not None and wish.system.all:
        return SYSTEM
    if wish.trust is not None:
        raise unauthorized()
    raise invalid("Invalid input for field 'scope': one of project, domain and system must be named")


def _project(reader: Reader, wish: ProjectWish) -> str | None:
    if wish.id is not None:
        return wish.id if reader.get(Project, wish.id) else None
    if wish.name is None:
        raise invalid("Expecting to find id or name in project")
    if wish.domain is None:
        raise invalid("Expecting to find domain in project")
    return reader.holder("project-name", wish.name) if wish.domain.is_ours else None
