"""The field's own clients log in: openstacksdk and the `openstack` command, as with any Keystone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openstack.connection import Connection

from tests.api.identity.cloud import PASSWORD, Cloud
from tests.api.identity.serving import serving

pytestmark = pytest.mark.filterwarnings("ignore")  # the clients warn of what they do themselves


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on a port of its own."""
    cloud = Cloud(tmp_path_factory.mktemp("identity"))
    with serving(cloud.app) as address:
        yield address
    cloud.store.close()


def connect(url: str, **auth: Any) -> Connection:
    whole = {"auth_url": url, "username": "admin", "password": PASSWORD, "user_domain_id": "default", **auth}
    return Connection(auth=whole, identity_api_version="3")


def environment(url: str, **further: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "OS_AUTH_URL": url,
        "OS_USERNAME": "admin",
        "OS_PASSWORD": PASSWORD,
        "OS_USER_DOMAIN_ID": "default",
        "OS_IDENTITY_API_VERSION": "3",
        **further,
    }


ADMIN = {"OS_PROJECT_NAME": "admin", "OS_PROJECT_DOMAIN_NAME": "Default"}


def command(environment: dict[str, str], commands: str) -> str:
    """What the `openstack` command prints for commands, all in one process: it takes seconds to start."""
    openstack = str(Path(sys.executable).with_name("openstack"))
    done = subprocess.run([openstack], input=commands, capture_output=True, text=True, env=environment)
    assert done.stderr == ""  # its exit code is 1 whatever happened
    return done.stdout.replace("(openstack) ", "")


def values(printed: str) -> list[Any]:
    """The JSON values in what was printed."""
    decoder, found = json.JSONDecoder(), []
    while (start := min((place for place in map(printed.find, "[{") if place >= 0), default=-1)) >= 0:
        value, end = decoder.raw_decode(printed[start:])
        found.append(value)
        printed = printed[start + end :]
    return found


@pytest.mark.parametrize("path", ["", "/", "/v3", "/v3/", "/identity", "/identity/v3"])
def test_openstacksdk_logs_in_by_every_address(url: str, path: str) -> None:
    cloud = connect(f"{url}{path}", project_name="admin", project_domain_name="Default")
    network = cloud.network.create_network(name="n")
    assert network.project_id == cloud.current_project_id
    assert [found.id for found in cloud.network.networks(name="n")] == [network.id]
    cloud.network.delete_network(network.id)
    assert cloud.network.find_extension("router") is not None


@pytest.mark.parametrize("scope", [{"system_scope": "all"}, {"domain_id": "default"}])
def test_other_scopes(url: str, scope: dict[str, str]) -> None:
    assert list(connect(url, **scope).network.networks()) == []


def test_the_openstack_command(url: str) -> None:
    shown = values(
        command(
            environment(url, **ADMIN),
            "token issue -f json\ncatalog list -f json\nversions show -f json\nnetwork create n -f json\n"
            "network list -f json\nnetwork delete n\n",
        )
    )
    token, catalog, versions, made, listed = shown
    assert made["project_id"] == token["project_id"]
    assert {service["Type"] for service in catalog} == {"network", "identity"}
    found = {(one["Service Type"], one["Version"]) for one in versions}
    assert found == {("network", "2.0"), ("identity", "3.14")}
    assert [one["Name"] for one in listed] == ["n"]


WHOLE = """
project create blue --description sky -f json
user create ann --password word --project blue -f json
role add --user ann --project blue member
role assignment list --user ann --project blue --names -f json
project list -f json
user list -f json
role list -f json
domain list -f json
user set ann --email ann@example.org
user show ann -f json
project show blue -f json
network create n --project blue -f json
network delete n
"""
OWN = """
network create mine -f json
network delete mine
application credential create robot --role reader -f json
application credential list -f json
user password set --original-password word --password other
"""
GONE = """
role remove --user ann --project blue member
user delete ann
project delete blue
project list -f json
"""


def test_a_project_s_whole_life_by_the_openstack_command(url: str) -> None:
    shown = values(command(environment(url, **ADMIN), WHOLE))
    project, user, assigned, projects, users, roles, domains, seen, again, network = shown
    (one,) = assigned
    assert (one["Role"], one["User"], one["Project"]) == ("member", "ann@Default", "blue@Default")
    assert {one["Name"] for one in projects} == {"admin", "blue"}
    assert {one["Name"] for one in users} == {"admin", "ann"}
    assert {one["Name"] for one in roles} == {"admin", "manager", "member", "reader", "service"}
    assert [one["ID"] for one in domains] == ["default"]
    assert (seen["email"], seen["id"]) == ("ann@example.org", user["id"])
    assert again["id"] == network["project_id"] == project["id"]
    names = {"OS_USERNAME": "ann", "OS_PASSWORD": "word", "OS_PROJECT_NAME": "blue", "OS_PROJECT_DOMAIN_ID": "default"}
    ann = environment(url, **names)
    mine, credential, listed = values(command(ann, OWN))
    assert mine["project_id"] == project["id"]
    assert [one["Name"] for one in listed] == ["robot"]
    robot = Connection(
        auth_type="v3applicationcredential",
        auth={
            "auth_url": url,
            "application_credential_id": credential["ID"],
            "application_credential_secret": credential["Secret"],
        },
    )
    assert list(robot.network.networks()) == []
    assert robot.current_project_id == project["id"]
    (left,) = values(command(environment(url, **ADMIN), GONE))
    assert [one["Name"] for one in left] == ["admin"]


def test_the_sdk_renews_a_token_that_was_revoked(url: str) -> None:
    cloud = connect(url, project_name="admin", project_domain_name="Default")
    assert list(cloud.network.networks()) == []
    first = cloud.auth_token
    answer = cloud.session.delete(f"{url}/v3/auth/tokens", headers={"X-Subject-Token": first})
    assert answer.status_code == 204
    assert list(cloud.network.networks()) == []
    assert cloud.auth_token != first
