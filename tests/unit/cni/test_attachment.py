"""From a port to an interface, to a result, and back to what CHECK expects."""

from typing import Any

import pytest

from netplane.cni.attachment import Address, Attachment, Expected, Route, attachment, differences, expected, result
from netplane.cni.config import Dns

PORT: dict[str, Any] = {
    "id": "5b0f2a5e-7b1c-4a53-9a3f-0d9f1c0f8a11",
    "mac_address": "fa:16:3e:00:00:01",
    "fixed_ips": [
        {"subnet_id": "four", "ip_address": "10.0.1.7"},
        {"subnet_id": "six", "ip_address": "fd00::7"},
    ],
}
FOUR = {
    "id": "four",
    "cidr": "10.0.1.0/24",
    "ip_version": 4,
    "gateway_ip": "10.0.1.1",
    "dns_nameservers": ["192.0.2.53"],
    "host_routes": [{"destination": "198.51.100.0/24", "nexthop": "10.0.1.254"}],
}
SIX = {
    "id": "six",
    "cidr": "fd00::/64",
    "ip_version": 6,
    "gateway_ip": "fd00::1",
    "dns_nameservers": ["192.0.2.53", "fd00::53"],
    "host_routes": [],
}
ALONE = {**FOUR, "gateway_ip": None, "dns_nameservers": [], "host_routes": []}
MADE = Attachment(
    port=PORT["id"],
    mac="fa:16:3e:00:00:01",
    mtu=1450,
    addresses=(Address("10.0.1.7/24", "10.0.1.1"), Address("fd00::7/64", "fd00::1")),
    routes=(Route("198.51.100.0/24", "10.0.1.254"), Route("0.0.0.0/0", "10.0.1.1"), Route("::/0", "fd00::1")),
    resolvers=("192.0.2.53", "fd00::53"),
)


def test_a_port_with_two_families() -> None:
    assert attachment(PORT, {"mtu": 1450}, [FOUR, SIX, {**SIX, "id": "unused"}]) == MADE
    assert MADE.device == "npc5b0f2a5e7b1c"
    assert len(MADE.device) <= 15


def test_a_subnet_without_anything() -> None:
    port = {**PORT, "fixed_ips": PORT["fixed_ips"][:1]}
    made = attachment(port, {"mtu": 9000}, [ALONE])
    assert (made.mtu, made.addresses, made.routes, made.resolvers) == (9000, (Address("10.0.1.7/24", ""),), (), ())
    assert "gateway" not in result(made, "eth0", "/x", None, "1.1.0")["ips"][0]  # type: ignore[index]


@pytest.mark.parametrize(
    ("version", "family", "mtu"), [("0.4.0", "6", None), ("1.0.0", None, None), ("1.1.0", None, 1450)]
)
def test_results_by_version(version: str, family: str | None, mtu: int | None) -> None:
    said: Any = result(MADE, "eth0", "/x", None, version)
    assert (said["cniVersion"], said["ips"][1].get("version"), said["interfaces"][1].get("mtu")) == (
        version,
        family,
        mtu,
    )
    assert said["dns"] == {"nameservers": ("192.0.2.53", "fd00::53")}


def test_configured_resolvers_replace_the_subnets() -> None:
    assert result(MADE, "eth0", "/x", Dns(domain="x.test"), "1.1.0")["dns"] == {"domain": "x.test"}


def test_a_result_is_what_is_expected_later() -> None:
    wanted = expected(result(MADE, "eth0", "/x", None, "1.1.0"), "eth0", "/x")
    addresses = frozenset({"10.0.1.7/24", "fd00::7/64"})
    assert wanted == Expected("fa:16:3e:00:00:01", addresses, frozenset(MADE.routes))
    assert expected({}, "eth0", "/x") is None
    assert expected(result(MADE, "eth0", "/other", None, "1.1.0"), "eth0", "/x") is None


def test_differences() -> None:
    wanted = Expected("02:00:00:00:00:01", frozenset({"10.0.1.7/24"}), frozenset({("0.0.0.0/0", "10.0.1.1")}))
    more = [("0.0.0.0/0", "10.0.1.1"), ("10.9.0.0/16", "")]
    assert differences(wanted, "02:00:00:00:00:01", ["10.0.1.7/24", "10.0.1.8/24"], more) == []
    assert differences(wanted, "02:00:00:00:00:02", [], []) == [
        "its MAC is 02:00:00:00:00:02, not 02:00:00:00:00:01",
        "it lacks the address 10.0.1.7/24",
        "it lacks the route to 0.0.0.0/0 by 10.0.1.1",
    ]
