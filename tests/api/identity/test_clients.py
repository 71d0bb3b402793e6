"""The field's own clients log in: openstacksdk and the `openstack` command, as with any Keystone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import uvicorn
from openstack.connection import Connection

from tests.api.identity.cloud import PASSWORD, Cloud

pytestmark = pytest.mark.filterwarnings("ignore")  # the clients warn of what they do themselves


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on a port of its own."""
    cloud = Cloud(tmp_path_factory.mktemp("identity"))
    server = uvicorn.Server(uvicorn.Config(cloud.app, port=0, log_level="error", lifespan="off"))
    bound = server.config.bind_socket()
    bound.listen()  # so that clients may come before it serves
    thread = Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    bound.close()
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
