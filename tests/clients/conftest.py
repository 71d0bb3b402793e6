"""One server for each file of tests, with a project `blue` in which `ann` is a member, and a project `red`."""

from collections.abc import Iterator

import pytest

from tests.clients.server import Place, running
from tests.clients.shell import Shell, shell

PASSWORD = "no word: 17 letters"
"""Of `ann`."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running(tmp_path_factory.mktemp("server")) as made:
        made.add_cloud("blue", made.auth("ann", PASSWORD, "blue"))
        yield made


@pytest.fixture(scope="module")
def admin(place: Place) -> Iterator[Shell]:
    """The first administrator, who takes away at last what there was at first."""
    with shell(place, "netplane") as openstack:
        openstack.run("project create --domain default --description colours blue", "project create red")
        openstack.run(f"user create --project blue --password '{PASSWORD}' --email ann@example.org ann")
        openstack.run("role add --user ann --project blue member")
        yield openstack
        openstack.run("role remove --user ann --project blue member", "user delete ann", "project delete blue red")


@pytest.fixture(scope="module")
def blue(place: Place, admin: Shell) -> Iterator[Shell]:
    """Ann."""
    with shell(place, "blue") as openstack:
        yield openstack
