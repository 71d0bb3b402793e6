"""The field's own clients and the kinds that operators keep."""

from pathlib import Path

import pytest
from openstack.exceptions import BadRequestException, ConflictException, ForbiddenException

from netplane.store import Store
from netplane.store.bindings import register_host
from tests.api.clients import command, connect

pytestmark = pytest.mark.filterwarnings("ignore")  # the clients warn of what they do themselves


def test_subnet_pools_by_the_sdk(url: str) -> None:
    cloud, operator = connect(url, "blue").network, connect(url, "admin").network
    pool = operator.create_subnet_pool(
        name="p", prefixes=["10.0.0.0/23"], default_prefix_length=24, is_shared=True, is_default=True
    )
    assert (pool.minimum_prefix_length, pool.maximum_prefix_length, pool.ip_version) == (8, 32, 4)
    assert cloud.find_subnet_pool("p", ignore_missing=False).is_shared
    network = cloud.create_network(name="n")
    first = cloud.create_subnet(network_id=network.id, subnet_pool_id=pool.id)
    second = cloud.create_subnet(network_id=network.id, use_default_subnet_pool=True, ip_version=4)
    assert [(one.cidr, one.subnet_pool_id) for one in (first, second)] == [
        ("10.0.0.0/24", pool.id),
        ("10.0.1.0/24", pool.id),
    ]
    with pytest.raises(ConflictException, match="Insufficient prefix space"):
        cloud.create_subnet(network_id=network.id, subnet_pool_id=pool.id, prefix_length=24)
    with pytest.raises(BadRequestException, match="existing allocations"):
        operator.delete_subnet_pool(pool, ignore_missing=False)
    assert operator.update_subnet_pool(pool, prefixes=["10.0.0.0/22"], is_default=False).prefixes == ["10.0.0.0/22"]
    cloud.delete_network(network, ignore_missing=False)
    operator.delete_subnet_pool(pool, ignore_missing=False)
    assert list(cloud.subnet_pools()) == []


def test_default_security_group_rules_by_the_sdk(url: str) -> None:
    cloud, operator = connect(url, "blue").network, connect(url, "admin").network
    rule = operator.create_default_security_group_rule(
        direction="ingress", protocol="tcp", port_range_min=22, port_range_max=22, used_in_default_sg=True
    )
    assert (rule.used_in_default_sg, rule.used_in_non_default_sg, rule.ether_type) == (True, True, "IPv4")
    assert len(list(cloud.default_security_group_rules())) == 5
    assert len(list(cloud.default_security_group_rules(protocol="tcp"))) == 1
    assert len(cloud.create_security_group(name="web").security_group_rules) == 3
    operator.delete_default_security_group_rule(rule, ignore_missing=False)
    assert len(cloud.create_security_group(name="api").security_group_rules) == 2


def test_agents_and_availability_by_the_sdk(url: str, tmp_path: Path) -> None:
    cloud, operator = connect(url, "blue").network, connect(url, "admin").network
    store = Store.open(f"sqlite:///{tmp_path}/netplane.db")
    with store.write("host:h1") as transaction:
        register_host(transaction, "h1", "192.0.2.1")
    store.close()
    [agent] = operator.agents(host="h1")
    assert (agent.is_alive, agent.is_admin_state_up, agent.availability_zone) == (False, True, "nova")
    assert operator.update_agent(agent, description="rack 7").description == "rack 7"
    assert {(zone.name, zone.resource) for zone in cloud.availability_zones()} == {
        ("nova", "network"),
        ("nova", "router"),
    }
    network = cloud.create_network(name="n", availability_zone_hints=["nova"])
    assert network.availability_zones == ["nova"]
    cloud.create_subnet(network_id=network.id, ip_version=4, cidr="10.0.0.0/24")
    found = operator.get_network_ip_availability(network.id)
    assert (found.network_id, found.total_ips, found.used_ips) == (network.id, 253, 0)
    operator.delete_agent(agent, ignore_missing=False)
    assert list(operator.agents()) == []


def test_a_port_is_moved_by_the_sdk(url: str, tmp_path: Path) -> None:
    operator = connect(url, "admin").network
    store = Store.open(f"sqlite:///{tmp_path}/netplane.db")
    with store.write("host:h1") as transaction:
        for number, host in enumerate(("h1", "h2"), 1):
            register_host(transaction, host, f"192.0.2.{number}")
    store.close()
    network = operator.create_network(name="n")
    port = operator.create_port(network_id=network.id, binding_host_id="h1", binding_profile={"a": "b"})
    assert port.binding_profile == {"a": "b"}
    binding = operator.create_port_binding(port, host="h2")
    assert (binding.host, binding.status, binding.vif_type) == ("h2", "INACTIVE", "tap")
    operator.activate_port_binding(port, host="h2")
    assert operator.get_port(port.id).binding_host_id == "h2"
    assert [(one.host, one.status) for one in operator.port_bindings(port)] == [("h2", "ACTIVE"), ("h1", "INACTIVE")]
    operator.delete_port_binding(port, "h1")
    assert [one.host for one in operator.port_bindings(port)] == ["h2"]


