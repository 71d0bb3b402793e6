"""Traces in words, over the datapath's specification."""

import pytest
from msgspec.structs import replace

from netplane.agent.reconcile import Reconcile
from netplane.agent.slice import Slice
from netplane.agent.tracing.packet import parse
from netplane.agent.tracing.trace import Names, arrive, dump, names_of, says, trace
from netplane.agent.tracing.why import WHY
from netplane.agent.worker import Work, bring_in
from netplane.base.addresses import pack_address
from netplane.compiler import Compiler
from netplane.datapath.fake import FakeDatapath
from netplane.model import (
    ROUTER_INTERFACE,
    AnyRecord,
    Device,
    Endpoint,
    FixedIP,
    More,
    Network,
    Port,
    Route,
    Router,
    SecurityGroupRule,
    Subnet,
)
from netplane.stream.client import Position
from netplane.stream.messages import Snapshot, Welcome
from netplane.tables.decisions import Reason
from netplane.tables.pipeline import TABLES
from tests.unit.agent.records import FAR, INTERFACE, NEAR, PORT, ROUTER, RULE, SLICE, upserts

IFINDEX = 11
DEVICE = Device(id=PORT.id, ifindex=IFINDEX)


def names(*records: AnyRecord, are_hosts_told: bool = True) -> Names:
    slice = Slice()
    for message in (Welcome(1, "log"), Snapshot.of(1, [*SLICE, *records])):
        list(slice.take(message))
    return names_of(slice, [(IFINDEX, PORT.id)], {IFINDEX: "tap5"}, are_hosts_told=are_hosts_told)


@pytest.fixture
def reconcile() -> Reconcile:
    found = Reconcile(FakeDatapath(), Compiler())
    changes = upserts(*SLICE, DEVICE)
    bring_in(found, Work(changes, {}, host=1, tunnel=99, punt=98, position=Position("log", 1)))
    return found


def ask(reconcile: Reconcile, packet: str, *, are_hosts_told: bool = True) -> tuple[str, str, str]:
    """Verdict, reason and all that was told."""
    told = names(are_hosts_told=are_hosts_told)
    found = trace(reconcile.datapath, reconcile.compiler, told, PORT, DEVICE, parse(packet))
    steps = found["steps"]
    assert isinstance(steps, list)
    return str(found["verdict"]), str(found["reason"]), "\n".join(f"{step['stage']}: {step['text']}" for step in steps)


def test_to_another_host(reconcile: Reconcile) -> None:
    verdict, reason, told = ask(reconcile, "tcp dst=10.0.0.6 dport=80")
    assert (verdict, reason) == ("TUNNEL", "")
    assert set(told.splitlines()) == {
        f"PORT: device tap5, port {PORT.id} on network blue (VNI 7), served by DHCP",
        "PARSE: IPv4 tcp, port 40000 to 80",
        "ANTI_SPOOF: the address is its own; identity 5 (groups group); carried by host host1 (192.0.2.1)",
        f"ROUTING: straight to 10.0.0.6, port {FAR.id}, on network blue (VNI 7)",
        "CONNECTION: a new connection",
        f"POLICY_OUT: allowed by rule {RULE.id} (any protocol, anybody), "
        "of identity 5 (groups group), towards identity 5 (groups group)",
        "DELIVERY: to host host2 (192.0.2.2)",
        "END: sent to host host2 (192.0.2.2) as network blue (VNI 7)",
    }


