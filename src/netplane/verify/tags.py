"""VLAN tags (IEEE 802.1Q) on the devices of trunks: they tell which port speaks, and which is meant."""

from netplane.model import Device, Port
from netplane.verify.fate import Fate, Kind
from netplane.verify.world import World


def read_tag(frame: bytes) -> tuple[int, bytes]:
    """The id in a frame's tag, and the frame without it; 0 for a frame without one."""
    if frame[12:14] != b"\x81\0" or len(frame) < 18:
        return 0, frame
    return int.from_bytes(frame[14:16], "big") % 4096, frame[:12] + frame[16:]


def spoken_for(world: World, port_id: str, vlan: int) -> Port | None:
    """Who speaks under a tag on the device of a port."""
    device, port = world.get(Device, port_id), world.get(Port, port_id)
    if device is None or port is None:
        return None
    for other in world.all(Device):
        spoken = world.get(Port, other.id)
        if (other.ifindex, other.vlan) == (device.ifindex, vlan) and spoken and world.host(spoken) == world.host(port):
            return spoken
    return None


def on_the_wire(world: World, fate: Fate) -> Fate:
    """The same, with the tag that the machine's device has for the port."""
    device = world.get(Device, fate.port_id)
    if device is None or not device.vlan or fate.kind is Kind.SERVED:
        return fate
    tag, at = b"\x81\0" + device.vlan.to_bytes(2, "big"), 6 if fate.kind is Kind.PUNTED else 12
    return fate._replace(frame=fate.frame[:at] + tag + fate.frame[at:])
