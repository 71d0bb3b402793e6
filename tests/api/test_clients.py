"""The field's own clients against a real server: openstacksdk and the `openstack` command."""

import pytest
from openstack.exceptions import ConflictException, ForbiddenException, ResourceNotFound
from urllib3 import PoolManager

from tests.api.clients import command, connect

pytestmark = pytest.mark.filterwarnings("ignore")  # the clients warn of what they do themselves


def test_openstacksdk_up_and_down(url: str) -> None:
    network = (cloud := connect(url, "blue").network).create_network(name="n")
    assert cloud.find_network("n", ignore_missing=False).id == network.id
    subnet = cloud.create_subnet(network_id=network.id, ip_version=4, cidr="10.0.0.0/24", name="s")
    six = cloud.create_subnet(
        network_id=network.id, ip_version=6, cidr="2001:db8::/64", ipv6_ra_mode="slaac", ipv6_address_mode="slaac"
    )
    assert (six.ip_version, six.ipv6_ra_mode, six.ipv6_address_mode, six.gateway_ip) == (
        6,
        "slaac",
        "slaac",
        "2001:db8::1",
    )
    router = cloud.create_router(name="r")
    cloud.add_interface_to_router(router, subnet=subnet.id)
    cloud.add_interface_to_router(router, subnet=six.id)
    group = cloud.create_security_group(name="web")
    rule = cloud.create_security_group_rule(
        security_group_id=group.id,
        direction="ingress",
        ether_type="IPv4",
        protocol="tcp",
        port_range_min=80,
        port_range_max=80,
    )
    partners = cloud.create_address_group(name="partners", addresses=["192.0.2.0/24"])
    named = cloud.create_security_group_rule(
        security_group_id=group.id, direction="ingress", remote_address_group_id=partners.id
    )
    assert named.remote_address_group_id == partners.id
    cloud.add_addresses_to_address_group(partners, ["198.51.100.7"])
    partners = cloud.remove_addresses_from_address_group(partners, ["192.0.2.0/24"])
    assert cloud.get_address_group(partners.id).addresses == partners.addresses == ["198.51.100.7/32"]
    with pytest.raises(ConflictException, match="A security group rule uses it"):
        cloud.delete_address_group(partners, ignore_missing=False)
    ports = list(cloud.create_ports([{"network_id": network.id, "name": f"p{number}"} for number in range(3)]))
    port = cloud.update_port(ports[0], security_groups=[group.id], name="web")
    assert (port.security_group_ids, port.status, port.project_id) == ([group.id], "DOWN", "blue")
    assert [":" in fixed["ip_address"] for fixed in port.fixed_ips] == [False, True]
    assert cloud.update_port(port, fixed_ips=port.fixed_ips).fixed_ips == port.fixed_ips
    assert {found.name for found in cloud.ports(network_id=network.id, device_owner="")} == {"web", "p1", "p2"}
    assert len(list(cloud.ports(limit=1))) == 5
    with pytest.raises(ConflictException, match="A port uses it"):
        cloud.delete_network(network, ignore_missing=False)
    with pytest.raises(ResourceNotFound):
        connect(url, "red").network.get_port(port.id)
    policy = cloud.create_rbac_policy(
        object_type="network", object_id=network.id, action="access_as_shared", target_project_id="red"
    )
    other = connect(url, "red").network
    assert [(found.id, found.is_shared) for found in other.networks()] == [(network.id, True)]
    guest = other.create_port(network_id=network.id)
    with pytest.raises(ConflictException, match="other objects depend on it"):
        cloud.delete_rbac_policy(policy, ignore_missing=False)
    cloud.delete_port(guest, ignore_missing=False)
    assert cloud.update_rbac_policy(policy, target_project_id="green").target_project_id == "green"
    assert list(other.networks()) == []
    cloud.remove_interface_from_router(router, subnet=subnet.id)
    cloud.remove_interface_from_router(router, subnet=six.id)
    cloud.delete_subnet(six, ignore_missing=False)
    for port in ports:
        cloud.delete_port(port, ignore_missing=False)
    cloud.delete_router(router, ignore_missing=False)
    cloud.delete_security_group_rule(rule, ignore_missing=False)
    cloud.delete_security_group(group, ignore_missing=False)
    cloud.delete_address_group(partners, ignore_missing=False)
    assert list(cloud.address_groups()) == []
    cloud.delete_network(network, ignore_missing=False)
    assert [*cloud.networks(), *cloud.subnets(), *cloud.ports(), *cloud.routers()] == []
    assert [group.name for group in cloud.security_groups()] == ["default"]


COMMANDS = """
network create n
subnet create s --network n --subnet-range 10.0.0.0/24
subnet create s6 --network n --subnet-range 2001:db8::/64 --ip-version 6 --ipv6-ra-mode slaac --ipv6-address-mode slaac
subnet create s7 --network n --subnet-range 2001:db8:7::/64 --ip-version 6 --ipv6-address-mode dhcpv6-stateful
subnet show s6 -f value -c ipv6_ra_mode -c ipv6_address_mode -c gateway_ip
router create r
router add subnet r s
router add subnet r s6
port create p --network n --extra-dhcp-option name=bootfile-name,value=pxelinux.0,ip-version=4
port set p --extra-dhcp-option name=bootfile-url,value=http://[2001:db8::9]/b,ip-version=6
security group create web
security group rule create web --protocol tcp --dst-port 80
address group create partners --address 192.0.2.0/24
address group set partners --address 198.51.100.7
address group unset partners --address 192.0.2.0/24
address group show partners -f value -c addresses
security group rule create web --protocol vrrp --remote-address-group partners
port set p --security-group web
{show}
port delete p
router remove subnet r s
router remove subnet r s6
subnet delete s6 s7
router delete r
network delete n
security group delete web
address group delete partners
"""


