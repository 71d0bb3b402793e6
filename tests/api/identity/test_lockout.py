"""Guessing takes time, and tells nothing."""

from tests.api.identity.cloud import PASSWORD, Cloud


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
