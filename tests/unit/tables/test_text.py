"""Entries as text: names for numbers, prefixes for bits, and a stable order."""

from typing import Any

import pytest

from netplane.base.addresses import NO_ADDRESS, NO_MAC, pack_address, pack_mac, pack_prefix
from netplane.tables.decisions import (
    Class,
    ConnectionFlag,
    ConnectionState,
    DeviceFlag,
    Direction,
    EndpointFlag,
    Reason,
    Remote,
    Stage,
)
from netplane.tables.pipeline import BY_NAME, TABLES
from netplane.tables.text import show_entries, show_entry, show_tables

A, B, MAC = pack_address("10.0.0.1"), pack_address("10.0.0.2"), pack_mac("02:00:00:00:00:0a")
PREFIX, LENGTH = pack_prefix("10.0.0.0/8")
SIX = (7).to_bytes(4, "big") + bytes(12)
ANY, ONE, SOME = Remote.ANY, Remote.IDENTITY, Remote.PREFIX


def be16(number: int) -> bytes:
    return number.to_bytes(2, "big")


@pytest.mark.parametrize(
    ("table", "key", "value", "text"),
    [
        ("settings", (0,), (1, 2, 3, 4), "index=0 -> host=1 tunnel=2 punt=3 service=4"),
        ("host", (2,), (A,), "number=2 -> address=10.0.0.1"),
        (
            "device",
            (100, MAC),
            (9, DeviceFlag.PEER, 3, 11, 5),
            "vni=100 mac=02:00:00:00:00:0a -> ifindex=9 flags=PEER vlan=3 identity=11 project=5",
        ),
        (
            "endpoint",
            (100, A),
            (MAC, EndpointFlag.ROUTER | 0xC000, 0, 0),
            "vni=100 address=10.0.0.1 -> mac=02:00:00:00:00:0a flags=ROUTER|0xc000 host=0 identity=0",
        ),
        (
            "route",
            (32 + LENGTH, 5, PREFIX),
            (7, MAC, 1400, 0, 0, 0),
            "router=5 prefix=10.0.0.0/8 -> vni=7 mac=02:00:00:00:00:0a mtu=1400",
        ),
        ("route", (32 + LENGTH, 5, PREFIX), (0, bytes(6), 0, 2, LENGTH, 0), "router=5 prefix=10.0.0.0/8 -> hops=2"),
        (
            "route",
            (32 + LENGTH, 5, PREFIX),
            (0, bytes(6), 0, 255, LENGTH, 0),
            "router=5 prefix=10.0.0.0/8 -> hops=nowhere",
        ),
        (
            "hop",
            (5, PREFIX, LENGTH, 1),
            (A, 7, MAC, 1400, 0),
            "router=5 prefix=10.0.0.0/8 index=1 -> via=10.0.0.1 vni=7 mac=02:00:00:00:00:0a mtu=1400",
        ),
        ("gateway", (7, MAC, 0), (5, A, 0), "vni=7 mac=02:00:00:00:00:0a family=IPV4 -> router=5 address=10.0.0.1"),
        (
            "gateway",
            (7, MAC, 0),
            (5, A, 255),
            "vni=7 mac=02:00:00:00:00:0a family=IPV4 -> router=5 address=10.0.0.1 firewall=00000000000000ff",
        ),
        (
            "policy",
            (216, 3, 1, Remote.ANY_IPV6, 0, NO_ADDRESS, 58, be16(128 << 8)),
            (1,),
            "profile=3 direction=INGRESS remote=any_ipv6 protocol=icmpv6 type=128 -> rule=00000001",
        ),
        (
            "policy",
            (192, 3, 1, Remote.IDENTITY_IPV6, 0, (8).to_bytes(4, "big") + bytes(12), 0, bytes(2)),
            (1,),
            "profile=3 direction=INGRESS remote=identity:8:ipv6 protocol=any -> rule=00000001",
        ),
        (
            "prefix",
            (64 + LENGTH, 3, Direction.INGRESS, PREFIX),
            (PREFIX, LENGTH),
            "profile=3 direction=INGRESS prefix=10.0.0.0/8 -> prefix=10.0.0.0/8",
        ),
        (
            "policy",
            (192, 3, 0, ANY, 0, NO_ADDRESS, 0, be16(0)),
            (0xAB,),
            "profile=3 direction=EGRESS remote=any protocol=any -> rule=000000ab",
        ),
        (
            "policy",
            (208, 3, 1, ONE, 0, SIX, 47, be16(0)),
            (1,),
            "profile=3 direction=INGRESS remote=identity:7 protocol=47 -> rule=00000001",
        ),
        (
            "policy",
            (224, 3, 1, SOME, LENGTH, PREFIX, 6, be16(80)),
            (1,),
            "profile=3 direction=INGRESS remote=10.0.0.0/8 protocol=tcp port=80 -> rule=00000001",
        ),
        (
            "policy",
            (214, 3, 1, ANY, 0, NO_ADDRESS, 17, be16(1024)),
            (1,),
            "profile=3 direction=INGRESS remote=any protocol=udp port=1024-2047 -> rule=00000001",
        ),
        (
            "policy",
            (216, 3, 1, ANY, 0, NO_ADDRESS, 1, be16(8 << 8)),
            (1,),
            "profile=3 direction=INGRESS remote=any protocol=icmp type=8 -> rule=00000001",
        ),
        (
            "policy",
            (224, 3, 1, ANY, 0, NO_ADDRESS, 1, be16(3 << 8 | 4)),
            (1,),
            "profile=3 direction=INGRESS remote=any protocol=icmp type=3 code=4 -> rule=00000001",
        ),
        ("profile", (3,), (255,), "profile=3 -> stamp=00000000000000ff"),
        ("port", (9, 3), (100, MAC, 0, 1450), "ifindex=9 vlan=3 -> vni=100 mac=02:00:00:00:00:0a flags=0 mtu=1450"),
        (
            "connection",
            (1, 2, A, B, be16(4000), be16(80), 6),
            (1, 2, 3, 4, 5, 6, ConnectionState.ESTABLISHED, ConnectionFlag.INITIATOR_HIGH | ConnectionFlag.FIN_LOW),
            "vni_low=1 vni_high=2 address_low=10.0.0.1 address_high=10.0.0.2 port_low=4000 port_high=80 protocol=tcp "
            "-> stamp=0000000000000001 seen=2 packets_low=3 bytes_low=4 packets_high=5 bytes_high=6 state=ESTABLISHED "
            "flags=INITIATOR_HIGH|FIN_LOW",
        ),
        (
            "counter",
            (0, NO_MAC, Direction.INGRESS, Class.DROPPED + Reason.FORGED_HOST),
            (1, 60),
            "vni=0 mac=00:00:00:00:00:00 direction=INGRESS class=DROPPED:FORGED_HOST -> packets=1 bytes=60",
        ),
        (
            "counter",
            (1, MAC, Direction.EGRESS, Class.ROUTED),
            (1, 60),
            "vni=1 mac=02:00:00:00:00:0a direction=EGRESS class=ROUTED -> packets=1 bytes=60",
        ),
        ("trace", (0,), (Stage.PORT, Reason.NO_PORT, 1, 2, 3), "index=0 -> stage=PORT reason=NO_PORT a=1 b=2 c=3"),
        ("trace", (0,), (99, 0, 1, 2, 3), "index=0 -> stage=99 reason=NONE a=1 b=2 c=3"),
    ],
)
def test_an_entry(table: str, key: tuple[Any, ...], value: tuple[Any, ...], text: str) -> None:
    assert show_entry(*BY_NAME[table].entry(key, value)) == text


def test_every_table_can_be_shown() -> None:
    for table in TABLES:
        assert " -> " in show_entry(table.name, bytes(table.key.size), bytes(table.value.size))


def test_numbers_are_ordered_as_numbers() -> None:
    host = BY_NAME["host"]
    entries = {host.pack_key(number): host.pack_value(A) for number in (256, 3, 65536, 1)}
    assert [line.split(" ")[0] for line in show_entries("host", entries)] == [
        "number=1",
        "number=3",
        "number=256",
        "number=65536",
    ]


def test_tables_stand_in_the_order_of_the_pipeline() -> None:
    host, port = BY_NAME["host"].entry((1,), (A,)), BY_NAME["port"].entry((9, 0), (100, MAC, 0, 0))
    tables: dict[str, dict[bytes, bytes]] = {
        "port": {port.key: port.value},
        "device": {},
        "host": {host.key: host.value},
    }
    assert show_tables(tables) == (
        "host\n  number=1 -> address=10.0.0.1\n\n"
        "port\n  ifindex=9 vlan=0 -> vni=100 mac=02:00:00:00:00:0a flags=0 mtu=0\n"
    )
    assert show_tables({}) == ""
