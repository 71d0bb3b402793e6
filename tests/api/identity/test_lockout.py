"""Guessing takes time, and tells nothing."""

from tests.api.identity.cloud import PASSWORD, Cloud, Json
from tests.api.support import Reply


def test_who_guesses_waits(cloud: Cloud) -> None:
    for _ in range(5):
        assert "retry-after" not in cloud.try_to_log_in("admin", "wrong").headers
    reply = cloud.try_to_log_in("admin", PASSWORD)
    assert (reply.status, reply.headers["retry-after"]) == (401, "2")
    assert cloud.error(reply) == (401, "Unauthorized")
    cloud.seconds += 1.0
    assert cloud.try_to_log_in("admin", "wrong").status == 401
    cloud.seconds += 1.5
    assert cloud.try_to_log_in("admin", PASSWORD).status == 401
    cloud.seconds += 0.5
    assert cloud.try_to_log_in("admin", PASSWORD).status == 201
    assert cloud.try_to_log_in("admin", "wrong").status == 401
    assert cloud.try_to_log_in("admin", PASSWORD).status == 201


def test_by_id_and_by_name_is_the_same_user(cloud: Cloud) -> None:
    user = cloud.try_to_log_in("admin", PASSWORD).json["token"]["user"]["id"]
    for _ in range(5):
        cloud.try_to_log_in("admin", "wrong")
    identity = {"methods": ["password"], "password": {"user": {"id": user, "password": PASSWORD}}}
    assert cloud.ask("POST", "/v3/auth/tokens", {"auth": {"identity": identity}}).status == 401


def test_unknown_users_wait_as_well(cloud: Cloud) -> None:
    replies = [cloud.try_to_log_in("nobody", "wrong") for _ in range(6)]
    assert ["retry-after" in reply.headers for reply in replies] == [False] * 5 + [True]
    assert {reply.content for reply in replies} == {replies[0].content}


def test_an_address_that_tries_many_users_waits(cloud: Cloud) -> None:
    for number in range(30):
        assert "retry-after" not in cloud.try_to_log_in(f"user{number}", "password").headers
    assert "retry-after" in cloud.try_to_log_in("admin", PASSWORD).headers
    cloud.address = "192.0.2.2"
    assert cloud.try_to_log_in("admin", PASSWORD).status == 201


def credential_of(cloud: Cloud, admin: str, name: str) -> str:
    """The id of a member's credential that is called `robot`; its secret is `secret`."""
    user, project = cloud.member(admin, name)
    token = cloud.log_in(name, "word", {"project": {"id": project}})
    wish = {"application_credential": {"name": "robot", "secret": "secret"}}
    made = cloud.ask("POST", f"/v3/users/{user}/application_credentials", wish, token)
    id: str = made.json["application_credential"]["id"]
    return id


def try_credential(cloud: Cloud, secret: str, **which: Json) -> Reply:
    wish = {"methods": ["application_credential"], "application_credential": {**which, "secret": secret}}
    return cloud.ask("POST", "/v3/auth/tokens", {"auth": {"identity": wish}})


def robot_of(user: str) -> Json:
    return {"name": "robot", "user": {"name": user, "domain": {"id": "default"}}}


def test_credentials_of_one_name_are_counted_apart(cloud: Cloud) -> None:
    admin = cloud.log_in()
    for name in ("ann", "bob"):
        credential_of(cloud, admin, name)
    for number in range(5):
        reply = try_credential(cloud, "wrong", **robot_of("ann"))
        assert (reply.status, "retry-after" in reply.headers) == (401, False), number
        assert try_credential(cloud, "secret", **robot_of("bob")).status == 201
        assert try_credential(cloud, "wrong", **robot_of("nobody")).status == 401
    assert "retry-after" in try_credential(cloud, "secret", **robot_of("ann")).headers
    assert "retry-after" in try_credential(cloud, "wrong", **robot_of("nobody")).headers
    assert try_credential(cloud, "secret", **robot_of("bob")).status == 201


def test_a_credential_by_id_and_by_name_is_the_same(cloud: Cloud) -> None:
    id = credential_of(cloud, cloud.log_in(), "ann")
    for _ in range(5):
        assert try_credential(cloud, "wrong", **robot_of("ann")).status == 401
    assert "retry-after" in try_credential(cloud, "secret", id=id).headers
    cloud.seconds += 1.0
    assert try_credential(cloud, "secret", id=id).status == 201
    assert try_credential(cloud, "secret", **robot_of("ann")).status == 201
