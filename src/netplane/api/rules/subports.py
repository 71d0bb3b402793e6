"""Ports as parts of trunks."""

from collections.abc import Mapping, Sequence

from netplane.api.errors import conflict
from netplane.api.views import View
from netplane.model import Port, SubPort, Trunk
from netplane.model.port import TRUNK_PORTS
from netplane.store import Reader, Transaction

VLAN = "vlan"
"""The one way in which subports are told apart."""


def show_subport(carried: SubPort) -> View:
    """A subport as clients know it."""
    return {"port_id": carried.port_id, "segmentation_type": VLAN, "segmentation_id": carried.segmentation_id}


def trunk_details(reader: Reader, ports: Sequence[Port]) -> Mapping[str, View]:
    """Of those ports that are trunks' parents: the trunk, and what the port's device carries besides."""
    trunks = reader.group(Trunk, "port_id", [port.id for port in ports])
    carried = [each.port_id for port in ports for each in port.sub_ports]
    macs = {port.id: port.mac_address for port in reader.list(Port, None, carried)} if carried else {}
    return {
        port.id: {
            "trunk_id": trunk.id,
            "sub_ports": [show_subport(each) | {"mac_address": macs[each.port_id]} for each in port.sub_ports],
        }
        for port in ports
        for trunk in trunks[port.id]
    }


def check_in_no_trunk(transaction: Transaction, port: Port) -> None:
    """409 if a port is a trunk's parent, or a subport: its machine would lose a device that it counts on."""
    holder = transaction.holder(TRUNK_PORTS, port.id)
    if holder is None:
        return
    trunk = transaction.get(Trunk, holder)
    if trunk is not None:
        raise conflict("PortInUseAsTrunkParent", f"Port {port.id} is currently a parent port for trunk {trunk.id}.")
    [trunk] = transaction.find(Trunk, "port_id", holder)
    raise conflict("PortInUseAsSubPort", f"Port {port.id} is currently a subport for trunk {trunk.id}.")
