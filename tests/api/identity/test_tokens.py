"""Tokens: how they come, what they say, and how they end."""

from datetime import datetime
from typing import Any

import pytest

from netplane.api.callers.keys import rotate
from netplane.api.context import Context, roles
from netplane.model import Assignment, Project, User
from tests.api.identity.cloud import PASSWORD, Cloud

UNAUTHORIZED = (401, "Unauthorized")
ADMIN = Context("admin", roles(["admin"]), "admin")
PROJECT = {"project": {"name": "admin", "domain": {"name": "Default"}}}


def identity(**user: Any) -> dict[str, Any]:
    return {"methods": ["password"], "password": {"user": user}}


def test_a_token_says_who_and_where(cloud: Cloud) -> None:
    reply = cloud.try_to_log_in("admin", PASSWORD, PROJECT)
    assert reply.headers["vary"] == "X-Auth-Token"
    assert reply.headers["x-openstack-request-id"].startswith("req-")
    token = reply.json["token"]
    assert token["methods"] == ["password"]
    assert token["user"]["name"] == token["project"]["name"] == "admin"
    assert token["user"]["domain"] == token["project"]["domain"] == {"id": "default", "name": "Default"}
    assert token["is_domain"] is False
    assert [role["name"] for role in token["roles"]] == ["admin", "manager", "member", "reader"]
    times = [datetime.strptime(token[name], "%Y-%m-%dT%H:%M:%S.%fZ") for name in ("issued_at", "expires_at")]
    assert (times[1] - times[0]).total_seconds() == 3600
    shown = {service["type"]: service["endpoints"] for service in token["catalog"]}
    assert {one["interface"] for one in shown["network"]} == {"public", "internal", "admin"}
    assert {one["url"] for one in shown["network"]} == {"http://net.example/networking"}
    assert {one["url"] for one in shown["identity"]} == {"http://net.example/identity/v3"}
    assert (
        {one["region"] for one in shown["network"]} == {one["region_id"] for one in shown["network"]} == {"RegionOne"}
    )


@pytest.mark.parametrize(
    ("scope", "named"),
    [
        ("unscoped", set()),
        ({"system": {"all": True}}, {"system", "roles", "catalog"}),
        ({"domain": {"id": "default"}}, {"domain", "roles", "catalog"}),
        (PROJECT, {"project", "roles", "catalog", "is_domain"}),
        (None, {"project", "roles", "catalog", "is_domain"}),
    ],
)
def test_scopes(cloud: Cloud, scope: Any, named: set[str]) -> None:
    token = cloud.try_to_log_in("admin", PASSWORD, scope).json["token"]
    always = {"methods", "user", "audit_ids", "expires_at", "issued_at"}
    assert set(token) == named | always


def test_the_catalog_can_be_left_out(cloud: Cloud) -> None:
    body = {"auth": {"identity": identity(name="admin", domain={"id": "default"}, password=PASSWORD), "extra": 1}}
    assert "catalog" not in cloud.ask("POST", "/v3/auth/tokens?nocatalog", body).json["token"]


def test_users_and_projects_by_id(cloud: Cloud) -> None:
    with cloud.store.read() as reader:
        user, project = reader.list(User)[0].id, reader.list(Project)[0].id
    auth = {"identity": identity(id=user, password=PASSWORD), "scope": {"project": {"id": project}}}
    assert cloud.ask("POST", "/identity/v3/auth/tokens", {"auth": auth}).json["token"]["project"]["id"] == project