def test_flavors_by_the_sdk(url: str) -> None:
    cloud, operator = connect(url, "blue").network, connect(url, "admin").network
    assert {(one.service_type, one.name, one.is_default) for one in cloud.service_providers()} == {
        ("L3_ROUTER_NAT", "netplane", True),
        ("FIREWALL_V2", "netplane", True),
    }
    flavor = operator.create_flavor(name="gold", service_type="FLAVORS")
    profile = operator.create_service_profile(description="d", metainfo="words")
    assert operator.associate_flavor_with_service_profile(flavor, profile) == {"service_profile": {"id": profile.id}}
    assert cloud.find_flavor("gold", ignore_missing=False).service_profile_ids == [profile.id]
    assert cloud.find_service_profile(profile.id) is None
    with pytest.raises(ConflictException, match="used by some service instance"):
        operator.delete_service_profile(profile, ignore_missing=False)
    with pytest.raises(ForbiddenException):
        cloud.update_flavor(flavor, name="mine")
    operator.disassociate_flavor_from_service_profile(flavor, profile)
    assert operator.update_service_profile(profile, is_enabled=False).is_enabled is False
    operator.delete_service_profile(profile, ignore_missing=False)
    assert operator.update_flavor(flavor, is_enabled=False).is_enabled is False
    operator.delete_flavor(flavor, ignore_missing=False)
    assert list(cloud.flavors()) == []


def test_segments_by_the_sdk(url: str) -> None:
    cloud, operator = connect(url, "blue").network, connect(url, "admin").network
    network = cloud.create_network(name="n")
    [segment] = operator.segments(network_id=network.id)
    assert (segment.network_type, segment.physical_network, segment.name) == ("vxlan", None, None)
    assert operator.update_segment(segment, name="rack").name == "rack"
    assert operator.find_segment("rack", ignore_missing=False).id == segment.id
    assert [one.id for one in operator.segments(segmentation_id=segment.segmentation_id)] == [segment.id]
    with pytest.raises(ConflictException, match="only one"):
        operator.delete_segment(segment, ignore_missing=False)
    with pytest.raises(ConflictException, match="cannot have another"):
        operator.create_segment(network_id=network.id, network_type="vlan", segmentation_id=7, physical_network="p")
    with pytest.raises(BadRequestException, match="segment_id"):
        cloud.create_subnet(network_id=network.id, cidr="10.0.0.0/24", ip_version=4, segment_id=segment.id)
    assert list(cloud.segments()) == []
    cloud.delete_network(network, ignore_missing=False)
    assert list(operator.segments()) == []


COMMANDS = """
address scope create a
subnet pool create p --address-scope a --pool-prefix 10.0.0.0/16 --default-prefix-length 24 --share --default
subnet pool set p --default-quota 1024
subnet pool set p --pool-prefix 10.1.0.0/16 --max-prefix-length 28
subnet pool list -f value -c Name -c Prefixes
network create n
subnet create s --network n --subnet-pool p
subnet create t --network n --use-default-subnet-pool --prefix-length 26
subnet create u --network n --subnet-pool p --subnet-range 10.1.7.0/24
subnet list --subnet-pool p -f value -c Subnet
network show n -f value -c ipv4_address_scope
network delete n
subnet pool delete p
address scope delete a
address scope list
subnet pool list
default security group rule create --protocol tcp --dst-port 22 --for-default-sg --for-custom-sg
default security group rule create --remote-group PARENT --protocol icmp
default security group rule list
security group create web -f value -c rules
network create v
subnet create v4 --network v --subnet-range 10.0.0.0/30
ip availability list
network agent list
availability zone list --network
network delete v
"""


def test_the_openstack_command(url: str) -> None:
    printed = command(url, "admin", COMMANDS).splitlines()
    assert any(line.startswith("p ") and "10.0.0.0/15" in line for line in printed)
    assert sorted(line for line in printed if line.startswith("10.")) == ["10.0.0.0/24", "10.0.1.0/26", "10.1.7.0/24"]
    assert "22:22" in "".join(printed)
    assert "'port_range_min': 22" in "".join(printed)
    assert any("| v " in line and "|         1 |" in line for line in printed)
