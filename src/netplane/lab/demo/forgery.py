"""Item 6: forged packets get nothing through, from machines and from hosts."""

import json
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial

from netplane.lab import Machine
from netplane.lab.demo.check import Check
from netplane.lab.demo.scene import Scene
from netplane.lab.traffic.frames import (
    ETH_P_ARP,
    ETH_P_IP,
    Capture,
    arp_reply,
    containing,
    echo_request,
    ethernet,
    ipv4,
    mac,
    send,
    send_vxlan,
)

COUNT = 20
SETTLE, PATIENCE = 0.2, 5.0
VLAN_TAG = struct.pack("!HH", 0x8100, 5)
"""Kernels take it out of the frame on the way in and put it back on the way out."""
BROADCAST = "ff:ff:ff:ff:ff:ff"


def checks(scene: Scene) -> Iterator[Check]:
    """Each forgery next to the same packet told honestly, which must arrive."""
    liar, victim, target = scene.machine("a1"), scene.machine("a2"), scene.machine("a3")
    yield _from_machine("the true packet arrives (control)", liar, target, echo(liar, target), COUNT)
    yield _from_machine("forged MAC address", liar, target, echo(liar, target, source_mac=victim.mac), 0)
    yield _from_machine("forged IP address", liar, target, echo(liar, target, source=victim.address), 0)
    yield _from_machine("forged MAC and IP address", liar, target, echo(victim, target), 0)
    yield _from_machine("a VLAN tag on a true packet", liar, target, echo(liar, target), 0, tag=VLAN_TAG)
    yield _arp(scene, liar, victim)
    yield _rogue_dhcp(liar, victim)
    yield from _from_hosts(scene)


def marker(name: str) -> bytes:
    """What the packets of one check carry."""
    return f"forgery: {name}".encode()[:48]


def echo(machine: Machine, target: Machine, *, source_mac: str | None = None, source: str | None = None) -> bytes:
    """An echo request from one machine to another of its network, in somebody else's name if wanted."""
    packet = ipv4(source or machine.address, target.address, 1, echo_request(0x7E57, b""))
    return ethernet(source_mac or machine.mac, target.mac, ETH_P_IP, packet)


def _from_machine(name: str, sender: Machine, target: Machine, frame: bytes, wanted: int, *, tag: bytes = b"") -> Check:
    mark = marker(name)
    marked = _with_data(frame, mark)
    marked = marked[:12] + tag + marked[12:]
    arrived = count_arrivals(target, mark, lambda: send(sender.namespace, [marked] * COUNT), wanted)
    return Check(name, arrived == wanted, f"{arrived} of {COUNT} arrived")


def _with_data(frame: bytes, data: bytes) -> bytes:
    """The same echo request with other data, checksums made anew."""
    source, target = frame[26:30], frame[30:34]
    packet = ipv4(".".join(map(str, source)), ".".join(map(str, target)), 1, echo_request(0x7E57, data))
    return frame[:14] + packet


def count_arrivals(target: Machine, mark: bytes, act: Callable[[], None], wanted: int = 0) -> int:
    """Send something and count what arrives with the mark.

    What is wanted may take a while on a busy machine; nothing being wanted, the wait is far longer than the way.
    """
    found = 0
    with Capture(target.namespace) as capture:
        act()
        deadline = time.monotonic() + (PATIENCE if wanted else SETTLE)
        while time.monotonic() < deadline and not 0 < wanted <= found:
            time.sleep(0.01)
            found += len(capture.received(containing(mark)))
    return found


def _arp(scene: Scene, liar: Machine, victim: Machine) -> Check:
    """Claims that the gateway is at the liar's MAC address: nobody hears them, and the victim's cache stays right."""
    segment = scene.blue.segments["left"]
    victim.ping(segment.gateway, count=1)
    claim = arp_reply(liar.mac, segment.gateway, victim.mac, victim.address)
    frames = [ethernet(liar.mac, target, ETH_P_ARP, claim) for target in (victim.mac, BROADCAST)] * (COUNT // 2)
    arrived = count_arrivals(victim, mac(liar.mac), lambda: send(liar.namespace, frames))
    known = read_neighbour(victim, segment.gateway)
    ok = arrived == 0 and known == segment.gateway_mac
    return Check(
        "ARP answers for another", ok, f"{arrived} of {len(frames)} arrived; gateway still at {known or 'none'}"
    )


def read_neighbour(machine: Machine, address: str) -> str:
    """The MAC address that a machine's kernel has for an address; empty for none."""
    argv = ["ip", "-n", machine.namespace, "-j", "neighbour", "show", address]
    found = json.loads(subprocess.check_output(argv, text=True) or "[]")
    return str(found[0].get("lladdr", "")) if found else ""


def _rogue_dhcp(liar: Machine, victim: Machine) -> Check:
    """A machine that plays DHCP server."""
    mark = marker("dhcp")
    datagram = struct.pack("!HHHH", 67, 68, 8 + len(mark), 0) + mark
    frame = ethernet(liar.mac, victim.mac, ETH_P_IP, ipv4(liar.address, victim.address, 17, datagram))
    arrived = count_arrivals(victim, mark, lambda: send(liar.namespace, [frame] * COUNT))
    return Check("DHCP answers from a machine", arrived == 0, f"{arrived} of {COUNT} arrived")


def _from_hosts(scene: Scene) -> Iterator[Check]:
    """VXLAN packets to a1's host in the name of a3, from a3's own host and from another one."""
    target, claimed = scene.machine("a1"), scene.machine("a3")
    other = scene.lab.host_list[-1]
    vni = scene.blue.segments["left"].vni
    # Conversation first: forged packets must not get through on an existing connection either.
    claimed.ping(target.address, count=1)
    for name, host, wanted in (
        ("VXLAN from the machine's own host arrives (control)", claimed.host, COUNT),
        ("VXLAN from another host in the name of this machine", other, 0),
    ):
        mark = marker(name)
        frames = [_with_data(echo(claimed, target), mark)] * COUNT
        forge = partial(send_vxlan, host.namespace, target.host.address, vni, frames)
        arrived = count_arrivals(target, mark, forge, wanted)
        yield Check(name, arrived == wanted, f"{arrived} of {COUNT} arrived, sent by {host.name}")
