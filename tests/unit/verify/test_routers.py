"""Routers in series in the reference, checked by hand: ANN reaches DAN by two routers that share a network with CAT."""

from ipaddress import IPv4Address

import pytest
from msgspec.structs import replace

from netplane.model import AnyRecord, FixedIP, Network, Port, Route, Router, Subnet
from netplane.verify.datagram import Datagram
from netplane.verify.intent import DROPPED, Fate, Kind, intent
from netplane.verify.routers import suits
from netplane.verify.world import World
from tests.frames import ethernet, icmp, internet_sum, ipv4, udp
from tests.unit.verify.records import RECORDS, interface, machine, rule
from tests.worlds import replaced

ANN, GATEWAY = b"\2\0\0\0\0\2", b"\2\0\0\0\1a"
SECOND = replace(
    interface("b", "s"), id="s-b", mac_address="02:00:00:00:02:62", fixed_ips=(FixedIP("b-v4", "10.0.1.254"),)
)
BEYOND = replace(
    interface("c", "s"), id="s-c", mac_address="02:00:00:00:02:63", fixed_ips=(FixedIP("c-v4", "10.0.2.1"),)
)


def world(*routes: Route) -> World:
    """The small world, and a network behind a second router; the first has these routes."""
    records: list[AnyRecord] = [
        *replaced(RECORDS, Router(id="r", number=1, routes=routes)),
        Network(id="c", vni=9),
        Subnet(id="c-v4", network_id="c", cidr="10.0.2.0/24"),
        Router(id="s", number=2),
        SECOND,
        BEYOND,
        rule(9, "friends", "ingress", protocol="udp"),
    ]
    for record in machine(5, "h2", "friends", "c"):
        if isinstance(record, Port):
            record = replace(record, fixed_ips=(FixedIP("c-v4", "10.0.2.5"),))
        records.append(record)
    return World(records)


def sent(world: World, destination: str, *, ttl: int = 64, ping: bool = False) -> Fate:
    payload, protocol = (icmp(8), 1) if ping else (udp(1000, 53), 17)
    return intent(
        world, "p2", ethernet(GATEWAY, ANN, 0x0800, ipv4(payload, protocol, "10.0.0.2", destination, ttl=ttl))
    )


THERE = world(Route("10.0.2.0/24", "10.0.1.254"))


def test_two_routers() -> None:
    fate = sent(THERE, "10.0.2.5")
    assert (fate.kind, fate.port_id) == (Kind.DELIVERED, "p5")
    assert fate.frame[6:12] == bytes.fromhex("020000000263")
    assert fate.frame[22] == 62
    assert internet_sum(fate.frame[14:34]) == 0


@pytest.mark.parametrize(
    ("destination", "ttl", "speaker", "kind"),
    [
        ("10.0.2.5", 1, "10.0.0.1", (11, 0)),
        ("10.0.2.5", 2, "10.0.1.254", (11, 0)),
        ("10.0.2.9", 64, "10.0.1.254", (3, 1)),
        ("10.0.2.1", 64, "10.0.2.1", (3, 3)),
        ("10.0.3.1", 64, "10.0.0.1", (3, 0)),
    ],
)
def test_who_says_what(destination: str, ttl: int, speaker: str, kind: tuple[int, int]) -> None:
    fate = sent(THERE, destination, ttl=ttl)
    assert fate.kind is Kind.ANSWERED
    assert IPv4Address(fate.frame[26:30]) == IPv4Address(speaker)
    assert (fate.frame[34], fate.frame[35]) == kind


def test_a_router_in_between_answers_pings() -> None:
    assert sent(THERE, "10.0.1.254", ping=True).kind is Kind.ANSWERED
    assert sent(THERE, "10.0.2.1", ping=True).kind is Kind.ANSWERED


def test_next_hops_that_are_not_there_are_left_out() -> None:
    two = world(Route("10.0.2.0/24", "10.0.1.99"), Route("10.0.2.0/24", "10.0.1.254"))
    assert sent(two, "10.0.2.5").kind is Kind.DELIVERED
    nobody = world(Route("10.0.2.0/24", "10.0.1.99"))
    assert sent(nobody, "10.0.2.5").frame[34:36] == bytes((3, 1))


def test_a_machine_that_leads_on_gets_what_is_for_others() -> None:
    fate = sent(world(Route("203.0.113.0/24", "10.0.1.4")), "203.0.113.7")
    assert fate == DROPPED  # its rules let TCP in only


def test_routes_in_a_circle_end() -> None:
    circle = world(Route("203.0.113.0/24", "10.0.1.254"))
    router = Router(id="s", number=2, routes=(Route("203.0.113.0/24", "10.0.1.1"),))
    assert sent(World(replaced(list(circle.records), router)), "203.0.113.7") == DROPPED


def test_flows_suit_next_hops_each_in_its_way() -> None:
    flow = Datagram(IPv4Address("10.0.0.2"), IPv4Address("10.0.2.5"), 64, 17, b"", udp(1000, 53))
    one, other = IPv4Address("10.0.1.4"), IPv4Address("10.0.1.5")
    assert suits(flow, one) != suits(flow, other)
    first = flow._replace(more=True)
    later = flow._replace(offset=8, payload=b"x")
    assert suits(first, one) == suits(later, one) != suits(flow, one)
