"""Application credentials: what programs log in with."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from netplane.api.identity.credentials import MOST
from netplane.model import ApplicationCredential, role_id
from tests.api.identity.cloud import Cloud, Json


def by_credential(cloud: Cloud, scope: Json = None, **credential: Json) -> Any:
    auth: Json = {"identity": {"methods": ["application_credential"], "application_credential": credential}}
    if scope is not None:
        auth["scope"] = scope
    return cloud.ask("POST", "/v3/auth/tokens", {"auth": auth})


class Ann:
    """A member of one project, and her credentials."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.admin = cloud.log_in()
        self.user, self.project = cloud.member(self.admin, "ann")
        self.token = cloud.log_in("ann", "word", {"project": {"id": self.project}})
        self.path = f"/v3/users/{self.user}/application_credentials"

    def make(self, token: str = "", **fields: Json) -> Any:
        return self.cloud.ask("POST", self.path, {"application_credential": fields}, token or self.token)


@pytest.fixture
def ann(cloud: Cloud) -> Ann:
    return Ann(cloud)


def test_a_credential_up_and_down(cloud: Cloud, ann: Ann) -> None:
    made = ann.make(name="robot", description="d").json["application_credential"]
    secret = made.pop("secret")
    assert len(secret) > 40
    assert [role["name"] for role in made["roles"]] == ["member", "reader"]
    assert (made["project_id"], made["expires_at"], made["unrestricted"]) == (ann.project, None, False)
    assert cloud.ask("GET", f"{ann.path}/{made['id']}", token=ann.token).json["application_credential"] == made
    assert cloud.ask("GET", ann.path, token=ann.token).json["application_credentials"] == [made]
    assert cloud.ask("GET", f"{ann.path}?name=other", token=ann.token).json["application_credentials"] == []
    by_id = by_credential(cloud, id=made["id"], secret=secret)
    shown = by_id.json["token"]
    assert shown["methods"] == ["application_credential"]
    assert shown["project"]["id"] == ann.project
    assert shown["application_credential"] == {"id": made["id"], "name": "robot", "restricted": True}
    owner = {"name": "ann", "domain": {"id": "default"}}
    assert by_credential(cloud, name="robot", user=owner, secret=secret).status == 201
    assert by_credential(cloud, name="robot", user={"id": ann.user}, secret=secret).status == 201
    token = by_id.headers["x-subject-token"]
    assert cloud.may_list_networks(token)
    assert cloud.ask("DELETE", f"{ann.path}/{made['id']}", token=token).status == 403
    assert cloud.ask("DELETE", f"{ann.path}/{made['id']}", token=ann.token).status == 204
    assert not cloud.may_list_networks(token)
    assert by_credential(cloud, id=made["id"], secret=secret).status == 401
    assert cloud.ask("GET", f"{ann.path}/{made['id']}", token=ann.token).status == 404


def test_no_more_than_so_many(cloud: Cloud, ann: Ann) -> None:
    made = ann.make(name="one").json["application_credential"]
    with cloud.store.write("test") as transaction:
        one = transaction.get(ApplicationCredential, made["id"])
        assert one is not None
        for number in range(MOST - 1):
            transaction.add(replace(one, id=f"{number:032x}", name=f"n{number}"))
    assert ann.make(name="more").status == 403
    assert cloud.ask("DELETE", f"{ann.path}/{made['id']}", token=ann.token).status == 204
    assert ann.make(name="more").status == 201


def test_wrong_ones(cloud: Cloud, ann: Ann) -> None:
    made = ann.make(name="robot", secret="s").json["application_credential"]
    assert by_credential(cloud, id=made["id"], secret="wrong").status == 401
    assert by_credential(cloud, id="7", secret="s").status == 401
    assert by_credential(cloud, name="other", user={"id": ann.user}, secret="s").status == 401
    assert by_credential(cloud, name="robot", secret="s").status == 400
    assert by_credential(cloud, {"project": {"id": ann.project}}, id=made["id"], secret="s").status == 401
    assert by_credential(cloud, id=made["id"], secret="s").status == 201


