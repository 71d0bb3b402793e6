"""Punted packets: a TAP device that the datapath sends to, and the way back to the machine.

The datapath writes what a packet is into its destination MAC: 02, the kind, the ifindex of the machine's device.
The device is persistent, so an agent that restarts finds it with the same ifindex and no table changes; packets
punted in between are lost, as DHCP expects.
"""

import asyncio
import fcntl
import os
import socket
from collections.abc import Callable
from struct import pack, unpack, unpack_from
from typing import NamedTuple

from netplane.agent.devices.silence import silence_ipv6
from netplane.tables.decisions import Punt
from netplane.tables.packet import put_tag, take_tag

TUNSETIFF, TUNSETPERSIST = 0x400454CA, 0x400454CB
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
MARK = 0x02
FRAME = 65_536
AT_ONCE = 64
"""Packets read before others in the loop have their turn."""


class Place(NamedTuple):
    """Where a port's packets come and go."""

    ifindex: int
    """The device of the machine."""
    vlan: int = 0
    """The VLAN id of the port's frames there; 0 for frames without a tag."""


class Punted(NamedTuple):
    """A packet handed to the agent."""

    kind: Punt
    place: Place
    frame: bytes
    """Without a tag."""


def decode(frame: bytes) -> Punted | None:
    """What a frame on the punt device is; None for what the kernel itself has put there."""
    if len(frame) < 14 or frame[0] != MARK or frame[1] not in Punt.__members__.values():
        return None
    vlan, untagged = take_tag(frame)
    return Punted(Punt(frame[1]), Place(unpack_from("!I", frame, 2)[0], vlan), untagged)


class PuntDevice:
    """The punt device of this namespace, made if it is not there."""

    def __init__(self, name: str) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fd = _open_tap(name)
        self._out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        # A machine that takes nothing must not hold up the others.
        self._out.setblocking(False)
        self.ifindex = socket.if_nametoindex(name)

    def start(self, handle: Callable[[Punted], None]) -> None:
        """Call `handle` from the running loop with each packet."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._readable, handle)

    def exists(self) -> bool:
        """Whether the device is still there."""
        return any(ifindex == self.ifindex for ifindex, _ in socket.if_nameindex())

    def send(self, place: Place, frame: bytes) -> None:
        """Send a frame to a port of the machine behind a device; OSError if the device is gone, down or full."""
        self._out.sendto(put_tag(frame, place.vlan), (socket.if_indextoname(place.ifindex), 0))

    def close(self) -> None:
        """Let go of the device, which stays."""
        self._stop_reading()
        os.close(self._fd)
        self._out.close()

    def _stop_reading(self) -> None:
        if self._loop is not None:
            self._loop.remove_reader(self._fd)

    def _readable(self, handle: Callable[[Punted], None]) -> None:
        for _ in range(AT_ONCE):
            try:
                punted = decode(os.read(self._fd, FRAME))
            except BlockingIOError:
                return
            except OSError:
                # The device has been deleted; who watches links makes another.
                self._stop_reading()
                return
            if punted is not None:
                handle(punted)


def _open_tap(name: str) -> int:
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(fd, TUNSETIFF, pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
        fcntl.ioctl(fd, TUNSETPERSIST, 1)
        _raise_quietly(name)
    except OSError:
        os.close(fd)
        raise
    return fd


def _raise_quietly(name: str) -> None:
    """Set the device up, without the packets that IPv6 sends on a new link."""
    silence_ipv6(name)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        answer = fcntl.ioctl(control, SIOCGIFFLAGS, pack("16sH22x", name.encode(), 0))
        (flags,) = unpack("16xH22x", answer)
        fcntl.ioctl(control, SIOCSIFFLAGS, pack("16sH22x", name.encode(), flags | IFF_UP))
