"""Ansible's collection openstack.cloud: what a playbook asks for is made, is found as it was made, and goes again."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.server import Place

pytestmark = pytest.mark.filterwarnings("ignore")  # openstacksdk warns of what it does itself

PLAYBOOKS = Path(__file__).parent / "playbooks"
COLLECTIONS = Path(sys.prefix) / "share/ansible"
"""Where `scripts/setup test` keeps the collection."""

MODULES = (
    "project",
    "identity_user",
    "role_assignment",
    "network",
    "subnet",
    "router",
    "security_group",
    "security_group_rule",
    "port",
)


def play(place: Place, name: str) -> dict[str, str]:
    """Run a playbook on a server as its first administrator; what came of each of its modules, `changed` or `ok`."""
    own = {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_HOME": str(place.folder / "ansible")}
    own |= {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_PIPELINING": "1", "ANSIBLE_LOCALHOST_WARNING": "False"}
    ansible = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [ansible, "-i", "localhost,", "-e", f"ansible_python_interpreter={sys.executable}", PLAYBOOKS / name],
        env=place.environment("netplane", **own),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(re.findall(r"TASK \[openstack\.cloud\.(\w+)\] \*+\n(\w+): \[localhost\]", done.stdout))


def counts(cloud: Any) -> list[int]:
    """How much there is of what the playbooks make. Default security groups stay, as in OpenStack Networking."""
    kinds = (cloud.network.networks, cloud.network.ports, cloud.network.routers, cloud.network.security_groups)
    found = [list(kind()) for kind in (*kinds, cloud.identity.projects, cloud.identity.users)]
    return [len([one for one in rows if one.name != "default"]) for rows in found]


@pytest.mark.timeout(300)  # each of the 26 tasks starts a process that imports all of openstacksdk
def test_a_playbook_twice_and_back(place: Place) -> None:
    with place.connect("netplane") as cloud:
        before = counts(cloud)
        assert play(place, "present.yml") == dict.fromkeys(MODULES, "changed")
        [port] = cloud.network.ports(name="p")
        assert [fixed["ip_address"] for fixed in port.fixed_ips] == ["10.0.0.50"]
        assert len(list(cloud.network.security_group_rules(project_id=cloud.get_project("green").id))) == 4 + 2 + 1
        made = counts(cloud)
        assert play(place, "present.yml") == dict.fromkeys(MODULES, "ok")
        assert counts(cloud) == made
        assert set(play(place, "absent.yml").values()) == {"changed"}
        assert counts(cloud) == before
