"""`/v3/users`: who may log in, and their passwords. Hashes are made before a transaction begins."""

from typing import Any
from uuid import uuid4

from msgspec.structs import replace

from netplane.api.identity.bodies import NEW_USER, OTHER_USER, PASSWORD, check_place, said
from netplane.api.identity.errors import not_found, unauthorized
from netplane.api.identity.login.passwords import hash_password
from netplane.api.identity.login.proof import check_secret
from netplane.api.identity.service import Asked, Identity, Told, collection, is_true, need_admin, need_reader, parse
from netplane.api.identity.views import project_view, user_view
from netplane.model import Assignment, Project, User
from netplane.model.identity import DOMAIN
from netplane.store import Reader

OWN = ("name", "description", "email", "enabled", "default_project_id")


def create(identity: Identity, asked: Asked) -> Told:
    """POST."""
    need_admin(asked.context, "create_user")
    wish = parse(NEW_USER, asked.body).user
    check_place(wish)
    hashed = "" if wish.password is None else hash_password(wish.password)
    with identity.write(asked.context) as transaction:
        user = transaction.add(User(id=uuid4().hex, password=hashed, **said(wish, *OWN)))
    return Told(201, {"user": user_view(user, asked.base)})


def list_all(identity: Identity, asked: Asked) -> Told:
    """GET of many."""
    need_reader(asked.context, "list_users")
    with identity.store.read() as reader:
        found = [user for user in _candidates(reader, asked) if _matches(user, asked)]
    return collection(asked, "users", "users", [user_view(user, asked.base) for user in found])


def show(identity: Identity, asked: Asked, id: str) -> Told:
    """GET of one: one's own, or anybody's for who may see all."""
    if id != asked.context.user:
        need_reader(asked.context, "get_user")
    with identity.store.read() as reader:
        user = reader.get(User, id)
    if user is None:
        raise not_found("user", id)
    return Told(200, {"user": user_view(user, asked.base)})


def update(identity: Identity, asked: Asked, id: str) -> Told:
    """PATCH. Another password, and being disabled, make all the user's tokens void."""
    need_admin(asked.context, "update_user")
    wish = parse(OTHER_USER, asked.body).user
    check_place(wish)
    new: dict[str, Any] = said(wish, *OWN)
    if "password" in (given := said(wish, "password")):
        new["password"] = hash_password(given["password"]) if given["password"] else ""
    with identity.write(asked.context) as transaction:
        user = transaction.get(User, id)
        if user is None:
            raise not_found("user", id)
        if "password" in new or new.get("enabled") is False:
            new["epoch"] = user.epoch + 1
        user = transaction.put(replace(user, **new))
    return Told(200, {"user": user_view(user, asked.base)})


def delete(identity: Identity, asked: Asked, id: str) -> Told:
    """DELETE: roles and application credentials go along."""
    need_admin(asked.context, "delete_user")
    with identity.write(asked.context) as transaction:
        user = transaction.get(User, id)
        if user is None:
            raise not_found("user", id)
        transaction.delete(user)
    return Told(204, None)


def change_password(identity: Identity, asked: Asked, id: str) -> Told:
    """POST of a password: by who knows the one that was."""
    wish = parse(PASSWORD, asked.body).user
    with identity.store.read() as reader:
        user = reader.get(User, id)
    check_secret(identity, asked, id, wish.original_password, user.password if user else "")
    hashed = hash_password(wish.password)
    context = asked.context if user is None or asked.context.actor else replace(asked.context, actor=user.name)
    with identity.write(context) as transaction:
        now = transaction.get(User, id)
        if user is None or now is None or not now.enabled or now.password != user.password:
            raise unauthorized()
        transaction.put(replace(now, password=hashed, epoch=now.epoch + 1))
    return Told(204, None)


def projects(identity: Identity, asked: Asked, id: str) -> Told:
    """GET of the projects that a user has a role in."""
    if id != asked.context.user:
        need_reader(asked.context, "list_user_projects")
    with identity.store.read() as reader:
        if reader.get(User, id) is None:
            raise not_found("user", id)
        found = reader.list(Project, None, {one.target for one in reader.find(Assignment, "user_id", id)})
    return collection(
        asked, f"users/{id}/projects", "projects", [project_view(project, asked.base) for project in found]
    )


def groups(identity: Identity, asked: Asked, id: str) -> Told:
    """GET of a user's groups: there are none."""
    if id != asked.context.user:
        need_reader(asked.context, "list_groups_for_user")
    return collection(asked, f"users/{id}/groups", "groups", [])


def _candidates(reader: Reader, asked: Asked) -> list[User]:
    if "name" in asked.query:
        id = reader.holder("user-name", asked.query["name"])
        return reader.list(User, None, [id] if id else [])
    return reader.list(User)


def _matches(user: User, asked: Asked) -> bool:
    query = asked.query
    return (
        query.get("domain_id", DOMAIN) == DOMAIN
        and query.get("default_project_id", user.default_project_id) == user.default_project_id
        and is_true(query.get("enabled", str(user.enabled))) == user.enabled
    )
