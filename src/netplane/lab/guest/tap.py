"""Tap devices as Nova makes them for its `tap` VIF type, before it starts the machine that they are for."""

from netplane.lab.namespace import batch

ID_LENGTH = 11
"""How much of a port's id Nova and libvirt's OpenStack drivers put into a device's name."""


def tap_name(port: str) -> str:
    """The device's name for a port's id."""
    return f"tap{port[:ID_LENGTH]}"


def commands(name: str, mtu: int) -> tuple[str, str]:
    """What `ip` is told to make a persistent device and set it up; its frames carry the header that offloads need."""
    return f"tuntap add dev {name} mode tap vnet_hdr", f"link set {name} mtu {mtu} up"


def add_tap(namespace: str, name: str, mtu: int) -> None:
    """Make a device on a host."""
    batch(commands(name, mtu), namespace)


def remove_tap(namespace: str, name: str) -> None:
    """Delete the device; what used it keeps a file descriptor that leads nowhere."""
    batch([f"link delete {name}"], namespace)
