"""Two containers of a stock podman, on two hosts, on a network of netplane."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from netplane.lab import Lab
from netplane.lab.api import Api
from netplane.lab.demo.scene import read_all_tables
from netplane.lab.wait import until
from tests.lab.containers import Relay
from tests.lab.leftovers import read_leftovers, unique
from tests.lab.podman import Podman, why_not

PREFIX = unique("tpod")
PROJECT = "red"

pytestmark = pytest.mark.skipif(why_not() != "", reason=why_not())


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(PREFIX, 2, [PROJECT]) as made:
        yield made.start()
    assert read_leftovers(PREFIX) == []


@pytest.fixture
def api(lab: Lab) -> Api:
    """The tenant's client, with a network."""
    api = lab.controller.api(PROJECT)
    network = api.create("network", name="left")["id"]
    api.create("subnet", network_id=network, ip_version=4, cidr="10.0.1.0/24", gateway_ip="10.0.1.1")
    return api


@pytest.fixture
def podmans(lab: Lab, api: Api, tmp_path: Path) -> Iterator[list[Podman]]:
    """A podman on each host."""
    where, _, port = lab.controller.listen.partition(":")
    relays = [Relay(host, (where, int(port))) for host in lab.host_list]
    token = tmp_path / "token"
    token.write_text(lab.controller.secrets[PROJECT])
    made = []
    for host, relay in zip(lab.host_list, relays, strict=True):
        plugin = {
            "type": "netplane-cni",
            "network": "left",
            "host": host.name,
            "url": relay.url,
            "token_file": str(token),
            "capabilities": {"ips": True, "mac": True},
        }
        (tmp_path / host.name).mkdir()
        conflist = {"cniVersion": "1.0.0", "name": "red-left", "plugins": [plugin]}
        made.append(Podman(host, tmp_path / host.name, conflist))
    yield made
    for podman in made:
        podman.close()
    for relay in relays:
        relay.close()


def test_containers_of_podman(lab: Lab, api: Api, podmans: list[Podman]) -> None:
    before = read_all_tables(lab)
    one, two = podmans
    one.start("one", "red-left")
    two.start("two", "red-left", "--ip", "10.0.1.77", "--mac-address", "02:00:00:00:00:77")
    ports = {port["name"]: port for port in api.find("port", "?device_owner=netplane:cni")}
    assert [port["status"] for port in ports.values()] == ["ACTIVE", "ACTIVE"]
    assert "02:00:00:00:00:77" in {port["mac_address"] for port in ports.values()}
    assert "inet 10.0.1.77/24" in two.inside("two", ["ip", "address", "show", "eth0"])
    assert "default via 10.0.1.1" in two.inside("two", ["ip", "route"])
    until("they reach each other", lambda: one.run("exec", "one", "/bin/busybox", *PING).returncode == 0, 5)
    assert "3 packets received" in one.inside("one", ["ping", "-c", "3", "-W", "2", "10.0.1.77"])
    for podman, name in ((one, "one"), (two, "two")):
        done = podman.run("rm", "--force", "--time", "0", name)
        assert done.returncode == 0, done.stderr
    assert api.find("port", "?device_owner=netplane:cni") == []
    # Entries that traffic made go at the agents' next round.
    until("tables are as before", lambda: read_all_tables(lab) == before, 20, 0.1)


PING = ("ping", "-c", "1", "-W", "1", "10.0.1.77")
