"""Which device each port is plugged into, by the conventions in use.

- An alias `netplane:<port id>` (set by `netplane attach`, by orchestrators and by the lab) names the port in full.
- A name `tap<first 11 characters of the port id>` (Nova, libvirt) names only the beginning of an id, so it counts
  once the slice holds such a port: for ports whose requested host is this one, that is as soon as they exist.

Two devices for one port happen while a machine is started anew; the newer one, which has the greater ifindex, counts.
If it lasts, somebody has plugged in twice: it is told as a problem.
"""

from collections.abc import Iterable, Mapping, Sequence

from netplane.agent.devices.alias import ALIAS
from netplane.agent.devices.links import Link
from netplane.base.problem import Problem
from netplane.model import Device, Port

TAP = "tap"
TAP_LENGTH = 11
"""How much of the port's id fits in a device's name, which has at most 15 characters."""


def by_port(links: Iterable[Link], ports: Iterable[str]) -> dict[str, list[Link]]:
    """The devices that are taken for each port's, the newest last; `ports` are those that short names may stand for."""
    by_beginning = {port[:TAP_LENGTH]: port for port in ports}
    found: dict[str, list[Link]] = {}
    for link in sorted(links):
        port = _port(link, by_beginning)
        if port:
            found.setdefault(port, []).append(link)
    return found


def plugged(found: Mapping[str, Sequence[Link]]) -> dict[str, Device]:
    """The device of each port: the newest of those found."""
    newest = {port: links[-1] for port, links in found.items()}
    return {
        port: Device(id=port, ifindex=link.ifindex, peer=link.kind == "veth" and link.elsewhere)
        for port, link in newest.items()
    }


def trunked(devices: Mapping[str, Device], ports: Iterable[Port]) -> dict[str, Device]:
    """The same, and what the devices of trunks' parents carry under VLAN tags; a subport has no device of its own."""
    carried = {
        each.port_id: Device(id=each.port_id, ifindex=parent.ifindex, peer=parent.peer, vlan=each.segmentation_id)
        for port in ports
        if port.sub_ports and (parent := devices.get(port.id)) is not None
        for each in port.sub_ports
    }
    return dict(devices) | carried


def rivals(found: Mapping[str, Sequence[Link]]) -> list[Problem]:
    """Ports with several devices, of which all but one are idle."""
    return [
        Problem("port", port, f"has several devices, {', '.join(link.name for link in links)}: the last of them counts")
        for port, links in found.items()
        if len(links) > 1
    ]


def _port(link: Link, by_beginning: Mapping[str, str]) -> str | None:
    if link.alias.startswith(ALIAS):
        return link.alias.removeprefix(ALIAS)
    return by_beginning.get(link.name.removeprefix(TAP)) if link.name.startswith(TAP) else None
