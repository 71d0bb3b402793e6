"""A host of OVN: Open vSwitch with its database, and ovn-controller, in a network namespace.

The switch runs with a datapath of no packets (`--enable-dummy`), for this kernel may lack the module and no packet is
sent here: its OpenFlow tables are the real ones, and filling the datapath behind them costs nothing.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from bench.ovn.daemon import Place
from bench.ovn.ovsdb import Database, Operation, insert, many, mapping, mutate, named
from netplane.lab.process import Child

BRIDGE = "br-int"


class Host(NamedTuple):
    """Running daemons, and a connection to the switch's database."""

    place: Place
    children: dict[str, Child]
    switch: Database

    @property
    def name(self) -> str:
        """Its name among hosts."""
        return self.place.name

    def kill(self) -> None:
        """End all of it at once."""
        self.switch.close()
        for child in self.children.values():
            child.kill()

    def plug(self, ports: Iterable[str]) -> None:
        """Give the switch a device for each port, as whoever starts a machine does."""
        self.switch.transact(*(one for port in ports for one in _device(port)))

    def unplug(self, port: str) -> None:
        """Take a port's device away."""
        [row] = self.switch.select("Port", "_uuid", where=[("name", "==", device(port))])
        where = [("name", "==", BRIDGE)]
        self.switch.transact(mutate("Bridge", where, ("ports", "delete", many([row["_uuid"]]))))

    def read_installed(self, port: str) -> float | None:
        """When the controller has found all flows of a port that is plugged in here in the switch; None if not yet."""
        rows = self.switch.select("Interface", "external_ids", where=[("name", "==", device(port))])
        told = {key: value for row in rows for key, value in row["external_ids"][1]}
        return float(told["ovn-installed-ts"]) / 1e3 if told.get("ovn-installed") == "true" else None

    def read_all_installed(self) -> float | None:
        """When the last of all ports that are plugged in was found installed; None as long as one is not."""
        rows = self.switch.select("Interface", "external_ids", where=[("type", "==", "dummy")])
        told = [dict(row["external_ids"][1]) for row in rows]
        found = [float(each["ovn-installed-ts"]) / 1e3 for each in told if each.get("ovn-installed") == "true"]
        return max(found, default=0.0) if len(found) == len(told) else None

    def read_flows(self) -> int:
        """How many flows the switch has in its tables."""
        said = self.place.run("ovs-ofctl", "dump-aggregate", f"unix:{self.place.directory}/{BRIDGE}.mgmt")
        found = re.search(r"flow_count=(\d+)", said)
        if found is None:
            raise RuntimeError(said)
        return int(found[1])


def start_host(place: Place, southbound: str, address: str) -> Host:
    """Start a host that listens to a southbound database."""
    children = {"switch-database": place.serve("Open_vSwitch", "db")}
    switch = Database(place.directory / "db.sock", "Open_vSwitch")
    if not switch.select("Open_vSwitch", "_uuid"):
        switch.transact(*_settings(place.name, southbound, address))
    children["switch"] = place.start("ovs-vswitchd", "--enable-dummy", f"unix:{place.directory}/db.sock")
    children["controller"] = start_controller(place, switch)
    return Host(place, children, switch)


def start_controller(place: Place, switch: Database) -> Child:
    """Start a host's ovn-controller, which is to say anew of each port that its flows are there."""
    switch.transact(mutate("Interface", [], ("external_ids", "delete", many(["ovn-installed", "ovn-installed-ts"]))))
    return place.start("ovn-controller", f"unix:{place.directory}/db.sock")


def _settings(name: str, southbound: str, address: str) -> list[Operation]:
    """What a host is told before it starts for the first time."""
    settings = {
        "system-id": name,
        "hostname": name,
        "ovn-remote": southbound,
        "ovn-encap-type": "geneve",
        "ovn-encap-ip": address,
        "ovn-bridge": BRIDGE,
        "ovn-bridge-datapath-type": "dummy",
        "ovn-monitor-all": "false",
        "ovn-openflow-probe-interval": "0",
        "ovn-remote-probe-interval": "0",
    }
    return [
        insert("Bridge", "bridge", name=BRIDGE, datapath_type="dummy", fail_mode="secure"),
        insert("Open_vSwitch", bridges=many([named("bridge")]), external_ids=mapping(settings)),
    ]


def device(port: str) -> str:
    """The name of a port's device, by OpenStack's convention."""
    return f"tap{port[:11]}"


def _device(port: str) -> list[Operation]:
    tap = device(port)
    name = f"i{port.replace('-', '')}"
    return [
        insert("Interface", name, name=tap, type="dummy", external_ids=mapping({"iface-id": port})),
        insert("Port", f"p{name}", name=tap, interfaces=named(name)),
        mutate("Bridge", [("name", "==", BRIDGE)], ("ports", "insert", many([named(f"p{name}")]))),
    ]