@pytest.mark.parametrize(
    ("user", "password", "scope"),
    [
        ("admin", "wrong", None),
        ("admin", "", None),
        ("admin", "x" * 5000, None),
        ("nobody", PASSWORD, None),
        ("Admin", PASSWORD, None),
        ("admin", PASSWORD, {"project": {"name": "other", "domain": {"name": "Default"}}}),
        ("admin", PASSWORD, {"project": {"name": "admin", "domain": {"name": "other"}}}),
        ("admin", PASSWORD, {"project": {"id": "7"}}),
        ("admin", PASSWORD, {"domain": {"id": "other"}}),
    ],
)
def test_whatever_is_wrong_nothing_is_told(cloud: Cloud, user: str, password: str, scope: Any) -> None:
    reply = cloud.try_to_log_in(user, password, scope)
    assert cloud.error(reply) == UNAUTHORIZED
    assert reply.json["error"]["message"] == "The request you have made requires authentication."
    assert reply.headers["www-authenticate"] == 'Keystone uri="http://net.example/v3"'
    assert "x-subject-token" not in reply.headers


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "JSON"),
        (b"[]", "array"),
        (b'{"auth": null}', "auth"),
        (b"\xff", "JSON"),
        (b'{"auth": "\\ud800"}', "JSON"),
        (b"[" * 60_000, ""),
        ({}, "'auth'"),
        ({"auth": {}}, "'identity'"),
        ({"auth": {"identity": {}}}, "'methods'"),
        ({"auth": {"identity": {"methods": "password"}}}, "auth/identity/methods"),
        ({"auth": {"identity": {"methods": []}}}, "methods"),
        ({"auth": {"identity": {"methods": ["password"]}}}, "'password'"),
        ({"auth": {"identity": identity(name="admin", domain={"id": "default"})}}, "'password'"),
        ({"auth": {"identity": identity(name="admin", password="x")}}, "domain"),
        ({"auth": {"identity": identity(password="x")}}, "id or name"),
        ({"auth": {"identity": identity(name=7, password="x")}}, "auth/identity/password/user/name"),
        ({"auth": {"identity": {"methods": ["token"], "token": {}}}}, "'id'"),
        ({"auth": {"identity": identity(id="x", password="x"), "scope": "all"}}, "scope"),
        ({"auth": {"identity": identity(id="x", password="x"), "scope": {"project": {}, "domain": {}}}}, "scope"),
    ],
)
def test_bodies_that_make_no_sense(cloud: Cloud, body: Any, field: str) -> None:
    reply = cloud.ask("POST", "/v3/auth/tokens", body)
    assert cloud.error(reply) == (400, "Bad Request")
    assert field in reply.json["error"]["message"]


def test_other_methods(cloud: Cloud) -> None:
    reply = cloud.ask("POST", "/v3/auth/tokens", {"auth": {"identity": {"methods": ["totp"]}}})
    assert cloud.error(reply) == UNAUTHORIZED
    assert reply.json["error"]["identity"] == {"methods": ["password", "token", "application_credential"]}


def test_a_token_opens_the_network_api_and_has_a_name_in_the_log(cloud: Cloud) -> None:
    token = cloud.log_in()
    made = cloud.ask("POST", "/networking/v2.0/networks", {"network": {"name": "n"}}, token).json["network"]
    with cloud.store.read() as reader:
        assert made["project_id"] == reader.list(Project)[0].id
    assert cloud.store.journal(cloud.store.revision - 1)[0].actor == "admin"


def test_a_token_that_is_for_nothing_opens_nothing_else(cloud: Cloud) -> None:
    token = cloud.log_in(scope="unscoped")
    assert cloud.ask("GET", "/v2.0/networks", token=token).status == 403
    assert cloud.ask("GET", "/v3/auth/projects", token=token).json["projects"][0]["name"] == "admin"
    assert cloud.ask("GET", "/v3/auth/system", token=token).json["system"] == [{"all": True}]
    assert cloud.ask("GET", "/v3/auth/domains", token=token).json["domains"][0]["id"] == "default"


def test_one_token_for_another(cloud: Cloud) -> None:
    first = cloud.log_in(scope="unscoped")
    cloud.time += 60_000_000
    reply = cloud.rescope(first, PROJECT)
    token, before = reply.json["token"], cloud.subject(first, first).json["token"]
    assert token["methods"] == ["password", "token"]
    assert token["expires_at"] == before["expires_at"]
    assert token["audit_ids"][1] == before["audit_ids"][0]
    assert cloud.may_list_networks(reply.headers["x-subject-token"])
    assert cloud.error(cloud.rescope("wrong", PROJECT)) == UNAUTHORIZED


def test_tokens_are_shown(cloud: Cloud) -> None:
    token = cloud.log_in()
    reply = cloud.subject(token, token)
    assert (reply.status, reply.headers["x-subject-token"]) == (200, token)
    assert reply.json["token"]["user"]["name"] == "admin"
    head = cloud.subject(token, token, "HEAD")
    assert head.status == 200
    assert cloud.error(cloud.subject("wrong", token)) == (404, "Not Found")
    assert cloud.error(cloud.subject("", token)) == (404, "Not Found")
    assert cloud.subject(token, "blue").status == 403
    assert cloud.subject(token, "").status == 401
    assert cloud.ask("GET", "/v3/auth/catalog", token=token).json["catalog"][0]["type"] == "network"


