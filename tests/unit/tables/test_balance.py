"""Flows and the ways they take."""

from collections import Counter

from netplane.base.addresses import pack_address
from netplane.tables.balance import flow_of, mixed, score
from netplane.tables.packet import Packet

HOPS = [pack_address(f"10.0.0.{number}") for number in range(1, 9)]
WHOLE = Packet(pack_address("10.0.1.1"), pack_address("203.0.113.7"), 64, 17, 20, 100, sport=1000, dport=53)


def way(packet: Packet, hops: list[bytes]) -> bytes:
    return max(hops, key=lambda hop: score(flow_of(packet), hop))


def test_the_mixer() -> None:
    """As MurmurHash3's fmix64 has it."""
    assert mixed(0) == 0
    assert mixed(1) == 0xB456BCFC34C2CB2C
    assert mixed(0xFFFFFFFFFFFFFFFF) == 0x64B5720B4B825F21


def test_flows_are_spread_evenly() -> None:
    flows = [WHOLE._replace(sport=port) for port in range(8000)]
    counted = Counter(way(flow, HOPS) for flow in flows)
    assert all(900 < counted[hop] < 1100 for hop in HOPS)


def test_only_the_flows_of_who_went_move() -> None:
    for port in range(1000):
        flow = WHOLE._replace(sport=port)
        before = way(flow, HOPS)
        after = way(flow, [hop for hop in reversed(HOPS) if hop != HOPS[3]])
        assert after == before or before == HOPS[3]


def test_fragments_of_a_packet_go_one_way() -> None:
    first = WHOLE._replace(more=True, id=7)
    later = WHOLE._replace(offset=100, id=7, sport=0, dport=0)
    assert flow_of(first) == flow_of(later) != flow_of(WHOLE)