def test_every_router_on_the_way_is_told() -> None:
    """The first hands on to the second, which has the network; the host of the receiver is asked for the rest."""
    far = Network(id="far", name="green", vni=8)
    beyond = Subnet(id="beyond", network_id="far", cidr="10.0.1.0/24")
    behind = Endpoint.of("behind", vni=8, mac=FAR.mac, addresses=(pack_address("10.0.1.9"),), identity=5, host=2)
    first = replace(ROUTER, routes=(Route("10.0.1.0/24", "10.0.0.254"),))
    second = Router(id="second", name="r2", number=4)
    inner = replace(INTERFACE, id="inner", mac_address="02:00:00:00:00:71", fixed_ips=(FixedIP("sub", "10.0.0.254"),))
    inner = replace(inner, device_id="second")
    outer = replace(inner, id="outer", network_id="far", fixed_ips=(FixedIP("beyond", "10.0.1.1"),))
    more = (far, beyond, behind, first, second, inner, outer)
    found = Reconcile(FakeDatapath(), Compiler())
    changes = upserts(*SLICE, *more, Device(id=PORT.id, ifindex=IFINDEX))
    bring_in(found, Work(changes, {}, host=1, tunnel=99, punt=98, position=Position("log", 1)))
    answer = trace(found.datapath, found.compiler, names(*more), PORT, DEVICE, parse("icmp dst=10.0.1.9"))
    steps = answer["steps"]
    assert isinstance(steps, list)
    assert [step["text"] for step in steps if step["stage"] == "ROUTING"] == [
        "by router r1 to 10.0.0.254, port inner, on network blue (VNI 7)",
        "by router r2 to 10.0.1.9, port behind, on network green (VNI 8)",
    ]
    onward = answer["onward"]
    assert isinstance(onward, dict)
    assert (onward["host"], onward["port"]) == (2, "behind")


def test_hosts_are_told_to_operators_only(reconcile: Reconcile) -> None:
    _, _, told = ask(reconcile, "tcp dst=10.0.0.6 dport=80", are_hosts_told=False)
    assert "DELIVERY: to a host" in told.splitlines()
    assert "192.0.2." not in told
    assert not {"host1", "host2"} & set(told.replace(";", " ").split())


@pytest.mark.parametrize(
    ("packet", "verdict", "reason", "said"),
    [
        ("icmp dst=10.0.0.1", "ANSWER", "", "END: answered here"),
        ("icmp dst=10.0.0.6 ttl=1 dmac=02:00:00:00:00:01", "ANSWER", "TTL_EXCEEDED", WHY[Reason.TTL_EXCEEDED]),
        ("icmp dst=192.0.2.9", "ANSWER", "NO_ROUTE", "by router r1"),
        ("icmp dst=10.0.0.6 src=10.0.0.9", "DROP", "SPOOFED_ADDRESS", WHY[Reason.SPOOFED_ADDRESS]),
        ("icmp dst=10.0.0.9", "DROP", "UNKNOWN_DESTINATION", "the machine asks in vain whom to send this to"),
        ("icmp dst=10.0.0.9 dmac=02:00:00:00:00:09", "DROP", "UNKNOWN_DESTINATION", "nor a router"),
        ("udp dst=10.0.0.1 sport=68 dport=67", "PUNT", "", "answered by the agent"),
        ("arp dst=10.0.0.1", "ANSWER", "", "LOCAL_ANSWER: this host answers"),
        ("hex:00", "DROP", "MALFORMED", "malformed"),
        ("hex:" + "00" * 14, "DROP", "SPOOFED_MAC", "MAC"),
    ],
)
def test_the_end(reconcile: Reconcile, packet: str, verdict: str, reason: str, said: str) -> None:
    found = ask(reconcile, packet)
    assert found[:2] == (verdict, reason)
    assert said in found[2]


DUAL = replace(PORT, fixed_ips=(*PORT.fixed_ips, FixedIP("sub6", "fd00::5")))
SUBNET6 = Subnet(id="sub6", network_id=PORT.network_id, ip_version=6, cidr="fd00::/64", gateway_ip="fd00::1")
INNER = Port(
    id="dual-interface",
    network_id=PORT.network_id,
    mac_address="02:00:00:00:00:61",
    fixed_ips=(FixedIP("sub6", "fd00::1"),),
    device_id="router",
    device_owner=ROUTER_INTERFACE,
)


