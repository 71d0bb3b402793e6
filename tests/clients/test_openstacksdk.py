"""Openstacksdk, and its cloud layer above all: what scripts, and Ansible's modules, call."""

from collections.abc import Iterator
from typing import Any

import pytest
from openstack import exceptions

from tests.clients.server import Place

pytestmark = pytest.mark.filterwarnings("ignore")  # it warns of what it does itself


SLAAC = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}


@pytest.fixture(scope="module")
def cloud(place: Place) -> Iterator[Any]:
    """The first administrator's."""
    with place.connect("netplane") as made:
        yield made


@pytest.fixture
def network(cloud: Any) -> Iterator[Any]:
    """A network with a subnet; all that a test leaves on it goes with it."""
    made = cloud.create_network("n", mtu_size=1400)
    cloud.create_subnet("n", cidr="10.0.0.0/24", subnet_name="s", enable_dhcp=True)
    yield made
    for port in cloud.list_ports({"network_id": made.id}):
        cloud.delete_port(port.id)
    assert cloud.delete_network("n")


def test_the_cloud_layer(cloud: Any, network: Any) -> None:
    assert (network.mtu, cloud.get_network("n").id) == (1400, network.id)
    assert cloud.update_network("n", shared=True).is_shared
    assert [found.name for found in cloud.search_networks(filters={"shared": True})] == ["n"]
    six = cloud.create_subnet("n", cidr="2001:db8::/64", ip_version=6, enable_dhcp=True, subnet_name="s6", **SLAAC)
    assert {found.name for found in cloud.search_subnets(filters={"network_id": network.id})} == {"s", "s6"}
    assert cloud.update_subnet("s", dns_nameservers=["192.0.2.53"]).dns_nameservers == ["192.0.2.53"]
    port = cloud.create_port(
        network.id, name="p", fixed_ips=[{"ip_address": "10.0.0.50"}], port_security_enabled=True, device_owner="x"
    )
    assert cloud.update_port("p", name="q").name == "q"
    assert [found.id for found in cloud.search_ports(filters={"device_owner": "x"})] == [port.id]
    router = cloud.create_router("r")
    cloud.add_router_interface(router, subnet_id=cloud.get_subnet("s").id)
    assert [found.network_id for found in cloud.list_router_interfaces(router)] == [network.id]
    cloud.remove_router_interface(router, subnet_id=cloud.get_subnet("s").id)
    assert cloud.delete_router("r")
    assert not cloud.delete_router("r")
    assert cloud.delete_subnet(six.id)
    assert cloud.delete_port("q")


def test_security_groups_of_the_cloud_layer(cloud: Any) -> None:
    made = cloud.create_security_group("web", "Web servers")
    rule = cloud.create_security_group_rule("web", 80, 90, "tcp", remote_ip_prefix="192.0.2.0/24")
    cloud.create_security_group_rule("web", protocol="icmp", ethertype="IPv4", remote_group_id=made.id)
    assert len(cloud.get_security_group("web").security_group_rules) == 4
    assert [found.name for found in cloud.search_security_groups("web")] == ["web"]
    assert cloud.update_security_group("web", name="www").name == "www"
    assert cloud.delete_security_group_rule(rule.id)
    assert cloud.delete_security_group("www")


def test_what_is_not_there(cloud: Any) -> None:
    """No floating addresses, and nowhere outside that a network leads to."""
    with pytest.raises(exceptions.ServiceDisabledException, match="'compute'"):
        cloud.list_floating_ips()  # what the network service has none of, it asks the compute service for
    with pytest.raises(exceptions.NotFoundException):
        list(cloud.network.ips())
    assert cloud.network.find_extension("external-net") is None
    assert cloud.get_external_networks() == []
    assert cloud.get_network("nowhere") is None
    assert not cloud.delete_network("nowhere")
    with pytest.raises(exceptions.NotFoundException):
        cloud.network.get_network("5b2b8d1e-0000-4000-8000-000000000000")
    with pytest.raises(exceptions.NotFoundException):
        list(cloud.network.qos_policies())


def test_quotas(cloud: Any) -> None:
    project = cloud.current_project_id
    before = cloud.get_network_quotas(project)
    cloud.set_network_quotas(project, networks=3)
    assert (cloud.get_network_quotas(project).networks, before.networks) != (3, 3)
    assert cloud.network.get_quota(project, details=True).networks == {"limit": 3, "used": 0, "reserved": 0}
    cloud.delete_network_quotas(project)
    assert cloud.get_network_quotas(project).networks == before.networks
    assert cloud.network.get_quota_default(project).networks == before.networks


