"""Projects, users and who has which role where: made, changed, taken away, and what follows at once."""

from typing import Any

import pytest

from netplane.model import role_id
from tests.api.identity.cloud import PASSWORD, Cloud

PROJECT_KEYS = {
    "id", "name", "domain_id", "description", "enabled", "parent_id", "is_domain", "tags", "options", "links",
}  # fmt: skip
USER_KEYS = {"id", "name", "domain_id", "enabled", "password_expires_at", "options", "links"}


def test_a_project_up_and_down(cloud: Cloud) -> None:
    admin = cloud.log_in()
    before = cloud.store.revision
    made = cloud.make("project", admin, name="blue", description="sky", domain_id="default")
    assert set(made) == PROJECT_KEYS
    shown = (made["domain_id"], made["parent_id"], made["is_domain"], made["enabled"])
    assert shown == ("default", "default", False, True)
    assert made["links"]["self"] == f"http://net.example/v3/projects/{made['id']}"
    assert len(made["id"]) == 32
    assert cloud.get(f"projects/{made['id']}", admin)["project"] == made
    assert cloud.get("projects?name=blue", admin)["projects"] == [made]
    assert cloud.get("projects?name=red", admin)["projects"] == []
    assert cloud.get("projects?enabled=false", admin)["projects"] == []
    assert [one["name"] for one in cloud.get("projects?domain_id=default", admin)["projects"]] in (
        ["admin", "blue"],
        ["blue", "admin"],
    )
    assert cloud.error(cloud.ask("GET", "/v3/projects/blue", token=admin)) == (404, "Not Found")
    changed = cloud.ask("PATCH", f"/v3/projects/{made['id']}", {"project": {"name": "navy", "tags": ["a"]}}, admin).json
    assert changed["project"] == made | {"name": "navy", "tags": ["a"]}
    assert cloud.ask("DELETE", f"/v3/projects/{made['id']}", token=admin).status == 204
    assert cloud.ask("DELETE", f"/v3/projects/{made['id']}", token=admin).status == 404
    assert cloud.store.revision == before + 3


def test_a_user_up_and_down(cloud: Cloud) -> None:
    admin = cloud.log_in()
    made = cloud.make("user", admin, name="ann", password="word", domain_id="default", email="ann@example.org")
    assert set(made) == USER_KEYS | {"email"}
    assert cloud.get(f"users/{made['id']}", admin)["user"] == made
    assert cloud.get("users?name=ann", admin)["users"] == [made]
    assert len(cloud.get("users", admin)["users"]) == 2
    token = cloud.log_in("ann", "word")
    assert cloud.get(f"users/{made['id']}", token)["user"] == made
    changed = cloud.ask("PATCH", f"/v3/users/{made['id']}", {"user": {"name": "bea", "email": None}}, admin).json
    assert (changed["user"]["name"], "email" in changed["user"]) == ("bea", False)
    assert cloud.ask("DELETE", f"/v3/users/{made['id']}", token=admin).status == 204
    assert cloud.ask("GET", f"/v3/users/{made['id']}", token=token).status == 401
    assert cloud.try_to_log_in("bea", "word").status == 401


def test_roles_up_and_down(cloud: Cloud) -> None:
    admin = cloud.log_in()
    user, project = cloud.member(admin, "ann")
    scope = {"project": {"id": project}}
    path = f"/v3/projects/{project}/users/{user}/roles"
    token = cloud.log_in("ann", "word", scope)
    shown = cloud.subject(token, token).json["token"]["roles"]
    assert [role["name"] for role in shown] == ["member", "reader"]
    member = role_id("member")
    assert cloud.ask("HEAD", f"{path}/{member}", token=admin).status == 204
    assert cloud.ask("PUT", f"{path}/{member}", token=admin).status == 204
    assert [role["id"] for role in cloud.ask("GET", path, token=admin).json["roles"]] == [member]
    assert [one["id"] for one in cloud.get(f"users/{user}/projects", token)["projects"]] == [project]
    assert cloud.may_list_networks(token)
    assert cloud.ask("DELETE", f"{path}/{member}", token=admin).status == 204
    assert not cloud.may_list_networks(token)
    assert cloud.ask("DELETE", f"{path}/{member}", token=admin).status == 404
    assert cloud.try_to_log_in("ann", "word", scope).status == 401


