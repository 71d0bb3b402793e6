"""`/v3/projects` and `/v3/domains`."""

from uuid import uuid4

from msgspec.structs import replace

from netplane.api.identity.bodies import NEW_PROJECT, OTHER_PROJECT, check_place, said
from netplane.api.identity.errors import forbidden, not_found
from netplane.api.identity.service import Asked, Identity, Told, collection, is_true, need_admin, need_reader, parse
from netplane.api.identity.views import domain_view, project_view
from netplane.model import Assignment, Project, Quota
from netplane.model.identity import DOMAIN
from netplane.model.quota import quota_id
from netplane.store import Reader


def create(identity: Identity, asked: Asked) -> Told:
    """POST."""
    need_admin(asked.context, "create_project")
    wish = parse(NEW_PROJECT, asked.body).project
    check_place(wish)
    own = said(wish, "name", "description", "enabled")
    with identity.write(asked.context) as transaction:
        project = transaction.add(Project(id=uuid4().hex, tags=tuple(wish.tags), **own))
    return Told(201, {"project": project_view(project, asked.base)})


def list_all(identity: Identity, asked: Asked) -> Told:
    """GET of many; who may not see all sees those that there are tokens for."""
    with identity.store.read() as reader:
        found = [project for project in _candidates(reader, asked) if _matches(project, asked)]
    if not found and "name" in asked.query:
        # Clients that look for a project by its id or name then take what they were given as its id.
        need_reader(asked.context, "list_projects")
    return collection(asked, "projects", "projects", [project_view(project, asked.base) for project in found])


def show(identity: Identity, asked: Asked, id: str) -> Told:
    """GET of one."""
    with identity.store.read() as reader:
        project = reader.get(Project, id)
        is_own = id == asked.context.project or (asked.context.user and id in _own(reader, asked.context.user))
    if not is_own:
        need_reader(asked.context, "get_project")
    if project is None:
        raise not_found("project", id)
    return Told(200, {"project": project_view(project, asked.base)})


def update(identity: Identity, asked: Asked, id: str) -> Told:
    """PATCH."""
    need_admin(asked.context, "update_project")
    wish = parse(OTHER_PROJECT, asked.body).project
    check_place(wish)
    new = said(wish, "name", "description", "enabled", "tags")
    with identity.write(asked.context) as transaction:
        project = transaction.get(Project, id)
        if project is None:
            raise not_found("project", id)
        if "tags" in new:
            new["tags"] = tuple(new["tags"])
        project = transaction.put(replace(project, **new))
    return Told(200, {"project": project_view(project, asked.base)})


def delete(identity: Identity, asked: Asked, id: str) -> Told:
    """DELETE: roles in the project, application credentials for it and its quota go along; what it owns does not."""
    need_admin(asked.context, "delete_project")
    with identity.write(asked.context) as transaction:
        project = transaction.get(Project, id)
        if project is None:
            raise not_found("project", id)
        transaction.delete(project)
        quota = transaction.get(Quota, quota_id(id))
        if quota is not None:
            transaction.delete(quota)
    return Told(204, None)


def domains(_identity: Identity, asked: Asked) -> Told:
    """GET of all domains: there is one."""
    is_asked = asked.query.get("name", "Default") == "Default" and is_true(asked.query.get("enabled", "true"))
    return collection(asked, "domains", "domains", [domain_view(asked.base)] if is_asked else [])


def domain(_identity: Identity, asked: Asked, id: str) -> Told:
    """GET of one domain."""
    if id != DOMAIN:
        raise not_found("domain", id)
    return Told(200, {"domain": domain_view(asked.base)})


def _candidates(reader: Reader, asked: Asked) -> list[Project]:
    """By the narrowest way that the store offers."""
    if not (asked.context.is_admin or (asked.context.is_system and "reader" in asked.context.roles)):
        if not asked.context.user:
            raise forbidden("list_projects")
        return reader.list(Project, None, _own(reader, asked.context.user))
    if "name" in asked.query:
        id = reader.holder("project-name", asked.query["name"])
        return reader.list(Project, None, [id] if id else [])
    return reader.list(Project)


def _own(reader: Reader, user: str) -> set[str]:
    return {one.target for one in reader.find(Assignment, "user_id", user)}


def _matches(project: Project, asked: Asked) -> bool:
    query = asked.query
    return (
        query.get("name", project.name) == project.name
        and query.get("domain_id", DOMAIN) == DOMAIN
        and query.get("parent_id", DOMAIN) == DOMAIN
        and not is_true(query.get("is_domain", "false"))
        and is_true(query.get("enabled", str(project.enabled))) == project.enabled
    )