@pytest.mark.parametrize(
    ("packet", "verdict", "reason", "said"),
    [
        ("icmp dst=fd00::1", "ANSWER", "", "PARSE: IPv6 icmpv6, identifier 1"),
        ("icmp dst=fe80::ff:fe00:61", "ANSWER", "", "END: answered here"),
        ("icmp dst=2001:db8::1", "ANSWER", "NO_ROUTE", "the router has no route"),
        ("tcp dst=2001:db8::1 ttl=1", "ANSWER", "NO_ROUTE", "IPv6 tcp, port 40000 to 0"),
        ("udp dst=fd00::9", "DROP", "UNKNOWN_DESTINATION", "asks in vain"),
        ("nd dst=fd00::1", "ANSWER", "", "LOCAL_ANSWER: this host answers"),
        ("nd dst=fd00::9", "DROP", "ND_UNKNOWN", WHY[Reason.ND_UNKNOWN]),
        ("icmp dst=fd00::1 type=134", "DROP", "ROGUE_ROUTER", WHY[Reason.ROGUE_ROUTER]),
        ("udp dst=ff02::1:2 dmac=33:33:00:01:00:02 sport=546 dport=547", "PUNT", "", "served by DHCP and DHCPv6"),
    ],
)
def test_ipv6(packet: str, verdict: str, reason: str, said: str) -> None:
    found = Reconcile(FakeDatapath(), Compiler())
    endpoint = replace(NEAR, more=More(addresses=(pack_address("fd00::5"),)))
    rule = replace(RULE, id="00000006", ethertype="IPv6")
    changes = upserts(*SLICE, SUBNET6, INNER, DUAL, endpoint, rule, Device(id=PORT.id, ifindex=IFINDEX))
    bring_in(found, Work(changes, {}, host=1, tunnel=99, punt=98, position=Position("log", 1)))
    answer = trace(found.datapath, found.compiler, names(), DUAL, DEVICE, parse(packet))
    assert (answer["verdict"], answer["reason"]) == (verdict, reason)
    assert said in str(answer["steps"]).replace("'text': ", "").replace("'stage': ", "").replace("', '", ": ")


def test_the_rest_of_a_trace_is_told_by_the_host_it_goes_to(reconcile: Reconcile) -> None:
    there = Reconcile(FakeDatapath(), Compiler())
    port = replace(PORT, id=FAR.id, mac_address="02:00:00:00:00:06", fixed_ips=(FixedIP("sub", "10.0.0.6"),))
    changes = upserts(*SLICE, port, Device(id=FAR.id, ifindex=12))
    bring_in(there, Work(changes, {}, host=2, tunnel=99, punt=98, position=Position("log", 1)))
    begun = trace(reconcile.datapath, reconcile.compiler, names(), PORT, DEVICE, parse("tcp dst=10.0.0.6 dport=80"))
    onward = begun["onward"]
    assert isinstance(onward, dict)
    assert (onward["host"], onward["port"], onward["vni"]) == (2, FAR.id, 7)

    def arrives(source: str) -> tuple[object, object, str]:
        frame = bytes.fromhex(str(onward["frame"]))
        found = arrive(there.datapath, there.compiler, names(), frame, 7, source)
        return found["verdict"], found["reason"], str(found["steps"])

    verdict, reason, told = arrives("192.0.2.1")
    assert (verdict, reason) == ("DROP", "POLICY_IN"), "its only rule is for what leaves"
    assert f"{WHY[Reason.POLICY_IN]}; rules are those of identity 5 (groups group), towards identity 5" in told
    assert arrives("192.0.2.9")[:2] == ("DROP", "FORGED_HOST")


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (RULE, "any protocol, anybody"),
        (replace(RULE, protocol="tcp", port_range_min=80, port_range_max=80), "tcp 80, anybody"),
        (replace(RULE, protocol="udp", port_range_min=1, port_range_max=9, remote_group_id="g"), "udp 1 to 9, group g"),
        (replace(RULE, protocol="icmp", port_range_min=8, remote_ip_prefix="10.0.0.0/8"), "icmp 8, 10.0.0.0/8"),
    ],
)
def test_what_a_rule_says(rule: SecurityGroupRule, text: str) -> None:
    assert says(rule) == text


def test_ports_are_told_by_name_and_id() -> None:
    assert names(replace(PORT, name="web")).ports == {(IFINDEX, 7): f"web ({PORT.id})"}


def test_a_trace_leaves_nothing_behind(reconcile: Reconcile) -> None:
    before = {table.name: reconcile.datapath.read(table.name) for table in TABLES}
    ask(reconcile, "tcp dst=10.0.0.6 dport=80")
    assert {table.name: reconcile.datapath.read(table.name) for table in TABLES} == before


def test_every_reason_has_its_sentence() -> None:
    assert WHY.keys() == set(Reason)


def test_tables_are_told_as_text(reconcile: Reconcile) -> None:
    told = dump(reconcile.datapath)
    assert told["host"] == ["number=1 -> address=192.0.2.1", "number=2 -> address=192.0.2.2"]