@pytest.mark.parametrize(
    ("place", "scope"), [("system", {"system": {"all": True}}), ("domains/default", {"domain": {"id": "default"}})]
)
def test_roles_in_the_system_and_in_the_domain(cloud: Cloud, place: str, scope: Any) -> None:
    admin = cloud.log_in()
    user, _ = cloud.member(admin, "ann")
    path = f"/v3/{place}/users/{user}/roles/{role_id('reader')}"
    assert cloud.try_to_log_in("ann", "word", scope).status == 401
    assert cloud.ask("PUT", path, token=admin).status == 204
    assert cloud.try_to_log_in("ann", "word", scope).status == 201
    assert cloud.ask("DELETE", path, token=admin).status == 204
    assert cloud.try_to_log_in("ann", "word", scope).status == 401


def test_assignments_are_listed(cloud: Cloud) -> None:
    admin = cloud.log_in()
    user, project = cloud.member(admin, "ann")
    (one,) = cloud.get(f"role_assignments?user.id={user}&include_names=true", admin)["role_assignments"]
    assert one["role"] == {"id": role_id("member"), "name": "member"}
    assert (one["user"]["name"], one["scope"]["project"]["name"]) == ("ann", "of ann")
    effective = cloud.get(f"role_assignments?scope.project.id={project}&effective", admin)["role_assignments"]
    assert {each["role"]["id"] for each in effective} == {role_id("member"), role_id("reader")}
    assert len(cloud.get("role_assignments?scope.system=all", admin)["role_assignments"]) == 1
    assert len(cloud.get("role_assignments", admin)["role_assignments"]) == 4
    mine = cloud.ask("GET", f"/v3/role_assignments?user.id={user}", token=cloud.log_in("ann", "word"))
    assert mine.status == 200
    assert cloud.get(f"role_assignments?role.id={role_id('service')}", admin)["role_assignments"] == []


def test_roles_are_fixed(cloud: Cloud) -> None:
    admin = cloud.log_in()
    roles = cloud.get("roles", admin)["roles"]
    assert [role["name"] for role in roles] == ["admin", "manager", "member", "reader", "service"]
    assert cloud.get("roles?name=member", admin)["roles"] == [roles[2]]
    assert cloud.get(f"roles/{roles[2]['id']}", admin)["role"] == roles[2]
    assert cloud.error(cloud.ask("GET", "/v3/roles/member", token=admin)) == (404, "Not Found")
    assert cloud.error(cloud.ask("POST", "/v3/roles", {"role": {"name": "x"}}, admin)) == (403, "Forbidden")
    assert [one["prior_role"]["name"] for one in cloud.get("role_inferences", admin)["role_inferences"]] == [
        "admin",
        "manager",
        "member",
    ]


def test_domains(cloud: Cloud) -> None:
    admin = cloud.log_in()
    (one,) = cloud.get("domains?name=Default", admin)["domains"]
    assert (one["id"], one["name"], one["enabled"]) == ("default", "Default", True)
    assert cloud.get("domains/default", admin)["domain"] == one
    assert cloud.get("domains?name=other", admin)["domains"] == []
    assert cloud.ask("GET", "/v3/domains/other", token=admin).status == 404


