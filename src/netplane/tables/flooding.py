"""FLOOD: what goes to a group, or to all of a network: a copy to each machine of it here, one to each other host of it.

The hosts of a network are known from its records, the members of a group from what they say by IGMP; each host knows
its own members only, so every host of the network gets a copy, and those without a member drop it. A copy from
another host is never sent on. Nothing here is a connection: rules are asked for each packet and each receiver, and
what they refuse is all that is logged.
"""

from collections.abc import Callable, Iterator
from itertools import chain, count, takewhile
from typing import NamedTuple, NoReturn, TypeVar

from netplane.base.addresses import MAPPED
from netplane.tables import lookup
from netplane.tables.asking import asks_all, is_told
from netplane.tables.decisions import (
    PACES,
    Class,
    Cost,
    DeviceFlag,
    Direction,
    EndpointFlag,
    Limit,
    Punt,
    Reason,
    Stage,
    Verdict,
)
from netplane.tables.ipv6 import is_multicast
from netplane.tables.logging import write_about
from netplane.tables.lookup import EndpointValue, PortValue
from netplane.tables.neighbours import ALL_NODES
from netplane.tables.packet import ARP, ETHERNET, Packet, ethertype, parse_arp
from netplane.tables.pipeline import PACE
from netplane.tables.policing import allowed
from netplane.tables.run import End, Run
from netplane.tables.serving import punt

IGMP = 2
IGMP_REPORTS = (0x12, 0x16, 0x22, 0x17)
"""Reports of versions 1 to 3, and version 2's leave (RFC 1112, 2236, 3376)."""
MLD = (130, 131, 132, 143)
MLD_REPORTS = (131, 143, 132)
"""Reports of versions 1 and 2, and version 1's done (RFC 2710, 3810)."""
LEAST = 8
"""Bytes of any of these."""
TO_ALL = b"\xff" * 6
EVERYBODY = MAPPED + b"\xff" * 4
UNSPECIFIED = MAPPED + bytes(4)
GROUP_MAC = bytes.fromhex("01005e")
GROUPS_FROM = MAPPED + bytes((224, 0, 0, 0))
SNOOPED_FROM = MAPPED + bytes((224, 0, 1, 0))
GROUPS_END = MAPPED + bytes((240, 0, 0, 0))
OF_ONE_MACHINE = 1
"""The scope of groups of IPv6 that no packet is sent to (RFC 4291, section 2.7)."""


T = TypeVar("T")


class Sent(NamedTuple):
    """What is to be copied, and by whom."""

    vni: int
    mac: bytes
    identity: int
    packet: Packet | None
    """None for ARP, of which no rule speaks."""
    here: bool
    """Whether a machine of this host has sent it."""
    is_told: bool = False
    """Whether everybody may hear it, whatever its rules say."""


def is_for_many(run: Run, vni: int, packet: Packet) -> bool:
    """Whether a frame to a group address holds a packet to that very group, or to all.

    RFC 1112, section 6.4, RFC 1122, section 3.3.6, and RFC 2464, section 7; what is of one machine only, and what is
    reserved, is on no wire (RFC 4291, section 2.7).
    """
    mac, destination = run.frame[0:6], packet.destination
    if packet.is_ipv6:
        return (
            is_multicast(destination) and destination[1] & 15 > OF_ONE_MACHINE and mac == b"\x33\x33" + destination[12:]
        )
    if mac == TO_ALL:
        return destination == EVERYBODY or lookup.is_broadcast(run.entries, vni, destination)
    low = bytes((destination[13] & 0x7F,)) + destination[14:]
    return GROUPS_FROM <= destination < GROUPS_END and mac == GROUP_MAC + low


def is_snooped(group: bytes) -> bool:
    """Whether a group has members of its own; broadcasts and some groups are for all (RFC 4541, sections 2.1.2, 3)."""
    return SNOOPED_FROM <= group < GROUPS_END or (is_multicast(group) and group != ALL_NODES)


def announces(frame: bytes) -> bool:
    """Whether an ARP packet tells everybody its sender's own address (RFC 5227, section 3; RFC 826)."""
    told = parse_arp(frame) if ethertype(frame) == ARP else None
    if told is None or told.operation not in (1, 2) or frame[0:6] != TO_ALL:
        return False
    return told.sender_mac == frame[6:12] and told.sender == told.target != UNSPECIFIED


def speaks_of_groups(packet: Packet) -> bool:
    """Whether it is IGMP, or MLD."""
    return packet.is_icmp and packet.type in MLD if packet.is_ipv6 else packet.protocol == IGMP


def hear_report(run: Run, port: PortValue, ifindex: int, packet: Packet) -> None:
    """LOCAL_ANSWER: the agent hears which groups a machine listens to; nobody else has to know.

    Of the source nothing is asked: a machine may tell before it has an address (RFC 3376, section 4.2.13).
    """
    if not speaks_of_groups(packet):
        return
    if packet.more or packet.offset:
        run.drop(Stage.LOCAL_ANSWER, Reason.FRAGMENT)
    if packet.length - packet.header < LEAST:
        run.drop(Stage.LOCAL_ANSWER, Reason.MALFORMED)
    if run.frame[ETHERNET + packet.header] not in (MLD_REPORTS if packet.is_ipv6 else IGMP_REPORTS):
        run.drop(Stage.LOCAL_ANSWER, Reason.ROGUE_QUERIER)
    punt(run, port, ifindex, Punt.REPORT, in_fragments=False)


