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


def test_a_project_that_goes_takes_what_is_only_its_own(cloud: Cloud) -> None:
    """Its quota, roles in it and application credentials for it; nothing of another project."""
    admin = cloud.log_in()
    user, project = cloud.member(admin, "ann")
    _, other = cloud.member(admin, "bob")
    token = cloud.log_in("ann", "word", {"project": {"id": project}})
    credentials = f"/v3/users/{user}/application_credentials"
    assert cloud.ask("POST", credentials, {"application_credential": {"name": "robot"}}, token).status == 201
    for each in (project, other):
        assert cloud.ask("PUT", f"/v2.0/quotas/{each}", {"quota": {"network": 1}}, admin).status == 200
    assert cloud.ask("DELETE", f"/v3/projects/{project}", token=admin).status == 204
    assert [one["project_id"] for one in cloud.ask("GET", "/v2.0/quotas", token=admin).json["quotas"]] == [other]
    assert cloud.ask("GET", credentials, token=admin).json["application_credentials"] == []
    found = cloud.ask("GET", f"/v3/role_assignments?user.id={user}", token=admin).json["role_assignments"]
    assert found == []
