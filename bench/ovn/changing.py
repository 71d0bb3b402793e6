"""Changes of a running OVN, and when each was in the switches' tables, by OVN's own word and by the switches'.

Of the host that a port comes to: `ovn-installed`, which its controller notes when the switch has the port's flows. Of
others: the flow that leads there. Of all else: the last flow that changed (`watch`). Nothing is added to a change in
order to learn when it is done.
"""

import time
from collections.abc import Iterable, Mapping, Sequence

from bench.cloud import Cloud, Port, Project, Rule
from bench.ovn import northbound
from bench.ovn.central import Central
from bench.ovn.host import Host
from bench.ovn.ovsdb import Operation, Row, known, mapping
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
        added = self._transact(*northbound.port_rows(place.project, port, dhcp=known(dhcp)))
        self._rows[port.id] = added[0]["uuid"][1]
        return self._bound(place, port.host, began)

    def add_all(self, places: Sequence[Place]) -> float:
        """Ports come, a transaction each, as Neutron would make them; their devices were there before."""
        rows = {subnet: self._dhcp(subnet) for subnet in {place.network.subnet for place in places}}
        for place in places:
            self._hosts[place.port.host].plug([place.port.id])
        began = time.time()
        for place in places:
            dhcp = known(rows[place.network.subnet])
            self._transact(*northbound.port_rows(place.project, place.port, dhcp=dhcp))
        taken = [self._bound(place, place.port.host, began).everywhere for place in places]
        return max(taken) / 1e3

    def move(self, place: Place, host: str) -> Realised:
        """A port goes to another host, where its device is already, as in a live migration."""
        port = place.port
        self._hosts[host].plug([port.id])
        began = time.time()
        self._transact(*northbound.move_port(port, host))
        taken = self._bound(place, host, began)
        self._hosts[port.host].unplug(port.id)
        return taken

    def delete(self, place: Place) -> Realised:
        """A port goes; its device does so afterwards."""
        port = place.port
        row = self._rows.pop(port.id)
        needing = self._needing(place.project, port.host)
        taken = self._changed(needing, port.host, northbound.remove_port(port, known(row)))
        self._hosts[port.host].unplug(port.id)
        return taken

    def allow(self, project: Project, rule: Rule) -> Realised:
        """The web group gets a rule, which concerns the hosts of its members."""
        group = project.groups[1]
        hosts = {port.host for port in project.ports if group.id in port.groups} & self._hosts.keys()
        return self._changed(hosts, None, northbound.add_rule(group, rule))

    def join(self, project: Project, port: Port) -> Realised:
        """A port joins the web group too, whose addresses no rule asks for."""
        where = [("name", "==", port.id)]
        [row] = self._central.northbound.select("Logical_Switch_Port", "_uuid", where=where)
        return self._changed({port.host}, None, northbound.join_group(row["_uuid"], project.groups[1].id))

    def _transact(self, *operations: Operation) -> list[Row]:
        return self._central.northbound.transact(*operations)

    def _changed(self, hosts: set[str], host: str | None, operations: Iterable[Operation]) -> Realised:
        """A change that comes to each of some hosts at once; `host` is the one that it is about, if there is one."""
        began = time.time()
        self._transact(*operations)
        ends = {name: self._watches[name].wait_for_last(began, PATIENCE) for name in hosts}
        return _taken(began, ends[host] if host else min(ends.values()), ends.values())

    def _bound(self, place: Place, host: str, began: float) -> Realised:
        """A change after which a port is on a host that it was not on."""
        here = wait_for(lambda: self._hosts[host].read_installed(place.port.id))
        key = self._key(place.port)
        others = self._needing(place.project, host) - {host}
        elsewhere = [self._watches[name].wait_for_lead(key, began, PATIENCE) for name in others]
        return _taken(began, here, [here, *elsewhere])

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