def test_roles_can_be_fewer(cloud: Cloud, ann: Ann) -> None:
    made = ann.make(name="looker", roles=[{"name": "reader"}], secret="s").json["application_credential"]
    assert [role["name"] for role in made["roles"]] == ["reader"]
    token = by_credential(cloud, id=made["id"], secret="s").json["token"]
    assert [role["name"] for role in token["roles"]] == ["reader"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"name": ""}, 400),
        ({"name": "x", "roles": [{"name": "admin"}]}, 400),
        ({"name": "x", "roles": [{"name": "other"}]}, 404),
        ({"name": "x", "roles": [{"id": "other"}]}, 404),
        ({"name": "x", "roles": [{"id": role_id("manager")}]}, 400),
        ({"name": "x", "expires_at": "tomorrow"}, 400),
        ({"name": "x", "expires_at": "2020-01-01T00:00:00.000000"}, 400),
        ({"name": "x", "expires_at": "9999-12-31T23:59:59-23:59"}, 400),
        ({"name": "x", "access_rules": [{"path": "/v2.0", "method": "GET", "service": "network"}]}, 400),
        ({"name": "robot"}, 409),
    ],
)
def test_bad_ones(cloud: Cloud, ann: Ann, fields: Json, status: int) -> None:
    assert ann.make(name="robot").status == 201
    before = cloud.store.revision
    assert cloud.error(ann.make(**fields))[0] == status
    assert cloud.store.revision == before


def test_they_expire_and_so_do_their_tokens(cloud: Cloud, ann: Ann) -> None:
    end = datetime.fromtimestamp(cloud.time / 1_000_000, UTC) + timedelta(minutes=5)
    made = ann.make(name="short", secret="s", expires_at=end.isoformat()).json["application_credential"]
    token = by_credential(cloud, id=made["id"], secret="s").headers["x-subject-token"]
    assert cloud.subject(token, token).json["token"]["expires_at"][:16] == made["expires_at"][:16]
    cloud.time += 301_000_000
    assert not cloud.may_list_networks(token)
    assert by_credential(cloud, id=made["id"], secret="s").status == 401


def test_one_makes_them_for_oneself_by_a_token_for_a_project(cloud: Cloud, ann: Ann) -> None:
    assert ann.make(ann.admin, name="x").status == 403
    assert ann.make("blue", name="x").status == 403
    assert ann.make(cloud.log_in("ann", "word", "unscoped"), name="x").status == 403
    assert cloud.ask("GET", ann.path, token=ann.admin).status == 200


def test_their_tokens_lead_no_further(cloud: Cloud, ann: Ann) -> None:
    made = ann.make(name="robot", secret="s").json["application_credential"]
    token = by_credential(cloud, id=made["id"], secret="s").headers["x-subject-token"]
    assert ann.make(token, name="more").status == 403
    assert cloud.rescope(token, {"project": {"id": ann.project}}).status == 401
    other = ann.make(name="other").json["application_credential"]["id"]
    bearer = f"Bearer {token}"
    assert cloud.ask("DELETE", f"{ann.path}/{other}", token=token).status == 403
    assert cloud.ask("DELETE", f"{ann.path}/{other}", authorization=bearer).status == 403
    assert cloud.ask("POST", ann.path, {"application_credential": {"name": "x"}}, authorization=bearer).status == 403
    assert cloud.ask("DELETE", f"{ann.path}/{other}", token="admin").status == 204
    free = ann.make(name="free", secret="s", unrestricted=True).json["application_credential"]
    token = by_credential(cloud, id=free["id"], secret="s").headers["x-subject-token"]
    assert ann.make(token, name="more").status == 201
    more = {"application_credential": {"name": "still more"}}
    assert cloud.ask("POST", ann.path, more, authorization=f"Bearer {token}").status == 201


def test_they_go_with_the_role(cloud: Cloud, ann: Ann) -> None:
    made = ann.make(name="robot", secret="s").json["application_credential"]
    path = f"/v3/projects/{ann.project}/users/{ann.user}/roles/{role_id('member')}"
    assert cloud.ask("DELETE", path, token=ann.admin).status == 204
    assert cloud.ask("PUT", path, token=ann.admin).status == 204
    assert by_credential(cloud, id=made["id"], secret="s").status == 401


def test_they_go_with_the_user(cloud: Cloud, ann: Ann) -> None:
    ann.make(name="robot")
    assert cloud.ask("DELETE", f"/v3/users/{ann.user}", token=ann.admin).status == 204
    assert "application_credential" not in cloud.records()
