"""The `openstack` command through the life of a project, logged in by clouds.yaml as anywhere."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.clients.server import Place
from tests.clients.shell import Shell, shell


@pytest.fixture
def own(blue: Shell) -> Shell:
    """Ann in a project that is empty, before and after."""
    assert left(blue) == EMPTY
    return blue


EMPTY = {
    "network": [],
    "subnet": [],
    "port": [],
    "router": [],
    "security group": ["default"],
    "address group": [],
    "subnet pool": [],
    "address scope": [],
    "network trunk": [],
    "network rbac": [],
}


def left(openstack: Shell) -> dict[str, list[str]]:
    """What there is in a project."""
    return {kind: [row.get("Name", row["ID"]) for row in openstack.get(f"{kind} list")] for kind in EMPTY}


def shown(openstack: Shell, command: str, *fields: str) -> list[Any]:
    """Some fields of what is shown."""
    answer = openstack.get(command)
    return [answer[field] for field in fields]


def test_networks_subnets_and_pools(own: Shell) -> None:
    own.run(
        "network create --description d --dns-domain blue.example. --tag one --mtu 1400 n",
        "network create plain --disable-port-security --no-tag",
        "network set n --name m",
        "network set m --name n --enable --description x --tag two",
        "network unset n --tag one",
        "address scope create scope --ip-version 4",
        "subnet pool create pool --pool-prefix 10.20.0.0/16 --address-scope scope --default-prefix-length 26"
        " --min-prefix-length 24 --max-prefix-length 28 --default-quota 2048 --tag t",
        "subnet pool set pool --pool-prefix 10.21.0.0/16 --description d",
        "subnet create s4 --network n --subnet-range 10.0.0.0/24 --gateway 10.0.0.254 --dns-nameserver 192.0.2.53"
        " --allocation-pool start=10.0.0.10,end=10.0.0.99 --host-route destination=192.0.2.0/24,gateway=10.0.0.9"
        " --dhcp --tag a --description d",
        "subnet create s6 --network n --subnet-range 2001:db8::/64 --ip-version 6"
        " --ipv6-ra-mode slaac --ipv6-address-mode slaac",
        "subnet create pooled --network plain --subnet-pool pool --prefix-length 27 --gateway none --no-dhcp",
        "subnet set s4 --no-allocation-pool --allocation-pool start=10.0.0.10,end=10.0.0.200 --tag b",
        "subnet set s4 --no-dns-nameservers --dns-nameserver 192.0.2.54 --dns-nameserver 192.0.2.55 --no-host-route",
        "subnet unset s4 --dns-nameserver 192.0.2.55 --tag a",
    )
    assert shown(own, "network show n", "mtu", "tags", "dns_domain", "description", "port_security_enabled") == [
        1400,
        ["two"],
        "blue.example.",
        "x",
        True,
    ]
    assert [row["Name"] for row in own.get("network list --long --tags two --name n --enable --internal")] == ["n"]
    assert shown(own, "subnet show s4", "allocation_pools", "dns_nameservers", "host_routes", "tags") == [
        [{"start": "10.0.0.10", "end": "10.0.0.200"}],
        ["192.0.2.54"],
        [],
        ["b"],
    ]
    assert [row["Name"] for row in own.get("subnet list --network n --ip-version 4 --dhcp --long")] == ["s4"]
    [cidr] = shown(own, "subnet show pooled", "cidr")
    assert cidr == "10.20.0.0/27"
    assert own.get("subnet pool list")[0]["Prefixes"] == ["10.20.0.0/15"]
    assert "overlaps with another subnet" in own.refused("subnet create bad --network n --subnet-range 10.0.0.0/25")
    own.run("network delete n plain", "subnet pool delete pool", "address scope delete scope")
    assert left(own) == EMPTY


def test_routers(own: Shell) -> None:
    far, near = "destination=172.16.0.0/12,gateway=10.0.0.20", "destination=172.16.0.0/12,gateway=10.0.0.21"
    own.run(
        "network create n",
        "subnet create s4 --network n --subnet-range 10.0.0.0/24",
        "subnet create s6 --network n --subnet-range 2001:db8::/64 --ip-version 6",
        "router create r --description d --tag r --enable",
        "router create second --disable",
        "router set second --enable --name two",
        "router add subnet r s4",
        "router add subnet r s6",
        "port create door --network n --fixed-ip subnet=s4,ip-address=10.0.0.2",
        "router add port two door",
        f"router set r --route {far}",
        f"router add route r --route {near}",
        f"router remove route r --route {near}",
    )
    assert shown(own, "router show r", "routes", "tags") == [
        [{"destination": "172.16.0.0/12", "nexthop": "10.0.0.20"}],
        ["r"],
    ]
    assert len(own.get("router show r")["interfaces_info"]) == 2
    assert [row["Name"] for row in own.get("router list --long --name two")] == ["two"]
    assert len(own.get("port list --router r")) == 2
    assert "409" in own.refused("router delete r")
    own.run(
        f"router unset r --route {far}",
        "router remove port two door",
        "router remove subnet r s6",
        "router remove subnet r s4",
        "router delete r two",
        "network delete n",
    )
    assert left(own) == EMPTY


def test_ports(own: Shell, admin: Shell) -> None:
    own.run(
        "network create n",
        "subnet create s4 --network n --subnet-range 10.0.0.0/24",
        "subnet create s6 --network n --subnet-range 2001:db8::/64 --ip-version 6",
        "port create one --network n --fixed-ip subnet=s4,ip-address=10.0.0.50 --fixed-ip subnet=s6 --tag web"
        " --dns-name one --extra-dhcp-option name=bootfile-name,value=pxelinux.0,ip-version=4"
        " --allowed-address ip-address=10.0.0.60"
        " --allowed-address ip-address=10.0.0.61,mac-address=fa:16:3e:00:00:01"
        " --description d --device d1 --device-owner compute:nova",
        "port create two --network n --no-security-group --disable-port-security",
        "port create bare --network n --no-fixed-ip --disable --mac-address fa:16:3e:aa:bb:cc",
        "port create up --network n --enable-uplink-status-propagation",
        "port set one --fixed-ip subnet=s4,ip-address=10.0.0.51 --dns-name uno --tag x",
        "port set one --no-allowed-address --allowed-address ip-address=10.0.0.0/28,mac-address=fa:16:3e:00:00:02",
        "port unset one --fixed-ip subnet=s4,ip-address=10.0.0.51 --tag web",
        "port unset one --allowed-address ip-address=10.0.0.0/28,mac-address=fa:16:3e:00:00:02",
        "port set two --enable-port-security --security-group default",
        "port unset two --security-group default",
        "port set two --no-security-group --disable-port-security",
    )
    one = own.get("port show one")
    assert one["fixed_ips"][0]["ip_address"] == "10.0.0.50"
    assert (one["tags"], one["dns_name"], one["allowed_address_pairs"], one["status"]) == (["x"], "uno", [], "DOWN")
    assert one["extra_dhcp_opts"] == [{"opt_name": "bootfile-name", "opt_value": "pxelinux.0", "ip_version": 4}]
    assert shown(own, "port show bare", "fixed_ips", "mac_address", "admin_state_up") == [
        [],
        "fa:16:3e:aa:bb:cc",
        False,
    ]
    assert shown(own, "port show two", "security_group_ids", "port_security_enabled") == [[], False]
    assert [row["Name"] for row in own.get("port list --fixed-ip ip-address=10.0.0.50 --long")] == ["one"]
    [default] = [row["ID"] for row in own.get("security group list")]
    assert {row["Name"] for row in own.get(f"port list --network n --security-group {default}")} == {
        "one",
        "bare",
        "up",
    }
    assert "403" in own.refused("port create no --network n --host h1")
    network = own.get("network show n")["id"]
    admin.run(
        f"port create placed --network {network} --project blue --host h1 --vnic-type normal --binding-profile a=b",
        "port set placed --host h2",
    )
    assert shown(admin, "port show placed", "binding_host_id") == ["h2"]
    assert [row["Name"] for row in admin.get("port list --host h2")] == ["placed"]
    assert "is in use" in own.refused("port create no --network n --fixed-ip ip-address=10.0.0.50")
    own.run("port delete one two bare up placed", "network delete n")
    assert left(own) == EMPTY


RULES = (
    "--ingress --protocol tcp --dst-port 80:90 --remote-ip 192.0.2.0/24",
    "--egress --protocol udp --dst-port 53 --ethertype IPv6 --remote-ip 2001:db8::/32",
    "--protocol icmp --icmp-type 8 --icmp-code 0",
    "--protocol ipv6-icmp --icmp-type 128 --ethertype IPv6",
    "--remote-group sg --protocol any",
    "--remote-address-group ag --protocol 112 --description vrrp",
    "--ethertype IPv6 --protocol tcp --dst-port 22",
)


def test_security_groups_and_address_groups(own: Shell, admin: Shell) -> None:
    own.run(
        "address group create group --address 192.0.2.0/24 --address 198.51.100.7 --description d",
        "address group set group --address 203.0.113.0/24 --name ag",
        "address group unset ag --address 192.0.2.0/24",
        "security group create sg --description d --stateful --tag x",
        "security group create quick --stateless",
        *(f"security group rule create sg {rule}" for rule in RULES),
        "security group set sg --name web --description e --tag y",
        "security group unset web --tag x",
    )
    assert shown(own, "address group show ag", "addresses") == [["198.51.100.7/32", "203.0.113.0/24"]]
    rules = own.get("security group rule list web")
    assert len(rules) == len(RULES) + 2
    tcp = own.get("security group rule list web --ingress --protocol tcp")
    assert {row["Port Range"] for row in tcp} == {"22:22", "80:90"}
    assert shown(own, "security group show quick", "stateful") == [False]
    assert "409" in own.refused(f"security group rule create web {RULES[2]}")
    assert "400" in own.refused("security group rule create web --protocol icmp --remote-ip 2001:db8::/64")
    assert {row["Name"] for row in own.get("security group list --tags y")} == {"web"}
    admin.run("default security group rule create --protocol tcp --dst-port 22 --for-custom-sg --description ssh")
    [ssh] = [row["ID"] for row in admin.get("default security group rule list --protocol tcp")]
    own.run("security group create later")
    assert "22:22" in [row["Port Range"] for row in own.get("security group rule list later")]
    admin.run(f"default security group rule delete {ssh}")
    own.run(f"security group rule delete {rules[0]['ID']}", "security group delete web quick later")
    own.run("address group delete ag")
    assert left(own) == EMPTY


def test_trunks_sharing_and_logs(own: Shell, admin: Shell) -> None:
    red = admin.get("project show red")["id"]
    own.run(
        "network create n",
        "network create inner",
        "security group create sg",
        "subnet pool create pool --pool-prefix 10.20.0.0/16",
        "port create parent --network n",
        "port create child --network inner",
        "network trunk create t --parent-port parent --subport port=child,segmentation-type=vlan,segmentation-id=100",
        "network trunk unset t --subport child",
        "network trunk set t --subport port=child,segmentation-type=vlan,segmentation-id=101 --name u",
        f"network rbac create n --type network --action access_as_shared --target-project {red}",
    )
    assert [row["Segmentation ID"] for row in own.get("network subport list --trunk u")] == [101]
    assert {row["Object Type"] for row in own.get("network rbac list")} == {"network"}
    said = own.try_("network log create seen --resource-type security_group --resource sg --event DROP -f json")
    assert (said.code, json.loads(said.out)["Event"]) == (0, "DROP")  # it warns of the library that it uses
    assert own.try_("network log delete seen").code == 0
    own.run("network trunk delete u")
    own.run(*(f"network rbac delete {row['ID']}" for row in own.get("network rbac list")))
    own.run("port delete child parent", "network delete n inner", "security group delete sg", "subnet pool delete pool")
    assert left(own) == EMPTY


def test_quotas(own: Shell, admin: Shell) -> None:
    def limits(command: str = "quota show blue") -> dict[str, int]:
        return {row["Resource"]: row["Limit"] for row in admin.get(command)}

    before = limits()
    admin.run("quota set blue --networks 1 --ports 7")
    assert (limits()["networks"], limits()["ports"], limits()["routers"]) == (1, 7, before["routers"])
    own.run("network create n")
    assert "Quota exceeded for resources: ['network']" in own.refused("network create m")
    assert {row["Resource"]: row["In Use"] for row in own.get("quota show --usage")}["networks"] == 1
    assert "409" in own.refused("network create m")
    assert "403" in own.refused("quota set blue --networks 9")
    own.run("network delete n")
    admin.run("quota delete blue")
    assert limits() == before == limits("quota show --default")


def test_what_an_operator_looks_at(own: Shell, admin: Shell) -> None:
    own.run("network create n", "subnet create s --network n --subnet-range 10.0.0.0/24")
    admin.run("availability zone list --network", "network agent list")
    [used] = admin.get("ip availability list")
    assert (used["Network Name"], used["Total IPs"], used["Used IPs"]) == ("n", 253, 0)
    aliases = {row["Alias"] for row in own.get("extension list --network")}
    assert {"router", "security-group", "trunk", "standard-attr-tag", "quotas"} <= aliases
    assert not {"external-net", "l3_agent_scheduler", "qos", "metering"} & aliases
    assert own.get("extension show router")["alias"] == "router"
    assert own.get("versions show")
    assert {row["Type"] for row in own.get("catalog list")} == {"network", "identity"}
    own.run("network delete n")
    assert left(own) == EMPTY


def test_flavors(own: Shell, admin: Shell) -> None:
    assert {row["Service Type"] for row in own.get("network service provider list")} == {"L3_ROUTER_NAT", "FIREWALL_V2"}
    admin.run("network flavor create --service-type L3_ROUTER_NAT --description quick gold")
    made = admin.get("network flavor profile create --driver netplane --description d --metainfo words")
    admin.run(f"network flavor add profile gold {made['id']}")
    assert own.get("network flavor show gold")["service_profile_ids"] == [made["id"]]
    assert "409" in admin.refused(f"network flavor profile delete {made['id']}")
    assert "403" in own.refused("network flavor set gold --disable")
    admin.run(f"network flavor remove profile gold {made['id']}", "network flavor set gold --disable --name silver")
    [listed] = own.get("network flavor list")
    assert (listed["Name"], listed["Enabled"], listed["Service Type"]) == ("silver", False, "L3_ROUTER_NAT")
    admin.run(f"network flavor profile set {made['id']} --disable")
    [listed] = admin.get("network flavor profile list")
    assert (listed["ID"], listed["Driver"], listed["Enabled"]) == (made["id"], "netplane", False)
    admin.run(f"network flavor profile delete {made['id']}", "network flavor delete silver")
    assert own.get("network flavor list") == admin.get("network flavor profile list") == []


def test_segments(own: Shell, admin: Shell) -> None:
    own.run("network create n", "subnet create s --network n --subnet-range 10.0.0.0/24")
    assert own.get("subnet show s")["segment_id"] is None
    number = admin.get("network show n")["provider:segmentation_id"]
    [listed] = admin.get("network segment list --network n --long")
    assert (listed["Network Type"], listed["Segment"], listed["Physical Network"]) == ("vxlan", number, None)
    admin.run(f"network segment set {listed['ID']} --name rack --description d")
    shown = admin.get("network segment show rack")
    assert (shown["name"], shown["description"], shown["network_id"]) == ("rack", "d", listed["Network"])
    assert "409" in admin.refused("network segment delete rack")
    assert "409" in admin.refused("network segment create other --network n --network-type vxlan")
    assert own.get("network segment list") == []
    own.run("network delete n")
    assert admin.get("network segment list") == []


@pytest.mark.parametrize("command", ["qos policy", "meter"])
def test_what_is_not_there_is_not_found(own: Shell, command: str) -> None:
    """As with any server of networks that lacks the extension."""
    assert "404" in own.refused(f"network {command} list")


def test_floating_addresses_are_none(own: Shell) -> None:
    assert own.get("floating ip list") == []
    own.run("network create n")
    assert "404" in own.refused("floating ip create n")
    assert "Unrecognized attribute(s) 'external_gateway_info'" in own.refused("router create r --external-gateway n")
    own.run("network delete n")


def test_tokens(own: Shell, place: Place) -> None:
    token = own.get("token issue")["id"]
    auth = {"auth_url": f"{place.url}/identity", "token": token}
    place.add_cloud("token", {**auth, "project_name": "blue", "project_domain_id": "default"}, auth_type="v3token")
    with shell(place, "token") as openstack:
        assert openstack.get("network list") == []
        own.run(f"token revoke {token}")
        assert "401" in openstack.refused("network list")


def test_application_credentials(own: Shell, place: Place) -> None:
    made = own.get("application credential create ci")
    auth = {"auth_url": f"{place.url}/identity"}
    auth |= {"application_credential_id": made["ID"], "application_credential_secret": made["Secret"]}
    place.add_cloud("ci", auth, auth_type="v3applicationcredential")
    assert command(place, "ci", ["network", "create", "n", "-f", "value", "-c", "project_id"]) == made["Project ID"]
    own.run("network delete n", "application credential delete ci")


def command(place: Place, cloud: str, words: Sequence[str]) -> str:
    """What the `openstack` command itself prints, in a process of its own."""
    openstack = Path(sys.executable).with_name("openstack")
    done = subprocess.run([openstack, *words], env=place.environment(cloud), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()
