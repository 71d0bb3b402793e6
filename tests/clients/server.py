"""A `netplane server` of its own, as an operator starts it, and how its first administrator logs in."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from openstack.config import OpenStackConfig
from openstack.connection import Connection

from tests.servers import LOG, server_running


class Place(NamedTuple):
    """A server that runs, and where clients of it keep what they need."""

    url: str
    folder: Path
    """Has `clouds.yaml`, as the server wrote it for its first administrator: the cloud `netplane`."""

    def environment(self, cloud: str, **further: str) -> dict[str, str]:
        """Variables for a client's process that logs in as a cloud of clouds.yaml says, and knows nothing else."""
        own = {"OS_CLIENT_CONFIG_FILE": str(self.folder / "clouds.yaml"), "OS_CLOUD": cloud}
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8", **own, **further}

    def auth(self, user: str, password: str, project: str) -> dict[str, str]:
        """How somebody logs in to a project by a password, as clients call it."""
        own = {"username": user, "password": password, "project_name": project}
        return {"auth_url": f"{self.url}/identity", **own, "user_domain_id": "default", "project_domain_id": "default"}

    def connect(self, cloud: str) -> Any:
        """Openstacksdk, logged in as a cloud of clouds.yaml. Its types say None where it raises instead."""
        clouds = OpenStackConfig(config_files=[str(self.folder / "clouds.yaml")])
        return Connection(config=clouds.get_one(cloud=cloud))

    def add_cloud(self, name: str, auth: Mapping[str, str], **further: str) -> None:
        """One more way to log in, in clouds.yaml."""
        values = {"identity_api_version": "3", "region_name": "RegionOne", **further}
        lines = [f"  {name}:", "    auth:", *(f"      {key}: {json.dumps(value)}" for key, value in auth.items())]
        lines += [f"    {key}: {value}" for key, value in values.items()]
        with (self.folder / "clouds.yaml").open("a") as file:
            file.write("\n".join(lines) + "\n")


@contextmanager
def running(folder: Path) -> Iterator[Place]:
    """A server, as long as it is needed; its store and its papers lie in a folder."""
    with server_running(folder) as url:
        yield Place(url, folder)
    assert "Traceback" not in (folder / LOG).read_text()