def test_firewalls_by_the_sdk(url: str) -> None:
    cloud = connect(url, "blue").network
    rule = cloud.create_firewall_rule(action="allow", protocol="tcp", destination_port="80")
    policy = cloud.create_firewall_policy(name="web", firewall_rules=[])
    policy = cloud.insert_rule_into_policy(policy.id, rule.id)
    assert policy.firewall_rules == [rule.id]
    group = cloud.create_firewall_group(name="edge", ingress_firewall_policy_id=policy.id)
    assert (group.status, group.ports) == ("INACTIVE", [])
    assert {found.name for found in cloud.firewall_groups()} == {"default", "edge"}
    assert cloud.update_firewall_group(group.id, admin_state_up=False).status == "DOWN"
    cloud.delete_firewall_group(group.id)
    assert cloud.remove_rule_from_policy(policy.id, rule.id).firewall_rules == []
    cloud.delete_firewall_policy(policy.id)
    cloud.delete_firewall_rule(rule.id)


def test_quotas_by_the_sdk(url: str) -> None:
    admin, cloud = connect(url, "admin").network, connect(url, "blue").network
    assert (cloud.get_quota("blue").ports, cloud.get_quota_default("blue").routers) == (500, 10)
    assert admin.update_quota("blue", networks=1).networks == 1
    network = cloud.create_network(name="n")
    with pytest.raises(ConflictException, match="Quota exceeded for resources"):
        cloud.create_network(name="m")
    used = cloud.get_quota("blue", details=True)
    assert used.networks == {"limit": 1, "used": 1, "reserved": 0}
    assert [quota.project_id for quota in admin.quotas()] == ["blue"]
    with pytest.raises(ForbiddenException):
        cloud.update_quota("blue", networks=2)
    admin.delete_quota("blue", ignore_missing=False)
    cloud.delete_network(network, ignore_missing=False)
    assert cloud.get_quota("blue").networks == 100


def test_the_openstack_command_up_and_down(url: str) -> None:
    show = "port show p -f value -c status -c security_group_ids -c extra_dhcp_opts"
    printed = command(url, "blue", COMMANDS.format(show=show))
    assert "DOWN" in printed
    assert "['198.51.100.7/32']" in printed
    assert "'opt_value': 'pxelinux.0'" in printed
    with PoolManager(1, headers={"X-Auth-Token": "admin"}) as pool:
        left = {
            kind: pool.request("GET", f"{url}/v2.0/{kind}").json()[kind] for kind in ("networks", "ports", "routers")
        }
        groups = pool.request("GET", f"{url}/v2.0/security-groups").json()["security_groups"]
    assert left == {"networks": [], "ports": [], "routers": []}
    assert [group["name"] for group in groups] == ["default"]


ROUTES = """
network create n
subnet create s --network n --subnet-range 10.0.0.0/24
router create one
router create two
router add subnet one s
port create p --network n --fixed-ip subnet=s,ip-address=10.0.0.254
router add port two p
router add route one --route {wide}254 --route {wide}9
router add route one --route destination=192.0.2.0/24,gateway=10.0.0.9
router set two --route destination=0.0.0.0/0,gateway=10.0.0.1
router show one -f value -c routes
router show two -f value -c routes
router remove route one --route {wide}9 --route destination=192.0.2.0/24,gateway=10.0.0.9
router show one -f value -c routes
router unset two --route destination=0.0.0.0/0,gateway=10.0.0.1
router remove route one --route {wide}254
router show two -f value -c routes
router remove port two p
router remove subnet one s
router delete one two
network delete n
"""


def test_the_openstack_command_adds_routes(url: str) -> None:
    printed = command(url, "blue", ROUTES.format(wide="destination=172.16.0.0/12,gateway=10.0.0.")).splitlines()
    shown = [line for line in printed if line.startswith("[")]
    assert [line.count("destination") for line in shown] == [3, 1, 1, 0]
    assert "'destination': '172.16.0.0/12', 'nexthop': '10.0.0.254'" in shown[2]


SHARING = """
network create n
network rbac create n --type network --action access_as_shared --target-all-projects
network show n -f value -c shared
network list --share -f value -c Name
network set n --no-share
network show n -f value -c shared
network set n --share
network show n -f value -c shared
network delete n
network rbac list -f value
"""


def test_the_openstack_command_shares_networks(url: str) -> None:
    """Not with a project by name: that asks the identity service, which a token of the operator's does without."""
    printed = command(url, "admin", SHARING).splitlines()
    assert [line for line in printed if line in ("n", "True", "False")] == ["True", "n", "False", "True"]


def test_a_connection_is_kept_through_refusals(url: str) -> None:
    with PoolManager(1, headers={"X-Auth-Token": "blue"}) as pool:
        statuses = [
            pool.request("GET", f"{url}/v2.0/networks").status,
            pool.request("POST", f"{url}/v2.0/networks", body=b"{").status,
            pool.request("GET", f"{url}/v2.0/networks", headers={}).status,
            pool.request(
                "POST", f"{url}/v2.0/networks", body=b"x" * 9_000_000, headers={"X-Auth-Token": "blue"}
            ).status,
            pool.request("POST", f"{url}/v2.0/networks", body=iter([b'{"network"', b": {}}"])).status,
        ]
    assert statuses == [200, 400, 401, 413, 201]
