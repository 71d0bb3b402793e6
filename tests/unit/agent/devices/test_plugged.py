"""Which device each port is plugged into."""

from netplane.agent.devices.links import Link
from netplane.agent.devices.plugged import by_port, plugged, rivals
from netplane.model import Device
from tests.unit.agent.records import PORT


def link(ifindex: int, name: str, alias: str = "", *, kind: str = "veth", elsewhere: bool = True) -> Link:
    return Link(ifindex, name, alias, kind, up=True, elsewhere=elsewhere)


def check(links: list[Link], *devices: Device, ports: tuple[str, ...] = (PORT.id,)) -> None:
    assert plugged(by_port(links, ports)) == {device.id: device for device in devices}


def test_an_alias_names_the_port() -> None:
    check([link(4, "veth4", "netplane:port9"), link(5, "veth5")], Device(id="port9", ifindex=4, peer=True))


def test_only_a_veth_whose_peer_is_elsewhere_hands_over_at_once() -> None:
    check([link(4, "a", "netplane:p", elsewhere=False)], Device(id="p", ifindex=4))
    check([link(4, "a", "netplane:p", kind="macvlan")], Device(id="p", ifindex=4))


def test_a_tap_is_found_by_the_beginning_of_its_ports_id() -> None:
    check([link(6, "tapbbbbbbbb-11", kind="tun")], Device(id=PORT.id, ifindex=6))


def test_a_tap_of_a_port_that_is_not_known_waits() -> None:
    check([link(6, "tapbbbbbbbb-11", kind="tun")], ports=())


def test_the_newer_of_two_devices_counts() -> None:
    links = [link(9, "b", f"netplane:{PORT.id}"), link(6, "tapbbbbbbbb-11")]
    check(links, Device(id=PORT.id, ifindex=9, peer=True))
    [problem] = rivals(by_port(links, [PORT.id]))
    assert (problem.id, problem.text) == (PORT.id, "has several devices, tapbbbbbbbb-11, b: the last of them counts")
    assert rivals(by_port(links[:1], [PORT.id])) == []


def test_an_empty_alias_names_nothing() -> None:
    check([link(3, "c", "netplane:"), link(4, "tap")])