def test_tokens_expire(cloud: Cloud) -> None:
    token = cloud.log_in()
    assert cloud.may_list_networks(token)
    cloud.time += 3599_000_000
    assert cloud.may_list_networks(token)
    cloud.time += 1_000_000
    assert not cloud.may_list_networks(token)
    assert cloud.error(cloud.rescope(token)) == UNAUTHORIZED


def test_tokens_are_revoked_with_all_that_came_from_them(cloud: Cloud) -> None:
    first, other = cloud.log_in(), cloud.log_in()
    second = cloud.rescope(first, PROJECT).headers["x-subject-token"]
    assert cloud.may_list_networks(first)
    assert cloud.may_list_networks(second)
    assert cloud.subject(first, "blue", "DELETE").status == 403
    assert cloud.subject(first, first, "DELETE").status == 204
    assert [cloud.may_list_networks(token) for token in (first, second, other)] == [False, False, True]
    assert cloud.error(cloud.rescope(first)) == UNAUTHORIZED
    assert cloud.subject(first, other, "DELETE").status == 404


def test_forged_tokens(cloud: Cloud) -> None:
    token = cloud.log_in()
    for place in range(0, len(token) - 1, 7):
        forged = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert not cloud.may_list_networks(forged)
    for strange in (token[:-4], token + "AAAA", "gAAAAA", "=", "\xff", "A" * 60_000, token.upper()):
        assert not cloud.may_list_networks(strange)
    assert cloud.may_list_networks(token)


def test_new_keys(cloud: Cloud) -> None:
    old = cloud.log_in()
    cloud.time += 2_000_000
    with cloud.identity.write(ADMIN) as transaction:
        rotate(transaction, cloud.time, 3600_000_000, revoke=False)
    new = cloud.log_in()
    assert old[:5] != new[:5]
    assert cloud.may_list_networks(old)
    with cloud.identity.write(ADMIN) as transaction:
        rotate(transaction, cloud.time, 3600_000_000, revoke=True)
    assert not cloud.may_list_networks(old)
    assert not cloud.may_list_networks(new)
    assert cloud.may_list_networks(cloud.log_in())


def test_roles_go_at_once(cloud: Cloud) -> None:
    token = cloud.log_in()
    assert cloud.may_list_networks(token)
    with cloud.identity.write(ADMIN) as transaction:
        for held in transaction.list(Assignment):
            transaction.delete(held)
    assert not cloud.may_list_networks(token)


def test_another_controller_hears_by_the_change_log(cloud: Cloud) -> None:
    token = cloud.log_in()
    mine, tokens = cloud.app, cloud.identity.tokens
    assert cloud.may_list_networks(token)
    cloud.app = cloud.controller()
    assert cloud.may_list_networks(token)
    before = cloud.store.revision
    assert cloud.subject(token, token, "DELETE").status == 204
    assert not cloud.may_list_networks(token)
    cloud.app = mine
    assert cloud.may_list_networks(token)
    tokens.take(cloud.store.changes(before))
    assert not cloud.may_list_networks(token)


def test_what_is_remembered_is_looked_up_again_before_long(cloud: Cloud) -> None:
    token = cloud.log_in()
    assert cloud.may_list_networks(token)
    with cloud.store.write("somebody whose changes are never heard of") as transaction:
        user = transaction.list(User)[0]
        transaction.delete(user)
    cloud.time += 11_000_000
    assert not cloud.may_list_networks(token)


def test_keys_are_made_by_administrators(cloud: Cloud) -> None:
    admin = cloud.log_in()
    made = cloud.ask("POST", "/netplane/v1/signing-keys", {}, admin)
    assert (made.status, set(made.json)) == (201, {"id"})
    assert cloud.may_list_networks(admin)
    assert cloud.ask("POST", "/netplane/v1/signing-keys", {}, "blue").error == (403, "PolicyNotAuthorized")
    assert cloud.ask("POST", "/netplane/v1/signing-keys", {"x": 1}, admin).error == (400, "InvalidInput")
    assert cloud.ask("POST", "/netplane/v1/signing-keys", {"revoke": True}, admin).status == 201
    assert not cloud.may_list_networks(admin)
