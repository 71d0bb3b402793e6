"""Projects, users, roles, tokens and the catalog as clients see them."""

from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from netplane.api.callers.seal import Claims
from netplane.api.callers.standing import Standing
from netplane.model import ApplicationCredential, Project, User, role_id
from netplane.model.identity import DOMAIN, ROLES, SYSTEM

View = dict[str, Any]

DOMAIN_REFERENCE = {"id": DOMAIN, "name": "Default"}


def time_text(moment: int) -> str:
    """A moment (microseconds since 1970) as Keystone writes it."""
    return datetime.fromtimestamp(moment / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def domain_view(base: str) -> View:
    """The one domain."""
    own = {"enabled": True, "description": "All projects and users.", "tags": [], "options": {}}
    return {**DOMAIN_REFERENCE, **own, "links": {"self": f"{base}/domains/{DOMAIN}"}}


def project_view(project: Project, base: str) -> View:
    """A project."""
    return {
        "id": project.id,
        "name": project.name,
        "domain_id": DOMAIN,
        "description": project.description,
        "enabled": project.enabled,
        "parent_id": DOMAIN,
        "is_domain": False,
        "tags": list(project.tags),
        "options": {},
        "links": {"self": f"{base}/projects/{project.id}"},
    }


def user_view(user: User, base: str) -> View:
    """A user, without anything secret."""
    shown: View = {
        "id": user.id,
        "name": user.name,
        "domain_id": DOMAIN,
        "enabled": user.enabled,
        "password_expires_at": None,
        "options": {},
        "links": {"self": f"{base}/users/{user.id}"},
    }
    further = {"description": user.description, "email": user.email, "default_project_id": user.default_project_id}
    return shown | {name: value for name, value in further.items() if value}


def role_view(name: str, base: str) -> View:
    """A role."""
    id = role_id(name)
    own: View = {"id": id, "name": name, "domain_id": None, "description": None, "options": {}}
    return own | {"links": {"self": f"{base}/roles/{id}"}}


def credential_view(credential: ApplicationCredential, base: str) -> View:
    """An application credential, without its secret."""
    path = f"users/{credential.user_id}/application_credentials/{credential.id}"
    return {
        "id": credential.id,
        "name": credential.name,
        "description": credential.description,
        "user_id": credential.user_id,
        "project_id": credential.project_id,
        "system": None,
        "roles": [{"id": role_id(name), "name": name, "domain_id": None} for name in credential.roles],
        "expires_at": time_text(credential.expires_at).removesuffix("Z") if credential.expires_at else None,
        "unrestricted": credential.unrestricted,
        "links": {"self": f"{base}/{path}"},
    }


def token_view(claims: Claims, standing: Standing, catalog: list[View]) -> View:
    """What a token is good for; an empty catalog is left out."""
    user = standing.user
    shown: View = {
        "methods": list(claims.methods),
        "user": {"id": user.id, "name": user.name, "domain": DOMAIN_REFERENCE, "password_expires_at": None},
        "audit_ids": [claims.audit, *([claims.root] if claims.root else [])],
        "expires_at": time_text(claims.expires),
        "issued_at": time_text(claims.issued),
    }
    if standing.project is not None:
        own = {"id": standing.project.id, "name": standing.project.name, "domain": DOMAIN_REFERENCE}
        shown |= {"project": own, "is_domain": False}
    elif standing.scope == SYSTEM:
        shown["system"] = {"all": True}
    elif standing.scope == DOMAIN:
        shown["domain"] = DOMAIN_REFERENCE
    if standing.scope:
        shown["roles"] = [{"id": role_id(name), "name": name} for name in ROLES if name in standing.roles]
        shown |= {"catalog": catalog} if catalog else {}
    if standing.credential is not None:
        credential = standing.credential
        restricted = not credential.unrestricted
        shown["application_credential"] = {"id": credential.id, "name": credential.name, "restricted": restricted}
    return shown


def catalog_view(root: str, region: str) -> list[View]:
    """Which services there are, and where. The URL of the network API is without its version, as clients expect."""
    return [
        _service("network", "neutron", f"{root}/networking", region),
        _service("identity", "keystone", f"{root}/identity/v3", region),
    ]


def _service(type: str, name: str, url: str, region: str) -> View:
    def id(what: str) -> str:
        return uuid5(NAMESPACE_URL, f"netplane:{type}:{what}:{region}").hex

    endpoints = [
        {"id": id(interface), "interface": interface, "region": region, "region_id": region, "url": url}
        for interface in ("public", "internal", "admin")
    ]
    return {"id": id("service"), "type": type, "name": name, "endpoints": endpoints}
