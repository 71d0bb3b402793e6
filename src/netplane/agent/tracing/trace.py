"""Answers to operators' questions: what becomes of a packet here, and what the tables hold.

A trace runs the real program on a made packet, dry: nothing is counted and no connection is made. Each of its steps
is told in words with the names of the slice. A packet that would cross the tunnel ends there; the answer says what the
host that it goes to must be asked for the rest.
"""

from collections.abc import Iterable, Mapping
from heapq import nsmallest
from typing import NamedTuple

from netplane.agent.slice import Slice
from netplane.agent.tracing.packet import Origin, Sketch, build
from netplane.agent.tracing.way import Station, way_of
from netplane.agent.tracing.why import WHY
from netplane.base.addresses import (
    MAPPED,
    NO_MAC,
    link_local,
    pack_address,
    pack_mac,
    pack_prefix,
    prefix_contains,
    unpack_address,
)
from netplane.compiler import Compiler
from netplane.compiler.policy import rule_number
from netplane.datapath import Datapath
from netplane.model import Device, Host, Identity, Network, Port, Router, SecurityGroupRule, Subnet
from netplane.tables import services
from netplane.tables.decisions import ConnectionState, Direction, PortFlag, Reason, Service, Stage, Verdict
from netplane.tables.family import parse
from netplane.tables.ipv6 import is_link_local
from netplane.tables.outcome import Outcome, Program, Step, Synthetic
from netplane.tables.packet import ARP, IPV4, IPV6, Packet, put_tag
from netplane.tables.pipeline import ENDPOINT, TABLES, TRACE
from netplane.tables.text import PROTOCOL_NAMES, show_entries

LINES = 2_000
"""Lines of one table that are told; a table may hold a million."""


SERVICES: Mapping[int, str] = {Service.DNS: "names", Service.METADATA: "metadata"}
NOBODY = "; no port has the address, nor is there a gateway to it, so the machine asks in vain whom to send this to"


class Names(NamedTuple):
    """What people call the numbers in the tables."""

    networks: Mapping[int, str]
    routers: Mapping[int, str]
    identities: Mapping[int, tuple[str, ...]]
    hosts: Mapping[int, Host]
    rules: Mapping[int, str]
    ports: Mapping[tuple[int, int], str]
    """The port of each device and network, by ifindex and VNI: a trunk's device has several."""
    devices: Mapping[int, str]
    """By ifindex."""
    are_hosts_told: bool
    """Whether hosts are named: they are operators' business."""


def names_of(
    slice: Slice, ports: Iterable[tuple[int, str]], devices: Mapping[int, str], *, are_hosts_told: bool
) -> Names:
    """The names in a slice; `ports` are devices and the ports there, `devices` are devices' names."""
    return Names(
        are_hosts_told=are_hosts_told,
        networks={network.vni: network.name or network.id for network in slice.all(Network).values()},
        routers={router.number: router.name or router.id for router in slice.all(Router).values()},
        identities={identity.number: identity.groups for identity in slice.all(Identity).values()},
        hosts={host.number: host for host in slice.all(Host).values()},
        rules={rule_number(id): f"{id} ({says(rule)})" for id, rule in slice.all(SecurityGroupRule).items()},
        ports={(ifindex, _vni_of(slice, id)): _name_of(slice, id) for ifindex, id in ports},
        devices=devices,
    )


def _name_of(slice: Slice, id: str) -> str:
    port = slice.get(Port, id)
    return f"{port.name} ({id})" if port and port.name else id


def _vni_of(slice: Slice, id: str) -> int:
    port = slice.get(Port, id)
    network = None if port is None else slice.get(Network, port.network_id)
    return 0 if network is None else network.vni


def says(rule: SecurityGroupRule) -> str:
    """What a rule allows: `tcp 80 to 90, group x`, `any protocol, anybody`."""
    least, most = rule.port_range_min, rule.port_range_max
    service = "" if least is None else f" {least}" if most in (None, least) else f" {least} to {most}"
    return f"{rule.protocol or 'any protocol'}{service}, {_says_remote(rule)}"


def _says_remote(rule: SecurityGroupRule) -> str:
    if rule.remote_group_id:
        return f"group {rule.remote_group_id}"
    if rule.remote_address_group_id:
        return f"address group {rule.remote_address_group_id}"
    return rule.remote_ip_prefix or "anybody"


def trace(
    datapath: Datapath, compiler: Compiler, names: Names, port: Port, device: Device, sketch: Sketch
) -> dict[str, object]:
    """What becomes of a packet that the machine of a port sends: verdict, reason and each stage's decision."""
    origin = _origin(compiler, port, sketch)
    frame = build(sketch, origin)
    tagged = put_tag(frame, device.vlan)
    outcome = datapath.run(Program.FROM_MACHINE, tagged, Synthetic(ifindex=device.ifindex, dry=True))
    network = compiler.view.get(Network, port.network_id)
    told = Telling(compiler, names, frame, 0 if network is None else network.vni)
    needs_mac = sketch.protocol not in ("", "arp", "nd") and "dmac" not in sketch.macs
    hint = NOBODY if needs_mac and origin.next_hop == NO_MAC and outcome.verdict is Verdict.DROP else ""
    return _answer(outcome, told, hint) | _onward(outcome, told)


