"""python-neutronclient's bindings: deprecated, and still what many services call."""

from collections.abc import Iterator
from typing import Any

import pytest
from keystoneauth1 import session
from keystoneauth1.identity import v3
from neutronclient.common import exceptions
from neutronclient.v2_0.client import Client

from tests.clients.server import Place

pytestmark = pytest.mark.filterwarnings("ignore")  # it warns of its own age


@pytest.fixture(scope="module")
def client(place: Place) -> Iterator[Any]:
    """The first administrator's."""
    with place.connect("netplane") as cloud:
        auth = v3.Password(**{**cloud.config.config["auth"], "auth_url": f"{place.url}/v3"})
        yield Client(session=session.Session(auth=auth))


@pytest.fixture
def network(client: Any) -> Iterator[dict[str, Any]]:
    made = client.create_network({"network": {"name": "n"}})["network"]
    yield made
    for port in client.list_ports(network_id=made["id"])["ports"]:
        client.delete_port(port["id"])
    client.delete_network(made["id"])


def test_up_and_down(client: Any, network: dict[str, Any]) -> None:
    subnet = client.create_subnet({"subnet": {"network_id": network["id"], "cidr": "10.0.0.0/24", "ip_version": 4}})
    subnet = client.update_subnet(subnet["subnet"]["id"], {"subnet": {"name": "s"}})["subnet"]
    router = client.create_router({"router": {"name": "r"}})["router"]
    assert client.add_interface_router(router["id"], {"subnet_id": subnet["id"]})["subnet_id"] == subnet["id"]
    group = client.create_security_group({"security_group": {"name": "web"}})["security_group"]
    rule = {"security_group_id": group["id"], "direction": "ingress", "protocol": "tcp", "port_range_min": 80}
    rule = client.create_security_group_rule({"security_group_rule": {**rule, "port_range_max": 80}})
    port = {"network_id": network["id"], "security_groups": [group["id"]], "fixed_ips": [{"subnet_id": subnet["id"]}]}
    port = client.create_port({"port": port})["port"]
    assert client.show_port(port["id"], fields="id")["port"] == {"id": port["id"]}
    assert client.update_port(port["id"], {"port": {"name": "p"}}, revision_number=port["revision_number"])
    assert client.list_ports(name="p", fields=["id"])["ports"] == [{"id": port["id"]}]
    client.replace_tag("networks", network["id"], {"tags": ["a"]})
    client.add_tag("networks", network["id"], "b")
    assert [found["tags"] for found in client.list_networks(tags="b")["networks"]] == [["a", "b"]]
    client.remove_tag_all("networks", network["id"])
    client.delete_port(port["id"])
    client.delete_security_group_rule(rule["security_group_rule"]["id"])
    client.delete_security_group(group["id"])
    client.remove_interface_router(router["id"], {"subnet_id": subnet["id"]})
    client.delete_router(router["id"])
    client.delete_subnet(subnet["id"])
    assert client.list_subnets()["subnets"] == []


def test_pages(client: Any, network: dict[str, Any]) -> None:
    ports = [{"network_id": network["id"], "name": f"p{number}"} for number in range(7)]
    assert len(client.create_port({"ports": ports})["ports"]) == 7
    own = {"network_id": network["id"]}
    assert len(client.list_ports(retrieve_all=True, page_reverse=False, limit=3, **own)["ports"]) == 7
    pages = client.list_ports(retrieve_all=False, limit=3, **own)
    assert [len(page["ports"]) for page in pages] == [3, 3, 1]


def test_what_there_is(client: Any) -> None:
    aliases = {extension["alias"] for extension in client.list_extensions()["extensions"]}
    assert client.show_extension("router")["extension"]["alias"] == "router"
    assert {"router", "quotas"} <= aliases
    project = client.get_quotas_tenant()["tenant"]["tenant_id"]
    assert client.show_quota(project)["quota"]["network"] == client.show_quota_default(project)["quota"]["network"]
    assert client.list_agents()["agents"] == []
    assert client.list_availability_zones() == {"availability_zones": []}
    assert client.list_network_ip_availabilities() == {"network_ip_availabilities": []}


def test_errors(client: Any, network: dict[str, Any]) -> None:
    absent = "5b2b8d1e-0000-4000-8000-000000000000"
    subnet = client.create_subnet({"subnet": {"network_id": network["id"], "cidr": "10.0.0.0/24", "ip_version": 4}})
    fixed = [{"subnet_id": subnet["subnet"]["id"], "ip_address": "10.0.0.9"}]
    port = client.create_port({"port": {"network_id": network["id"], "fixed_ips": fixed}})["port"]
    project = network["project_id"]
    client.update_quota(project, {"quota": {"network": 1}})
    tried: list[tuple[type[Exception], Any]] = [
        (exceptions.NetworkNotFoundClient, lambda: client.show_network(absent)),
        (exceptions.PortNotFoundClient, lambda: client.delete_port(absent)),
        (exceptions.NotFound, lambda: client.show_router(absent)),
        (exceptions.OverQuotaClient, lambda: client.create_network({"network": {}})),
        (exceptions.NetworkInUseClient, lambda: client.delete_network(network["id"])),
        (exceptions.Conflict, lambda: client.delete_subnet(subnet["subnet"]["id"])),
        (exceptions.IpAddressInUseClient, lambda: client.create_port({"port": port_like(port, "fixed_ips")})),
        (exceptions.MacAddressInUseClient, lambda: client.create_port({"port": port_like(port, "mac_address")})),
        (exceptions.BadRequest, lambda: client.create_network({"network": {"nonsense": 1}})),
        (exceptions.BadRequest, lambda: client.list_networks(nonsense=1)),
        (exceptions.NotFound, client.list_qos_policies),
    ]
    for expected, call in tried:
        with pytest.raises(expected):
            call()
    client.delete_quota(project)


def port_like(port: dict[str, Any], field: str) -> dict[str, Any]:
    return {"network_id": port["network_id"], field: port[field]}
