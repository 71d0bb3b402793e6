"""Names of ports, domains of networks, and what users hand to their machines."""

from base64 import b64encode
from typing import Any

import pytest

from tests.api.support import World


def make_port(world: World, **fields: Any) -> dict[str, Any]:
    network = world.make("network")["id"]
    world.make("subnet", network_id=network, cidr="10.0.0.0/24")
    port: dict[str, Any] = world.make("port", network_id=network, **fields)
    return port


@pytest.mark.parametrize(
    ("name", "hostname", "fqdn"),
    [
        ("Web", "web", "web.openstacklocal."),
        ("web.eu", "web.eu", "web.eu.openstacklocal."),
        ("web.openstacklocal.", "web.openstacklocal.", "web.openstacklocal."),
        ("", "host-10-0-0-2", "host-10-0-0-2.openstacklocal."),
    ],
)
def test_a_port_is_called(world: World, name: str, hostname: str, fqdn: str) -> None:
    port = make_port(world, dns_name=name)
    assert port["dns_name"] == name.lower()
    assert port["dns_assignment"] == [{"ip_address": "10.0.0.2", "hostname": hostname, "fqdn": fqdn}]


def test_names_change_and_go(world: World) -> None:
    port = make_port(world, dns_name="web", dns_domain="Blue.Example.")
    assert port["dns_domain"] == "blue.example."
    changed = world.change("port", port["id"], dns_name="db", dns_domain="")
    assert (changed["dns_name"], changed["dns_domain"]) == ("db", "")
    assert changed["dns_assignment"][0]["fqdn"] == "db.openstacklocal."
    assert world.change("port", port["id"], dns_name="")["dns_assignment"][0]["hostname"] == "host-10-0-0-2"


def test_a_network_has_a_domain(world: World) -> None:
    network = world.make("network", dns_domain="Blue.Example.")
    assert network["dns_domain"] == "blue.example."
    assert world.change("network", network["id"], dns_domain="")["dns_domain"] == ""


BAD_NAMES = ("-web", "web-", "we_b", "w" * 64, "a..b", "a.123", "web.example.", "openstacklocal.", ".", "a." * 130)
BAD_DOMAINS = ("blue.example", "-blue.example.", "blue..example.", "blue.123.", "b_.example.", "a." * 127)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names(world: World, name: str) -> None:
    port = make_port(world)
    assert world.refused("PUT", f"ports/{port['id']}", {"port": {"dns_name": name}}) == (400, "InvalidInput")
    body = {"port": {"network_id": port["network_id"], "dns_name": name}}
    assert world.refused("POST", "ports", body) == (400, "InvalidInput")
    assert len(world.get("ports")["ports"]) == 1


@pytest.mark.parametrize("domain", BAD_DOMAINS)
def test_bad_domains(world: World, domain: str) -> None:
    network = world.make("network")["id"]
    assert world.refused("POST", "networks", {"network": {"dns_domain": domain}}) == (400, "InvalidInput")
    assert world.refused("PUT", f"networks/{network}", {"network": {"dns_domain": domain}}) == (400, "InvalidInput")
    body = {"port": {"network_id": network, "dns_domain": domain}}
    assert world.refused("POST", "ports", body) == (400, "InvalidInput")


def test_what_users_hand_to_their_machine(world: World) -> None:
    told = {"user_data": b64encode(b"#!/bin/sh").decode(), "public_keys": {"me": "ssh-ed25519 A"}, "meta": {"a": "b"}}
    port = make_port(world, **{"netplane:metadata": told})
    assert port["netplane:metadata"] == told
    wish: dict[str, Any] = {"netplane:metadata": {"meta": {"c": "d"}}}
    changed = world.change("port", port["id"], **wish)
    assert changed["netplane:metadata"] == {"meta": {"c": "d"}}


@pytest.mark.parametrize(
    "told",
    [
        {"user_data": "no base64!"},
        {"user_data": "A" * 65_540},
        {"public_keys": {"": "ssh"}},
        {"public_keys": {"me": "two\nlines"}},
        {"public_keys": ["ssh"]},
        {"meta": {str(number): "" for number in range(200)}},
        {"meta": {"a": 5}},
        {"password": "secret"},
        "text",
    ],
)
def test_what_cannot_be_handed_over(world: World, told: Any) -> None:
    network = world.make("network")["id"]
    status, _ = world.refused("POST", "ports", {"port": {"network_id": network, "netplane:metadata": told}})
    assert status == 400
    assert world.get("ports")["ports"] == []