def arrive(
    datapath: Datapath, compiler: Compiler, names: Names, frame: bytes, vni: int, source: str
) -> dict[str, object]:
    """What becomes of a packet that comes by the tunnel from the host whose underlay address is `source`."""
    origin = Synthetic(vni=vni, outer_source=pack_address(source), dry=True)
    return _answer(datapath.run(Program.FROM_TUNNEL, frame, origin), Telling(compiler, names, frame, vni))


def _answer(outcome: Outcome, told: "Telling", hint: str = "") -> dict[str, object]:
    return {
        "verdict": outcome.verdict.name,
        "reason": "" if outcome.reason is Reason.NONE else outcome.reason.name,
        "steps": [*told.steps(outcome), {"stage": "END", "text": told.end(outcome) + hint}],
    }


def _onward(outcome: Outcome, told: "Telling") -> dict[str, object]:
    """What to ask the host that the packet goes to."""
    if outcome.verdict is not Verdict.TUNNEL:
        return {}
    port = told.receiver()
    return {"onward": {"host": outcome.target, "port": port, "vni": outcome.vni, "frame": outcome.frame.hex()}}


def dump(datapath: Datapath) -> dict[str, object]:
    """All tables as text, by name."""
    return {table.name: _beginning(table.name, datapath.read(table.name)) for table in TABLES if table is not TRACE}


def _beginning(table: str, entries: Mapping[bytes, bytes]) -> list[str]:
    """What there is room for: of a full table the rest is not even made text of, which would take a minute."""
    if len(entries) <= LINES:
        return show_entries(table, entries)
    first = {key: entries[key] for key in nsmallest(LINES, entries)}
    return [*show_entries(table, first), f"... and {len(entries) - LINES} more"]


def _origin(compiler: Compiler, port: Port, sketch: Sketch) -> Origin:
    """What the port's records say of a packet that does not say it itself."""
    mac, before = pack_mac(port.mac_address), b"" if sketch.is_ipv6 else MAPPED
    target = before + sketch.addresses.get("dst", bytes(4))
    if is_link_local(target) or sketch.protocol == "nd":
        return Origin(mac, link_local(mac), _mac_of(compiler, port, target))
    own = [fixed for fixed in port.fixed_ips if (":" in fixed.ip_address) == sketch.is_ipv6]
    address = pack_address(own[0].ip_address) if own else bytes(16)
    if target == services.ADDRESS:
        return Origin(mac, address[len(before) :], services.MAC)
    subnets = [subnet for fixed in own if (subnet := compiler.view.get(Subnet, fixed.subnet_id)) is not None]
    if any(prefix_contains(pack_prefix(subnet.cidr), (target, 128)) for subnet in subnets):
        return Origin(mac, address[len(before) :], _mac_of(compiler, port, target))
    gateway = next((subnet.gateway_ip for subnet in subnets if subnet.gateway_ip), None)
    next_hop = NO_MAC if gateway is None else _mac_of(compiler, port, pack_address(gateway))
    return Origin(mac, address[len(before) :], next_hop)


def _mac_of(compiler: Compiler, port: Port, address: bytes) -> bytes:
    """The MAC that the machine would learn by ARP or neighbour discovery; zeros for none."""
    network = compiler.view.get(Network, port.network_id)
    if network is None:
        return NO_MAC
    value = compiler.desired[ENDPOINT.name].get(ENDPOINT.pack_key(network.vni, address))
    mac: bytes = NO_MAC if value is None else ENDPOINT.unpack_value(value)["mac"]
    return mac