def flood_packet(run: Run, vni: int, mac: bytes, source: EndpointValue, packet: Packet, *, here: bool) -> NoReturn:
    """A packet to many, whose sender is known."""
    if speaks_of_groups(packet) and not here:
        run.drop(Stage.FLOOD, Reason.FROM_TUNNEL)
    if not is_for_many(run, vni, packet):
        run.drop(Stage.FLOOD, Reason.MULTICAST)
    is_judged = here and not source.flags & EndpointFlag.OPEN and not asks_all(run.frame, packet)
    if is_judged and not allowed(run, Direction.EGRESS, source.identity, 0, packet.destination, packet, packet.service):
        run.drop(Stage.FLOOD, Reason.POLICY_OUT)
    flood(run, Sent(vni, mac, source.identity, packet, here, is_told(source, packet)))


def flood(run: Run, sent: Sent) -> NoReturn:
    """Make the copies, as far as the sender may cost others so much."""
    if run.settings.host == 0:
        run.drop(Stage.FLOOD, Reason.NO_HOST)
    until = lookup.pace(run.entries, sent.vni, sent.mac, Cost.COPIES)
    pace, key = PACES[Cost.COPIES], PACE.pack_key(sent.vni, sent.mac, Cost.COPIES)
    full = key not in run.entries["pace"] and len(run.entries["pace"]) >= run.rooms["pace"]
    if full or until > run.now + pace.burst - pace.pause:
        run.drop(Stage.FLOOD, Reason.STORM)
    if sent.here:
        run.counts.append((sent.vni, sent.mac, Direction.EGRESS, Class.GROUP))
    copies = sum(copy_here(run, sent, mac) for mac in listeners(run, sent) if mac != sent.mac)
    if sent.here:
        copies += sum(copy_there(run, sent, host) for host in hosts(run, sent) if host not in (0, run.settings.host))
    run.step(Stage.FLOOD, Reason.NONE, copies)
    run.paces[key] = PACE.pack_value(max(until, run.now) + copies * pace.pause)
    raise End(Verdict.FLOOD, Reason.NONE, copies, sent.vni, run.frame)


def listeners(run: Run, sent: Sent) -> Iterator[bytes]:
    """The MAC addresses of the machines of this host that it is for."""
    group = b"" if sent.packet is None else sent.packet.destination

    def at(index: int) -> bytes | None:
        if group and is_snooped(group):
            return lookup.member(run.entries, sent.vni, group, index)
        return lookup.crowd(run.entries, sent.vni, index)

    return listed(run, sent, at)


def hosts(run: Run, sent: Sent) -> Iterator[int]:
    """The numbers of the hosts that carry machines of the network, and 0 at the end of an entry that is not full."""
    entries = takewhile(bool, (lookup.spread(run.entries, sent.vni, index) for index in count()))
    numbers = chain.from_iterable(entries)
    return listed(run, sent, lambda _: next(numbers, None))


def listed(run: Run, sent: Sent, at: Callable[[int], T | None]) -> Iterator[T]:
    """What stands in a list, up to a limit; that it is longer is counted."""
    for index in range(Limit.COPIES + 1):
        found = at(index)
        if found is None:
            return
        if index == Limit.COPIES:
            run.step(Stage.DELIVERY, Reason.TOO_MANY)
            count_dropped(run, sent, Reason.TOO_MANY)
            return
        yield found


def count_dropped(run: Run, sent: Sent, reason: Reason) -> None:
    """Count for the sender, or for the tunnel, what became of some copies."""
    if sent.here:
        run.counts.append((sent.vni, sent.mac, Direction.EGRESS, Class.DROPPED + reason))
    else:
        run.counts.append((0, bytes(6), Direction.INGRESS, Class.DROPPED + reason))


def copy_here(run: Run, sent: Sent, mac: bytes) -> int:
    """A copy to a machine of this host, if its rules let it in; how many there are."""
    device = lookup.device(run.entries, sent.vni, mac)
    if device is None:
        run.step(Stage.DELIVERY, Reason.NO_DEVICE)
        return 0
    packet = sent.packet
    is_judged = not (device.flags & DeviceFlag.OPEN or sent.is_told)
    if (
        is_judged
        and packet is not None
        and not allowed(run, Direction.INGRESS, device.identity, sent.identity, packet.source, packet, packet.service)
    ):
        run.counts.append((sent.vni, mac, Direction.INGRESS, Class.DROPPED + Reason.POLICY_IN))
        run.own[Direction.INGRESS], run.identities[Direction.INGRESS] = (sent.vni, mac), device.identity
        write_about(run, Direction.INGRESS, Reason.POLICY_IN)
        return 0
    run.counts.append((sent.vni, mac, Direction.INGRESS, Class.GROUP))
    run.step(Stage.DELIVERY, Reason.NONE, Verdict.DELIVER | device.vlan << 16, device.ifindex, sent.vni)
    return 1


def copy_there(run: Run, sent: Sent, host: int) -> int:
    """A copy to another host of the network; how many there are."""
    if lookup.host_address(run.entries, host) is None:
        run.step(Stage.DELIVERY, Reason.NO_HOST)
        return 0
    run.step(Stage.DELIVERY, Reason.NONE, Verdict.TUNNEL, host, sent.vni)
    return 1