ADMINS = [
    ("POST", "projects", {"project": {"name": "x"}}),
    ("PATCH", "projects/{project}", {"project": {"name": "x"}}),
    ("DELETE", "projects/{project}", None),
    ("GET", "projects/{other}", None),
    ("POST", "users", {"user": {"name": "x"}}),
    ("GET", "users", None),
    ("GET", "users/{admin}", None),
    ("PATCH", "users/{user}", {"user": {"name": "x"}}),
    ("DELETE", "users/{user}", None),
    ("GET", "users/{admin}/projects", None),
    ("GET", "users/{admin}/application_credentials", None),
    ("GET", "role_assignments", None),
    ("GET", "role_assignments?user.id={admin}", None),
    ("GET", "projects/{project}/users/{user}/roles", None),
    ("PUT", "projects/{project}/users/{user}/roles/{role}", None),
    ("PUT", "system/users/{user}/roles/{role}", None),
    ("PUT", "domains/default/users/{user}/roles/{role}", None),
    ("DELETE", "projects/{project}/users/{user}/roles/{role}", None),
    ("GET", "auth/tokens", None),
    ("DELETE", "auth/tokens", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ADMINS)
def test_what_takes_an_administrator(cloud: Cloud, method: str, path: str, body: Any) -> None:
    admin = cloud.log_in()
    user, project = cloud.member(admin, "ann")
    shown = cloud.subject(admin, admin).json["token"]
    words = {"user": user, "project": project, "other": shown["project"]["id"], "admin": shown["user"]["id"]}
    token = cloud.log_in("ann", "word", {"project": {"id": project}})
    before = cloud.store.revision
    reply = cloud.ask(method, f"/v3/{path.format(role=role_id('admin'), **words)}", body, token, X_Subject_Token=admin)
    assert cloud.error(reply) == (403, "Forbidden")
    assert cloud.store.revision == before


def test_who_reads_the_system_reads_and_writes_nothing(cloud: Cloud) -> None:
    admin = cloud.log_in()
    user, project = cloud.member(admin, "ann")
    assert cloud.ask("PUT", f"/v3/system/users/{user}/roles/{role_id('reader')}", token=admin).status == 204
    token = cloud.log_in("ann", "word", {"system": {"all": True}})
    assert len(cloud.get("projects", token)["projects"]) == 2
    assert len(cloud.get("users", token)["users"]) == 2
    assert cloud.ask("DELETE", f"/v3/projects/{project}", token=token).status == 403


def test_members_see_their_own_projects(cloud: Cloud) -> None:
    admin = cloud.log_in()
    _, project = cloud.member(admin, "ann")
    token = cloud.log_in("ann", "word")
    assert [one["id"] for one in cloud.get("projects", token)["projects"]] == [project]
    # With a 403, clients take what they were told to be an id: so a member can share something with another project.
    assert cloud.error(cloud.ask("GET", "/v3/projects?name=admin", token=token)) == (403, "Forbidden")
    assert cloud.get(f"projects/{project}", token)["project"]["name"] == "of ann"


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("projects", {}, 400, "'project' is a required"),
        ("projects", {"project": {}}, 400, "'name' is a required"),
        ("projects", {"project": {"name": ""}}, 400, "project/name"),
        ("projects", {"project": {"name": " "}}, 400, "project/name"),
        ("projects", {"project": {"name": "x" * 65}}, 400, "project/name"),
        ("projects", {"project": {"name": 7}}, 400, "project/name"),
        ("projects", {"project": {"name": "x", "enabled": "yes"}}, 400, "project/enabled"),
        ("projects", {"project": {"name": "x", "domain_id": "other"}}, 400, "domain_id"),
        ("projects", {"project": {"name": "x", "parent_id": "7"}}, 400, "parent_id"),
        ("projects", {"project": {"name": "x", "is_domain": True}}, 400, "is_domain"),
        ("projects", {"project": {"name": "x", "tags": ["a,b"]}}, 400, "tags"),
        ("projects", {"project": {"name": "admin"}}, 409, "admin"),
        ("users", {"user": {}}, 400, "'name' is a required"),
        ("users", {"user": {"name": "x" * 256}}, 400, "user/name"),
        ("users", {"user": {"name": "x", "password": ""}}, 400, "user/password"),
        ("users", {"user": {"name": "x", "password": "y" * 1025}}, 400, "user/password"),
        ("users", {"user": {"name": "x", "domain_id": "other"}}, 400, "domain_id"),
        ("users", {"user": {"name": "admin", "password": "x"}}, 409, "admin"),
        ("users", b"{", 400, "JSON"),
        ("users", b" " * 70_000, 413, "longer"),
    ],
)
def test_bad_bodies(cloud: Cloud, path: str, body: Any, status: int, words: str) -> None:
    admin = cloud.log_in()
    before = cloud.store.revision
    reply = cloud.ask("POST", f"/v3/{path}", body, admin)
    assert reply.status == status
    assert words in reply.json["error"]["message"]
    assert cloud.store.revision == before


@pytest.mark.parametrize("path", ["nothing", "users/1/2/3", "auth/nothing", "auth/tokens/OS-PKI/revoked"])
def test_unknown_paths(cloud: Cloud, path: str) -> None:
    assert cloud.error(cloud.ask("GET", f"/v3/{path}", token=cloud.log_in())) == (404, "Not Found")
    assert cloud.error(cloud.ask("GET", f"/v3/{path}")) == (401, "Unauthorized")