class Telling:
    """The steps of one packet, in words."""

    def __init__(self, compiler: Compiler, names: Names, frame: bytes, vni: int) -> None:
        self._compiler = compiler
        self._names = names
        packet = parse(frame) if len(frame) >= 14 else Reason.MALFORMED
        self._way = way_of(compiler.desired, frame, vni, packet) if isinstance(packet, Packet) else []

    def steps(self, outcome: Outcome) -> list[dict[str, str]]:
        """One line for each stage that the packet went through."""
        found: list[dict[str, str]] = []
        stations = iter(self._way)
        for step in outcome.steps:
            station = next(stations, None) if step.stage is Stage.ROUTING else None
            found.append({"stage": step.stage.name, "text": self._step(step, station)})
        return found

    def end(self, outcome: Outcome) -> str:
        """What became of it."""
        match outcome.verdict:
            case Verdict.DELIVER:
                return f"delivered to {self._device(outcome.target, outcome.steps[-1].c)}"
            case Verdict.TUNNEL:
                return f"sent to {self._host(outcome.target)} as {self._network(outcome.vni)}"
            case Verdict.ANSWER:
                return "answered here" + (f": {WHY[outcome.reason]}" if outcome.reason else "")
            case Verdict.PUNT:
                return "answered by the agent"
            case Verdict.FLOOD:
                return f"copied: {outcome.target} copies; what becomes of those to other hosts, each of them decides"
            case Verdict.SERVE:
                return "answered by the host's own service, of names or metadata"
            case Verdict.DROP:
                return f"dropped: {WHY[outcome.reason]}"

    def _step(self, step: Step, station: Station | None) -> str:
        if step.reason is not Reason.NONE:
            return self._refused(step)
        match step.stage:
            case Stage.PORT:
                told = {PortFlag.DHCP: "DHCP", PortFlag.DHCP6: "DHCPv6"}
                by = " and ".join(name for flag, name in told.items() if step.c & flag)
                served = f", served by {by}" if by else ""
                return f"{self._device(step.a, step.b)} on {self._network(step.b)}{served}"
            case Stage.PARSE:
                return self._parsed(step)
            case Stage.ANTI_SPOOF | Stage.SOURCE:
                return f"the address is its own; {self._identity(step.a)}; carried by {self._host(step.b)}"
            case Stage.LOCAL_ANSWER:
                return "this host answers"
            case Stage.ROUTING:
                return self._routed(step, station)
            case Stage.CONNECTION:
                found = {
                    0: "a new connection",
                    1: "a known connection",
                    2: "a known connection, judged again",
                    3: "an error about a packet of a known connection",
                }
                state = f", {ConnectionState(step.b).name}" if step.a and step.b in tuple(ConnectionState) else ""
                return found.get(step.a, "a connection") + state
            case Stage.POLICY_OUT | Stage.POLICY_IN | Stage.FIREWALL:
                return self._allowed(step)
            case Stage.FLOOD:
                return f"{step.a} copies"
            case Stage.SERVICE:
                return f"to this host's service of {SERVICES.get(step.b, 'its own')}"
            case Stage.DELIVERY:
                return f"to {self._host(step.b)}" if step.a == Verdict.TUNNEL else f"to {self._device(step.b, step.c)}"

    def _allowed(self, step: Step) -> str:
        if step.stage is Stage.FIREWALL:
            return f"allowed by rule {step.a:08x} of a firewall, {Direction(step.b).name.lower()} of its networks"
        rule = self._names.rules.get(step.a, f"{step.a:08x}")
        return f"allowed by rule {rule}, of {self._identity(step.b)}, towards {self._identity(step.c)}"

    def _refused(self, step: Step) -> str:
        why = WHY[step.reason]
        match step.stage:
            case Stage.ROUTING if step.b:
                return f"by {self._router(step.b)}: {why}"
            case Stage.FIREWALL:
                return f"{why}: {'none of them matches' if not step.a else f'rule {step.a:08x} refuses it'}"
            case Stage.POLICY_OUT | Stage.POLICY_IN:
                return f"{why}; rules are those of {self._identity(step.b)}, towards {self._identity(step.c)}"
            case _:
                return why

    def _parsed(self, step: Step) -> str:
        if step.a == ARP:
            return "an ARP request"
        if step.a not in (IPV4, IPV6):
            return f"ethertype {step.a:#06x}"
        protocol, low, high = PROTOCOL_NAMES.get(step.b, f"protocol {step.b}"), step.c >> 16, step.c & 0xFFFF
        # Of ICMP the stage notes the identifier of an echo, twice.
        ends = f"identifier {high}" if protocol in ("icmp", "icmpv6") else f"port {low} to {high}"
        return f"{'IPv6' if step.a == IPV6 else 'IPv4'} {protocol}, {ends}"

    def _routed(self, step: Step, station: Station | None) -> str:
        way = f"by {self._router(step.b)}" if step.b else "straight"
        whom = "its destination" if station is None else self._owner(station)
        return f"{way} to {whom} on {self._network(step.a)}"

    def _router(self, number: int) -> str:
        return f"router {self._names.routers.get(number, str(number))}"

    def receiver(self) -> str:
        """The id of the port that gets the packet in the end; empty if there is none."""
        return self._port_at(self._way[-1]) if self._way else ""

    def _port_at(self, station: Station) -> str:
        owners = self._compiler.owners(ENDPOINT.name, ENDPOINT.pack_key(*station))
        return owners[0][1] if owners else ""

    def _owner(self, station: Station) -> str:
        port, address = self._port_at(station), unpack_address(station[1])
        return f"{address}, port {port}," if port else address

    def _network(self, vni: int) -> str:
        return f"network {self._names.networks.get(vni, '?')} (VNI {vni})"

    def _device(self, ifindex: int, vni: int) -> str:
        device, port = self._names.devices.get(ifindex, str(ifindex)), self._names.ports.get((ifindex, vni), "?")
        return f"device {device}, port {port}"

    def _host(self, number: int) -> str:
        if not self._names.are_hosts_told:
            return "a host"
        host = self._names.hosts.get(number)
        return f"host {number}" if host is None else f"host {host.id} ({host.address})"

    def _identity(self, number: int) -> str:
        groups = self._names.identities.get(number)
        return f"identity {number}" + (f" (groups {', '.join(groups)})" if groups else "")
