"""A quota is a project's, and goes without it."""

from tests.api.identity.cloud import Cloud


def test_a_quota_that_goes_leaves_roles_as_they_are(cloud: Cloud) -> None:
    admin = cloud.log_in()
    _, project = cloud.member(admin, "ann")
    token = cloud.log_in("ann", "word", {"project": {"id": project}})
    path = f"/v2.0/quotas/{project}"
    assert cloud.ask("PUT", path, {"quota": {"network": 1}}, admin).status == 200
    assert cloud.ask("DELETE", path, token=admin).status == 204
    assert cloud.may_list_networks(token)