def test_methods_that_there_are_not(cloud: Cloud) -> None:
    assert cloud.error(cloud.ask("PUT", "/v3/users", {}, cloud.log_in())) == (405, "Method Not Allowed")


def test_unknown_users_projects_and_roles(cloud: Cloud) -> None:
    admin = cloud.log_in()
    user, project = cloud.member(admin, "ann")
    role = role_id("member")
    for path in (
        f"projects/7/users/{user}/roles/{role}",
        f"projects/{project}/users/7/roles/{role}",
        f"projects/{project}/users/{user}/roles/7",
        f"projects/system/users/{user}/roles/{role}",
        f"domains/other/users/{user}/roles/{role}",
    ):
        assert cloud.error(cloud.ask("PUT", f"/v3/{path}", token=admin)) == (404, "Not Found")
    for kind in ("projects", "users"):
        for method, body in (("GET", None), ("PATCH", {kind[:-1]: {}}), ("DELETE", None)):
            assert cloud.error(cloud.ask(method, f"/v3/{kind}/7", body, admin)) == (404, "Not Found")


def test_another_password_ends_all_tokens(cloud: Cloud) -> None:
    admin = cloud.log_in()
    user, _ = cloud.member(admin, "ann")
    path = f"/v3/users/{user}/password"
    token = cloud.log_in("ann", "word")
    assert cloud.may_list_networks(token)
    wrong = {"user": {"original_password": "wrong", "password": "other"}}
    assert cloud.ask("POST", path, wrong, token).status == 401
    assert cloud.may_list_networks(token)
    assert cloud.ask("POST", path, {"user": {"original_password": "word", "password": "other"}}).status == 204
    assert not cloud.may_list_networks(token)
    assert cloud.try_to_log_in("ann", "word").status == 401
    token = cloud.log_in("ann", "other")
    assert cloud.ask("PATCH", f"/v3/users/{user}", {"user": {"password": "third"}}, admin).status == 200
    assert not cloud.may_list_networks(token)
    assert cloud.ask("PATCH", f"/v3/users/{user}", {"user": {"password": None}}, admin).status == 200
    assert cloud.try_to_log_in("ann", "third").status == 401
    assert cloud.try_to_log_in("ann", "").status == 401


@pytest.mark.parametrize("kind", ["user", "project"])
def test_what_is_disabled_is_of_no_use(cloud: Cloud, kind: str) -> None:
    admin = cloud.log_in()
    user, project = cloud.member(admin, "ann")
    scope = {"project": {"id": project}}
    token = cloud.log_in("ann", "word", scope)
    assert cloud.may_list_networks(token)
    path = f"/v3/{kind}s/{user if kind == 'user' else project}"
    assert cloud.ask("PATCH", path, {kind: {"enabled": False}}, admin).status == 200
    assert not cloud.may_list_networks(token)
    assert cloud.try_to_log_in("ann", "word", scope).status == 401
    assert cloud.ask("PATCH", path, {kind: {"enabled": True}}, admin).status == 200
    assert cloud.try_to_log_in("ann", "word", scope).status == 201
    assert cloud.may_list_networks(token) is (kind == "project")


def test_a_user_that_is_gone_leaves_nothing(cloud: Cloud) -> None:
    admin = cloud.log_in()
    before = cloud.records()
    user, project = cloud.member(admin, "ann")
    assert cloud.ask("DELETE", f"/v3/users/{user}", token=admin).status == 204
    assert cloud.ask("DELETE", f"/v3/projects/{project}", token=admin).status == 204
    assert cloud.records() == before


def test_secrets_are_nowhere(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    """Not in an answer, not in a log, not in what hosts or watchers are told; in the store as hashes."""
    caplog.set_level("DEBUG")
    admin = cloud.log_in()
    user, _ = cloud.member(admin, "ann")
    cloud.log_in("ann", "word")
    cloud.try_to_log_in("ann", "a wrong guess")
    shown = [cloud.ask("GET", f"/v3/{path}", token=admin).content for path in ("users", f"users/{user}", "projects")]
    assert not [text for text in shown if b"argon2" in text or b"word" in text.replace(b"password_expires_at", b"")]
    assert PASSWORD not in caplog.text
    assert "guess" not in caplog.text
    assert admin not in caplog.text
    changes = repr(cloud.store.changes(0, 10_000))
    assert "argon2id" in changes
    assert PASSWORD not in changes
    assert "'word'" not in changes
