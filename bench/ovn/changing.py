"""Changes of a running OVN, and when each was in the switches' tables, by OVN's own word and by the switches'.

Of the host that a port is on: `ovn-installed`, which its controller notes when the switch has the port's flows. Of the
others: the flow that leads there (`watch`). Of all: the number that goes with the change, which each controller answers
when the switch has confirmed everything up to it. All three bear the time at which it was so.
"""

import time
from collections.abc import Iterable, Mapping, Sequence

from bench.cloud import Cloud, Port, Project, Rule
from bench.ovn import northbound
from bench.ovn.central import Central, Written
from bench.ovn.host import Host
from bench.ovn.ovsdb import Operation, known, mapping
from bench.ovn.standing import Place, Realised
from bench.ovn.waiting import PATIENCE, wait_for
from bench.ovn.watch import Key, Watch


class Tenants:
    """Who changes it, and watches the real hosts meanwhile."""

    def __init__(self, cloud: Cloud, central: Central, hosts: Mapping[str, Host]) -> None:
        self._central = central
        self._hosts = hosts
        self._watches = {name: Watch(host) for name, host in hosts.items()}
        self._carried = {project.id: {port.host for port in project.ports} & hosts.keys() for project in cloud.projects}
        self._rows: dict[str, str] = {}

    def close(self) -> None:
        """Watch no longer."""
        for watch in self._watches.values():
            watch.close()

    def add(self, place: Place) -> Realised:
        """A port comes; its device was there before, so that nobody waits for it."""
        port = place.port
        dhcp = self._dhcp(place.network.subnet)
        self._hosts[port.host].plug([port.id])
        began = time.time()
        written = self._central.write(*northbound.port_rows(place.project, port, dhcp=known(dhcp)))
        self._rows[port.id] = written.rows[0]
        return self._bound(place, port.host, written, began)

    def add_all(self, places: Sequence[Place]) -> float:
        """Ports come, a transaction each, as Neutron would make them; their devices were there before."""
        rows = {subnet: self._dhcp(subnet) for subnet in {place.network.subnet for place in places}}
        for place in places:
            self._hosts[place.port.host].plug([place.port.id])
        began = time.time()
        for place in places:
            dhcp = known(rows[place.network.subnet])
            self._central.northbound.transact(*northbound.port_rows(place.project, place.port, dhcp=dhcp))
        written = self._central.write()
        taken = [self._bound(place, place.port.host, written, began).everywhere for place in places]
        return max(taken) / 1e3

    def move(self, place: Place, host: str) -> Realised:
        """A port goes to another host, where its device is already, as in a live migration."""
        port = place.port
        self._hosts[host].plug([port.id])
        began = time.time()
        written = self._central.write(*northbound.move_port(port, host))
        taken = self._bound(place, host, written, began)
        self._hosts[port.host].unplug(port.id)
        return taken

    def delete(self, place: Place) -> Realised:
        """A port goes; its device does so afterwards."""
        port = place.port
        row = self._rows.pop(port.id)
        taken = self._write(place.project, port.host, northbound.remove_port(port, known(row)))
        self._hosts[port.host].unplug(port.id)
        return taken

    def allow(self, project: Project, rule: Rule) -> Realised:
        """The web group gets a rule."""
        return self._write(project, None, northbound.add_rule(project.groups[1], rule))

    def join(self, project: Project, port: Port) -> Realised:
        """A port joins the web group too."""
        where = [("name", "==", port.id)]
        [row] = self._central.northbound.select("Logical_Switch_Port", "_uuid", where=where)
        return self._write(project, None, northbound.join_group(row["_uuid"], project.groups[1].id))

    def _write(self, project: Project, host: str | None, operations: Iterable[Operation]) -> Realised:
        """A change after which no port is elsewhere: the number says it all."""
        began = time.time()
        written = self._central.write(*operations)
        answered = self._answered(self._needing(project, host), written.number)
        here = answered[host] if host else min(answered.values())
        return _taken(began, here, answered.values())

    def _bound(self, place: Place, host: str, written: Written, began: float) -> Realised:
        """A change after which a port is on a host that it was not on."""
        here = wait_for(lambda: self._hosts[host].read_installed(place.port.id))
        needing = self._needing(place.project, host)
        key = self._key(place.port)
        elsewhere = [self._watches[name].wait(key, began, PATIENCE) for name in needing - {host}]
        answered = self._answered(needing, written.number)
        return _taken(began, here, [here, *elsewhere, *answered.values()])

    def _answered(self, hosts: set[str], number: int) -> dict[str, float]:
        """When hosts answered a number."""

        def all_of_them() -> dict[str, float] | None:
            answered = self._central.read_answered(number)
            return {name: answered[name] for name in hosts} if hosts <= answered.keys() else None

        return wait_for(all_of_them)

    def _needing(self, project: Project, host: str | None) -> set[str]:
        """The real hosts that carry something of a project, and the one that something is to be on."""
        return self._carried[project.id] | ({host} if host else set())

    def _key(self, port: Port) -> Key:
        where = [("logical_port", "==", port.id)]
        [row] = self._central.southbound.select("Port_Binding", "tunnel_key", "datapath", where=where)
        where = [("_uuid", "==", row["datapath"])]
        [switch] = self._central.southbound.select("Datapath_Binding", "tunnel_key", where=where)
        return Key(row["tunnel_key"], switch["tunnel_key"])

    def _dhcp(self, subnet: str) -> str:
        where = [("external_ids", "includes", mapping({"subnet_id": subnet}))]
        [row] = self._central.northbound.select("DHCP_Options", "_uuid", where=where)
        return str(row["_uuid"][1])


def _taken(began: float, here: float, everywhere: Iterable[float]) -> Realised:
    return Realised((here - began) * 1e3, (max(everywhere) - began) * 1e3)
