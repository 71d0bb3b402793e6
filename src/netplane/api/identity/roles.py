"""`/v3/roles`, who has which where, and `/v3/role_assignments`. The roles themselves are fixed."""

from collections.abc import Iterable
from typing import Any

from netplane.api.context import roles as all_roles
from netplane.api.identity.errors import IdentityError, not_found
from netplane.api.identity.service import Asked, Identity, Told, collection, need_admin, need_reader
from netplane.api.identity.views import DOMAIN_REFERENCE, View, role_view
from netplane.model import ApplicationCredential, Assignment, Project, User, assignment, role_id
from netplane.model.identity import DOMAIN, ROLES, SYSTEM
from netplane.store import Reader

NAMES = {role_id(name): name for name in ROLES}


def list_all(_identity: Identity, asked: Asked) -> Told:
    """GET of many."""
    wanted = asked.query.get("name")
    shown = [role_view(name, asked.base) for name in ROLES if wanted in (None, name)]
    return collection(asked, "roles", "roles", shown if asked.query.get("domain_id") is None else [])


def show(_identity: Identity, asked: Asked, id: str) -> Told:
    """GET of one."""
    return Told(200, {"role": role_view(_name(id), asked.base)})


def fixed(_identity: Identity, _asked: Asked, **_path: str) -> Told:
    """POST, PATCH and DELETE."""
    raise IdentityError(403, f"The roles are {', '.join(ROLES)}; no others are made, and these do not change.")


def grant(
    identity: Identity, asked: Asked, user: str, role: str, project: str | None = None, target: str = SYSTEM
) -> Told:
    """PUT of a role that a user has in a project, the domain, or the system."""
    need_admin(asked.context, "create_grant")
    name = _name(role)
    with identity.write(asked.context) as transaction:
        target = _check(transaction.reader, user, project, target)
        transaction.put(assignment(user, target, name))
    return Told(204, None)


def revoke(
    identity: Identity, asked: Asked, user: str, role: str, project: str | None = None, target: str = SYSTEM
) -> Told:
    """DELETE of one: application credentials that pass it on go along."""
    need_admin(asked.context, "revoke_grant")
    name = _name(role)
    with identity.write(asked.context) as transaction:
        target = _check(transaction.reader, user, project, target)
        held = transaction.get(Assignment, assignment(user, target, name).id)
        if held is None:
            raise _not_held(user, role, target)
        transaction.delete(held)
        for credential in transaction.find(ApplicationCredential, "user_id", user):
            if credential.project_id == target:
                transaction.delete(credential)
    return Told(204, None)


def has(
    identity: Identity, asked: Asked, user: str, role: str, project: str | None = None, target: str = SYSTEM
) -> Told:
    """GET and HEAD of one."""
    need_reader(asked.context, "check_grant")
    name = _name(role)
    with identity.store.read() as reader:
        target = _check(reader, user, project, target)
        if reader.get(Assignment, assignment(user, target, name).id) is None:
            raise _not_held(user, role, target)
    return Told(204, None)


def held(identity: Identity, asked: Asked, user: str, project: str | None = None, target: str = SYSTEM) -> Told:
    """GET of all that a user has somewhere."""
    need_reader(asked.context, "list_grants")
    with identity.store.read() as reader:
        target = _check(reader, user, project, target)
        names = {one.role for one in reader.find(Assignment, "user_id", user) if one.target == target}
    shown = [role_view(name, asked.base) for name in ROLES if name in names]
    return collection(asked, asked.path, "roles", shown)


def assignments(identity: Identity, asked: Asked) -> Told:
    """GET role_assignments."""
    query = asked.query
    with identity.store.read() as reader:
        own = query.get("user.id") == asked.context.user != ""
        if not own:
            need_reader(asked.context, "list_role_assignments")
        found = [one for one in _candidates(reader, asked) if _matches(one, asked)]
        is_effective, is_named = "effective" in query, "include_names" in query
        names = _names(reader, found) if is_named else {}
    shown = [_view(one, role, asked, names) for one in found for role in _roles(one, is_effective)]
    if "role.id" in query:
        shown = [one for one in shown if one["role"]["id"] == query["role.id"]]
    return collection(asked, "role_assignments", "role_assignments", shown)


def inferences(_identity: Identity, asked: Asked) -> Told:
    """GET role_inferences: which roles bring along which."""
    need_reader(asked.context, "list_implied_roles")
    shown = []
    for name in ROLES:
        implied = [one for one in ROLES if one in all_roles([name]) - {name}]
        if implied:
            named = [{"id": role_id(one), "name": one} for one in implied[:1]]
            shown.append({"prior_role": {"id": role_id(name), "name": name}, "implies": named})
    return Told(200, {"role_inferences": shown, "links": {"self": f"{asked.base}/role_inferences"}})


def _name(id: str) -> str:
    if id not in NAMES:
        raise not_found("role", id)
    return NAMES[id]


def _check(reader: Reader, user: str, project: str | None, target: str) -> str:
    """What an assignment calls the place that is meant."""
    if reader.get(User, user) is None:
        raise not_found("user", user)
    if project is not None and reader.get(Project, project) is None:
        raise not_found("project", project)
    return target if project is None else project


def _not_held(user: str, role: str, target: str) -> IdentityError:
    where = f"role: {role}, user or group: {user}, project, domain, or system: {target}"
    return IdentityError(404, f"Could not find role assignment with {where}.")


def _candidates(reader: Reader, asked: Asked) -> list[Assignment]:
    query = asked.query
    if "user.id" in query:
        return reader.find(Assignment, "user_id", query["user.id"])
    if "scope.project.id" in query:
        return reader.find(Assignment, "target", query["scope.project.id"])
    if "group.id" in query:
        return []
    return reader.list(Assignment)


def _matches(one: Assignment, asked: Asked) -> bool:
    query = asked.query
    wanted = [query[name] for name in ("scope.project.id", "scope.domain.id") if name in query]
    wanted += [SYSTEM] if "scope.system" in query else []
    return all(target == one.target for target in wanted)


def _roles(one: Assignment, is_effective: bool) -> Iterable[str]:
    return [name for name in ROLES if name in all_roles([one.role])] if is_effective else [one.role]


def _names(reader: Reader, found: list[Assignment]) -> dict[str, str]:
    users = reader.list(User, None, {one.user_id for one in found})
    projects = reader.list(Project, None, {one.target for one in found})
    return {user.id: user.name for user in users} | {project.id: project.name for project in projects}


def _view(one: Assignment, role: str, asked: Asked, names: dict[str, str]) -> View:
    place = {SYSTEM: "system", DOMAIN: f"domains/{DOMAIN}"}.get(one.target, f"projects/{one.target}")
    user: dict[str, Any] = {"id": one.user_id}
    shown_role, project = {"id": role_id(role)}, {"id": one.target}
    if names:
        user |= {"name": names.get(one.user_id, ""), "domain": DOMAIN_REFERENCE}
        shown_role["name"] = role
        project |= {"name": names.get(one.target, ""), "domain": DOMAIN_REFERENCE}  # type: ignore[dict-item]
    scope: dict[str, Any] = {"project": project}
    if one.target == SYSTEM:
        scope = {"system": {"all": True}}
    elif one.target == DOMAIN:
        scope = {"domain": DOMAIN_REFERENCE if names else {"id": DOMAIN}}
    link = f"{asked.base}/{place}/users/{one.user_id}/roles/{role_id(one.role)}"
    return {"role": shown_role, "user": user, "scope": scope, "links": {"assignment": link}}
