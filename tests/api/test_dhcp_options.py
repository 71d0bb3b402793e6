"""DHCP options of ports: the extension `extra_dhcp_opt`."""

from typing import Any

import pytest

from tests.api.support import Json, World
from tests.api.test_ports import make_network


def dhcp_options(port: Json) -> dict[tuple[str, int], str]:
    return {(each["opt_name"], each["ip_version"]): each["opt_value"] for each in port["extra_dhcp_opts"]}


def test_dhcp_options(world: World) -> None:
    """An update changes what it names, as in Neutron: null takes away, the rest stays."""
    network, _ = make_network(world)
    wanted = [
        {"opt_name": "bootfile-name", "opt_value": "pxelinux.0"},
        {"opt_name": "server-ip-address", "opt_value": "192.0.2.9", "ip_version": "4"},
        {"opt_name": "bootfile-url", "opt_value": "tftp://[fd00::9]/boot", "ip_version": 6},
        {"opt_name": "router", "opt_value": ""},
        {"opt_name": "mtu", "opt_value": None},
    ]
    port = world.make("port", network_id=network, extra_dhcp_opts=wanted)
    kept = {
        ("bootfile-name", 4): "pxelinux.0",
        ("server-ip-address", 4): "192.0.2.9",
        ("bootfile-url", 6): "tftp://[fd00::9]/boot",
        ("router", 4): "",
    }
    assert dhcp_options(port) == kept
    assert dhcp_options(world.get(f"ports/{port['id']}")["port"]) == kept

    def change(*options: Json) -> dict[tuple[str, int], str]:
        return dhcp_options(world.change("port", port["id"], extra_dhcp_opts=list(options)))

    assert change() == kept
    assert dhcp_options(world.change("port", port["id"], extra_dhcp_opts=None)) == kept
    assert dhcp_options(world.change("port", port["id"], name="p")) == kept
    kept |= {("mtu", 4): "1400", ("server-ip-address", 4): "192.0.2.10"}
    mtu, server = {"opt_name": "mtu", "opt_value": "1400"}, {"opt_name": "server-ip-address", "opt_value": "192.0.2.10"}
    assert change(mtu, server) == kept
    del kept["bootfile-name", 4]
    by_number = {"opt_name": "67", "opt_value": None}
    assert change(by_number) == kept
    assert change({"opt_name": "59", "opt_value": None, "ip_version": 6}, by_number).keys() == {
        ("server-ip-address", 4),
        ("router", 4),
        ("mtu", 4),
    }
    gone = [{"opt_name": name, "opt_value": None} for name in ("server-ip-address", "router", "26")]
    assert change(*gone) == {}


def test_the_extension_is_advertised(world: World) -> None:
    assert world.get("extensions/extra_dhcp_opt")["extension"]["alias"] == "extra_dhcp_opt"


