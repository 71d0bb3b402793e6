"""Documents of the metadata service, in both formats, as cloud-init walks them."""

import json
from base64 import b64encode

import pytest
from msgspec.structs import replace

from netplane.agent.metadata.facts import Facts, facts_of
from netplane.agent.metadata.serving import respond
from netplane.model import Metadata, Port
from tests.unit.agent.names.directory import ASKER, RECORDS, directory

TOLD = Metadata(
    user_data=b64encode(b"#!/bin/sh\n").decode(),
    public_keys={"me": "ssh-ed25519 A", "you": "ssh-rsa B"},
    meta={"a": "b"},
)


def facts(port: Port = ASKER) -> Facts:
    slice, names = directory(*(record for record in RECORDS if record is not ASKER), port)
    return facts_of(slice, names, port)


def read(path: str, port: Port = ASKER) -> str | None:
    response = respond(facts(port), path)
    assert response.status in (200, 404)
    return response.body.decode() if response.status == 200 else None


def test_openstack() -> None:
    port = replace(ASKER, name="Ann", metadata=TOLD)
    assert (read("/openstack") or "").splitlines()[-1] == "latest"
    listed = ["meta_data.json", "user_data", "vendor_data.json", "vendor_data2.json", "network_data.json"]
    assert (read("/openstack/latest/", port) or "").splitlines() == listed
    told = json.loads(read("/openstack/2018-08-27/meta_data.json", port) or "")
    assert told["uuid"] == "machine"
    assert (told["name"], told["hostname"]) == ("Ann", "host-10-0-1-6.blue.example")
    assert told["public_keys"] == {"me": "ssh-ed25519 A", "you": "ssh-rsa B"}
    assert (told["meta"], told["project_id"]) == ({"a": "b"}, "blue")
    assert read("/openstack/latest/user_data", port) == "#!/bin/sh\n"
    assert read("/openstack/latest/user_data") is None
    assert json.loads(read("/openstack/latest/vendor_data.json") or "") == {}


def test_network_data() -> None:
    told = json.loads(read("/openstack/latest/network_data.json") or "")
    [link], [network] = told["links"], told["networks"]
    assert link == {
        "id": "tapleft-6",
        "vif_id": "left-6",
        "type": "tap",
        "mtu": 1450,
        "ethernet_mac_address": "00:00:00:00:01:06",
    }
    assert network == {"id": "network0", "link": "tapleft-6", "network_id": "left", "type": "ipv4_dhcp"}


def test_ec2() -> None:
    port = replace(ASKER, metadata=TOLD)
    assert "latest" in (read("/") or "").splitlines()
    assert (read("/2009-04-04/", port) or "").splitlines() == ["meta-data/", "user-data"]
    assert "public-keys/" in (read("/latest/meta-data", port) or "").splitlines()
    assert "public-keys/" not in (read("/latest/meta-data/") or "").splitlines()
    assert read("/latest/meta-data/instance-id") == "machine"
    assert read("/latest/meta-data/local-ipv4") == "10.0.1.6"
    assert read("/latest/meta-data/local-hostname") == "host-10-0-1-6.blue.example"
    assert (read("/latest/meta-data/public-keys/", port) or "").splitlines() == ["0=me", "1=you"]
    assert read("/latest/meta-data/public-keys/1/", port) == "openssh-key"
    assert read("/latest/meta-data/public-keys/1/openssh-key", port) == "ssh-rsa B"
    assert read("/latest/user-data", port) == "#!/bin/sh\n"


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/latest/meta-data/instance-id/more", "/openstack/2011-01-01", "/../etc/passwd", "/latest/../x"],
)
def test_nothing_there(path: str) -> None:
    assert read(path) is None


def test_a_port_of_no_device_stands_for_its_machine() -> None:
    assert read("/latest/meta-data/instance-id", replace(ASKER, device_id="")) == "left-6"