def test_bulk_pages_and_order(cloud: Any, network: Any) -> None:
    wanted = [{"network_id": network.id, "name": f"p{number:02}"} for number in range(25)]
    assert len(list(cloud.network.create_ports(wanted))) == 25
    names = [f"p{number:02}" for number in range(25)]
    ordered = cloud.network.ports(network_id=network.id, limit=10, sort_key="name", sort_dir="asc")
    assert [port.name for port in ordered] == names
    first = cloud.network.ports(network_id=network.id, limit=10, sort_key="name", sort_dir="desc", paginated=False)
    assert [port.name for port in first] == names[:-11:-1]
    assert [set(port.to_dict()) >= {"name"} for port in cloud.network.ports(network_id=network.id, fields="name")]
    with pytest.raises(exceptions.BadRequestException):
        list(cloud.network.create_ports([*wanted[:2], {"network_id": network.id, "mac_address": "no"}]))
    assert len(list(cloud.network.ports(network_id=network.id))) == 25


def test_tags_and_revisions(cloud: Any, network: Any) -> None:
    assert cloud.network.set_tags(network, ["a", "b"]).tags == ["a", "b"]
    assert [found.id for found in cloud.network.networks(tags="a,b")] == [network.id]
    assert list(cloud.network.networks(not_tags="a")) == []
    seen = cloud.network.get_network(network.id)
    cloud.network.update_network(network.id, description="changed meanwhile")
    with pytest.raises(exceptions.PreconditionFailedException):
        cloud.network.update_network(network.id, if_revision=seen.revision_number, description="too late")
    seen = cloud.network.get_network(network.id)
    assert cloud.network.update_network(network.id, if_revision=seen.revision_number, description="now")
    with pytest.raises(exceptions.PreconditionFailedException):
        cloud.network.delete_network(network.id, if_revision=seen.revision_number)


def test_pools_scopes_and_sharing(cloud: Any) -> None:
    scope = cloud.network.create_address_scope(name="scope", ip_version=4)
    pool = cloud.network.create_subnet_pool(
        name="pool", prefixes=["10.20.0.0/16"], address_scope_id=scope.id, default_prefix_length=26
    )
    network = cloud.create_network("pooled")
    subnet = cloud.create_subnet("pooled", use_default_subnetpool=False, cidr=None, subnetpool_name_or_id="pool")
    assert (subnet.cidr, subnet.subnet_pool_id) == ("10.20.0.0/26", pool.id)
    other = cloud.create_project("other", domain_id="default")
    policy = cloud.network.create_rbac_policy(
        object_type="network", object_id=network.id, action="access_as_shared", target_project_id=other.id
    )
    assert cloud.network.find_rbac_policy(policy.id).target_project_id == other.id
    cloud.network.delete_rbac_policy(policy)
    assert cloud.delete_project(other.id)
    assert cloud.delete_network("pooled")
    cloud.network.delete_subnet_pool(pool, ignore_missing=False)
    cloud.network.delete_address_scope(scope, ignore_missing=False)


def test_another_project_and_errors(cloud: Any, network: Any) -> None:
    project = cloud.create_project("guests", domain_id="default")
    user = cloud.create_user("guest", password="of a guest", domain_id="default", default_project=project.id)
    assert cloud.grant_role("member", user=user.id, project=project.id)
    with cloud.connect_as(username="guest", password="of a guest", project_name="guests") as guest:
        with pytest.raises(exceptions.NotFoundException):
            guest.network.get_network(network.id)
        with pytest.raises(exceptions.ForbiddenException):
            guest.network.update_quota(project.id, networks=9)
        own = guest.create_network("own")
        assert [found.id for found in guest.list_networks()] == [own.id]
        assert guest.delete_network("own")
    with cloud.connect_as_project("guests") as scoped, pytest.raises(exceptions.SDKException, match="401"):
        scoped.authorize()  # an administrator who has no role there
    with pytest.raises(exceptions.BadRequestException, match="overlaps"):
        cloud.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.0.0.0/24")
    with pytest.raises(exceptions.BadRequestException, match="is not a valid IP subnet"):
        cloud.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.0.0.0/99")
    assert cloud.revoke_role("member", user=user.id, project=project.id)
    assert cloud.delete_user("guest")
    assert cloud.delete_project("guests")