BAD: list[Any] = [
    ({"opt_name": "mtu"}, "HTTPBadRequest"),
    ({"opt_value": "1400"}, "HTTPBadRequest"),
    ({"opt_name": "mtu", "opt_value": "1400", "x": 1}, "HTTPBadRequest"),
    ({"opt_name": 7, "opt_value": "1400"}, "InvalidInput"),
    ({"opt_name": "mtu", "opt_value": 1400}, "InvalidInput"),
    ({"opt_name": "mtu", "opt_value": ["1400"]}, "InvalidInput"),
    ({"opt_name": None, "opt_value": "1400"}, "InvalidInput"),
    ({"opt_name": "bootfile-name", "opt_value": "x" * 256}, "InvalidInput"),
    ({"opt_name": "mtu", "opt_value": "1400", "ip_version": 7}, "InvalidInput"),
    ({"opt_name": "mtu", "opt_value": "1400", "ip_version": "four"}, "InvalidInput"),
    ({"opt_name": "mtu", "opt_value": "1400", "ip_version": 5}, "ExtraDhcpOptBadData"),
    ({"opt_name": "no-such-option", "opt_value": "1"}, "ExtraDhcpOptBadData"),
    ({"opt_name": "no-such-option", "opt_value": None}, "ExtraDhcpOptBadData"),
    ({"opt_name": "", "opt_value": "1"}, "ExtraDhcpOptBadData"),
    ({"opt_name": "0", "opt_value": "1"}, "ExtraDhcpOptBadData"),
    ({"opt_name": "256", "opt_value": "1"}, "ExtraDhcpOptBadData"),
    ({"opt_name": "53", "opt_value": "1"}, "ExtraDhcpOptBadData"),
    ({"opt_name": "54", "opt_value": "10.0.0.1"}, "ExtraDhcpOptBadData"),
    ({"opt_name": "mtu", "opt_value": ""}, "ExtraDhcpOptBadData"),
    ({"opt_name": "mtu", "opt_value": "67"}, "ExtraDhcpOptBadData"),
    ({"opt_name": "26", "opt_value": "big"}, "ExtraDhcpOptBadData"),
    ({"opt_name": "router", "opt_value": "fd00::1"}, "ExtraDhcpOptBadData"),
    ({"opt_name": "bootfile-name", "opt_value": "a\nb"}, "ExtraDhcpOptBadData"),
    ({"opt_name": "domain-name", "opt_value": "$(reboot)"}, "ExtraDhcpOptBadData"),
    ({"opt_name": "classless-static-route", "opt_value": "10.0.0.0/8"}, "ExtraDhcpOptBadData"),
    ({"opt_name": "224", "opt_value": "0x1"}, "ExtraDhcpOptBadData"),
    ({"opt_name": "bootfile-url", "opt_value": "", "ip_version": 6}, "ExtraDhcpOptBadData"),
    ({"opt_name": "bootfile-url", "opt_value": "a\tb", "ip_version": 6}, "ExtraDhcpOptBadData"),
    ({"opt_name": "bootfile-name", "opt_value": "x", "ip_version": 6}, "ExtraDhcpOptBadData"),
    ({"opt_name": "dns-server", "opt_value": "192.0.2.1", "ip_version": 6}, "ExtraDhcpOptBadData"),
    ({"opt_name": "23", "opt_value": "fd00::53,x", "ip_version": 6}, "ExtraDhcpOptBadData"),
    ({"opt_name": "ntp-server", "opt_value": "no name!", "ip_version": 6}, "ExtraDhcpOptBadData"),
    ({"opt_name": "3", "opt_value": "x", "ip_version": 6}, "ExtraDhcpOptBadData"),
    ({"opt_name": "65536", "opt_value": "x", "ip_version": 6}, "ExtraDhcpOptBadData"),
    ({"opt_name": "b\u00e4", "opt_value": "x", "ip_version": 6}, "ExtraDhcpOptBadData"),
    ({"opt_name": "x" * 256, "opt_value": "x", "ip_version": 6}, "ExtraDhcpOptBadData"),
    ("mtu=1400", "InvalidInput"),
]


@pytest.mark.parametrize(("option", "type"), BAD)
def test_bad_options_write_nothing(world: World, option: Json, type: str) -> None:
    network, _ = make_network(world)
    port = world.make("port", network_id=network)["id"]
    body = {"extra_dhcp_opts": [{"opt_name": "42", "opt_value": "192.0.2.1"}, option]}
    assert world.refused("POST", "ports", {"port": {"network_id": network} | body}) == (400, type)
    assert world.refused("PUT", f"ports/{port}", {"port": body}) == (400, type)


def named(*names: str) -> Json:
    return {"port": {"extra_dhcp_opts": [{"opt_name": name, "opt_value": "192.0.2.1"} for name in names]}}


def test_an_option_named_twice_or_too_many(world: World) -> None:
    network, _ = make_network(world)
    port = world.make("port", network_id=network)["id"]
    bad = (400, "ExtraDhcpOptBadData")
    assert world.refused("PUT", f"ports/{port}", named("ntp-server", "42")) == bad
    assert world.refused("PUT", f"ports/{port}", named(*map(str, range(160, 193)))) == bad
    assert world.ask("PUT", f"/v2.0/ports/{port}", named(*map(str, range(160, 192)))).status == 200
    assert world.refused("PUT", f"ports/{port}", named("192")) == bad
    assert world.refused("PUT", f"ports/{port}", {"port": {"extra_dhcp_opts": {}}}) == (400, "InvalidInput")
