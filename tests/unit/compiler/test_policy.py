"""Security group rules as entries."""

import pytest

from netplane.compiler import Compiler, compile_slice
from netplane.compiler.rules import FEW, known, nested
from netplane.model import AddressGroup, Change, Endpoint, Identity, Operation, Port, Record, SecurityGroupRule, kind_of
from netplane.tables.text import show_entries

IDENTITY = Identity(id="i7", number=7, groups=("g",))


def rule(id: str, direction: str = "ingress", group: str = "g", **fields: object) -> SecurityGroupRule:
    return SecurityGroupRule(id=id, security_group_id=group, direction=direction, **fields)  # type: ignore[arg-type]


def upserts(*records: Record) -> list[Change]:
    return [Change(1, Operation.UPSERT, kind_of(record), record.id, record) for record in records]


def here(*records: Record) -> list[Record]:
    """The records, and a machine on this host for each identity among them."""
    ids = [record.id for record in records if isinstance(record, Identity)]
    return [*records, *(machine(id) for id in ids)]


def machine(identity: str) -> Port:
    return Port(id=f"of-{identity}", network_id="n", mac_address="02:00:00:00:00:07", identity_id=identity)


def shown(*records: Record, table: str = "policy") -> list[str]:
    return show_entries(table, compile_slice(here(*records))[table])


def problems(*records: Record) -> list[str]:
    compiler = Compiler()
    compiler.apply(upserts(*here(*records)))
    return [f"{kind} {id}: {text}" for kind, id, text in compiler.problems]


def stamps(*records: Record) -> list[str]:
    return shown(*records, table="profile")


def test_rules_for_anybody() -> None:
    rules = (
        rule("000000a1", "egress"),
        rule("000000a2", protocol="tcp", port_range_min=80, port_range_max=81),
        rule("000000a3", protocol="icmp", port_range_min=8),
        rule("000000a4", protocol="icmp", port_range_min=3, port_range_max=4),
        rule("000000a5", protocol="udp", port_range_min=5, port_range_max=6),
        rule("000000a6", protocol="47"),
    )
    start = "profile=7 direction="
    assert shown(IDENTITY, *rules) == [
        f"{start}EGRESS remote=any protocol=any -> rule=000000a1",
        f"{start}INGRESS remote=any protocol=icmp type=3 code=4 -> rule=000000a4",
        f"{start}INGRESS remote=any protocol=icmp type=8 -> rule=000000a3",
        f"{start}INGRESS remote=any protocol=tcp port=80-81 -> rule=000000a2",
        f"{start}INGRESS remote=any protocol=udp port=5 -> rule=000000a5",
        f"{start}INGRESS remote=any protocol=udp port=6 -> rule=000000a5",
        f"{start}INGRESS remote=any protocol=47 -> rule=000000a6",
    ]
    assert not problems(IDENTITY, *rules)


def test_only_identities_of_machines_here_have_rules_to_ask() -> None:
    """Of others only the numbers are asked for, by rules that name their groups."""
    elsewhere = Identity(id="i8", number=8, groups=("g", "h"))
    rules, stands = (rule("000000b1", remote_group_id="h"), rule("000000b2", "egress")), machine("i7")
    compiler = Compiler()
    compiler.apply(upserts(IDENTITY, elsewhere, *rules))
    assert not any(compiler.desired.values())
    compiler.apply(upserts(stands))
    assert show_entries("policy", compiler.desired["policy"]) == [
        "profile=7 direction=EGRESS remote=any protocol=any -> rule=000000b2",
        "profile=7 direction=INGRESS remote=identity:8 protocol=any -> rule=000000b1",
    ]
    delta = compiler.apply([Change(2, Operation.DELETE, "port", stands.id, None)])
    assert {table: len(keys) for table, keys in delta.deletes.items()} == {"policy": 2, "profile": 1}
    assert not any(compiler.desired.values())


def test_a_remote_group_is_every_identity_that_contains_it() -> None:
    others = (Identity(id="i8", number=8, groups=("g", "h")), Identity(id="i9", number=9, groups=("h",)))
    asked = rule("000000b1", remote_group_id="h")
    assert shown(IDENTITY, asked) == []
    assert shown(IDENTITY, *others, asked) == [
        "profile=7 direction=INGRESS remote=identity:8 protocol=any -> rule=000000b1",
        "profile=7 direction=INGRESS remote=identity:9 protocol=any -> rule=000000b1",
        "profile=8 direction=INGRESS remote=identity:8 protocol=any -> rule=000000b1",
        "profile=8 direction=INGRESS remote=identity:9 protocol=any -> rule=000000b1",
    ]


def test_a_longer_prefix_has_the_rules_of_those_that_contain_it() -> None:
    rules = (
        rule("000000c1", remote_ip_prefix="0.0.0.0/0", protocol="icmp"),
        rule("000000c2", remote_ip_prefix="10.1.2.3/8", protocol="tcp"),
        rule("000000c3", remote_ip_prefix="10.0.0.1/32", protocol="udp"),
        rule("000000c4", "egress", remote_ip_prefix="10.0.0.0/24"),
    )
    assert shown(IDENTITY, *rules, table="prefix") == [
        "profile=7 direction=EGRESS prefix=10.0.0.0/24 -> prefix=10.0.0.0/24",
        "profile=7 direction=INGRESS prefix=0.0.0.0/0 -> prefix=0.0.0.0/0",
        "profile=7 direction=INGRESS prefix=10.0.0.0/8 -> prefix=10.0.0.0/8",
        "profile=7 direction=INGRESS prefix=10.0.0.1/32 -> prefix=10.0.0.1/32",
    ]
    assert sorted(line.removeprefix("profile=7 direction=") for line in shown(IDENTITY, *rules)) == [
        "EGRESS remote=10.0.0.0/24 protocol=any -> rule=000000c4",
        "INGRESS remote=0.0.0.0/0 protocol=icmp -> rule=000000c1",
        "INGRESS remote=10.0.0.0/8 protocol=icmp -> rule=000000c1",
        "INGRESS remote=10.0.0.0/8 protocol=tcp -> rule=000000c2",
        "INGRESS remote=10.0.0.1/32 protocol=icmp -> rule=000000c1",
        "INGRESS remote=10.0.0.1/32 protocol=tcp -> rule=000000c2",
        "INGRESS remote=10.0.0.1/32 protocol=udp -> rule=000000c3",
    ]


def test_an_address_group_stands_for_its_prefixes_of_a_rules_family() -> None:
    group = AddressGroup(id="d", addresses=("10.0.0.0/8", "10.0.0.1/32", "fd00::/8"))
    rules = (
        rule("000000c5", remote_address_group_id="d", protocol="tcp"),
        rule("000000c6", remote_ip_prefix="10.0.0.0/24", protocol="udp"),
    )
    assert shown(IDENTITY, group, *rules, table="prefix") == [
        "profile=7 direction=INGRESS prefix=10.0.0.0/8 -> prefix=10.0.0.0/8",
        "profile=7 direction=INGRESS prefix=10.0.0.0/24 -> prefix=10.0.0.0/24",
        "profile=7 direction=INGRESS prefix=10.0.0.1/32 -> prefix=10.0.0.1/32",
    ]
    assert sorted(
        line.removeprefix("profile=7 direction=INGRESS remote=") for line in shown(IDENTITY, group, *rules)
    ) == [
        "10.0.0.0/24 protocol=tcp -> rule=000000c5",
        "10.0.0.0/24 protocol=udp -> rule=000000c6",
        "10.0.0.0/8 protocol=tcp -> rule=000000c5",
        "10.0.0.1/32 protocol=tcp -> rule=000000c5",
        "10.0.0.1/32 protocol=udp -> rule=000000c6",
    ]
    assert not problems(IDENTITY, group, *rules)


def test_an_empty_address_group_is_nobody() -> None:
    asked = rule("000000c7", remote_address_group_id="d")
    for addresses in ((), ("fd00::/8",)):
        group = AddressGroup(id="d", addresses=addresses)
        assert shown(IDENTITY, group, asked) == shown(IDENTITY, group, asked, table="prefix") == []
        assert not problems(IDENTITY, group, asked)


def test_a_malformed_address_harms_no_other() -> None:
    group = AddressGroup(id="d", addresses=("ten", "10.0.0.0/8"))
    asked = rule("000000c8", remote_address_group_id="d")
    assert shown(IDENTITY, group, asked) == [
        "profile=7 direction=INGRESS remote=10.0.0.0/8 protocol=any -> rule=000000c8"
    ]
    assert problems(IDENTITY, group, asked) == ["address_group d: 'ten' does not appear to be an IPv4 or IPv6 network"]


def test_nested_prefixes() -> None:
    wide, narrow, other = (bytes(16), 96), (bytes(16), 128), (bytes(15) + b"\1", 128)
    assert nested([narrow, wide, narrow, other]) == {
        wide: [wide, narrow, other],
        narrow: [narrow],
        other: [other],
    }


def test_of_two_rules_that_allow_the_same_the_smaller_id_is_named() -> None:
    one, two = rule("000000d1"), rule("000000d2", group="h")
    both = Identity(id="i7", number=7, groups=("g", "h"))
    assert (
        shown(both, two, one)
        == shown(both, one, two)
        == ["profile=7 direction=INGRESS remote=any protocol=any -> rule=000000d1"]
    )


def test_rules_of_either_family_say_nothing_of_the_other() -> None:
    """All of IPv4 is a part of IPv6 in the tables (::ffff:0:0/96), and yet no rule about IPv6 holds for it."""
    rules = (
        rule("000000e1", ethertype="IPv6", protocol="ipv6-icmp", remote_ip_prefix="::/0"),
        rule("000000e2", ethertype="IPv6", remote_group_id="g"),
        rule("000000e3", ethertype="IPv6", protocol="tcp"),
        rule("000000e4", protocol="icmp", remote_ip_prefix="0.0.0.0/0"),
        rule("000000e5", ethertype="IPv6", remote_ip_prefix="fd00::/8", protocol="udp"),
    )
    assert shown(IDENTITY, *rules, table="prefix") == [
        "profile=7 direction=INGRESS prefix=::/0 -> prefix=::/0",
        "profile=7 direction=INGRESS prefix=0.0.0.0/0 -> prefix=0.0.0.0/0",
        "profile=7 direction=INGRESS prefix=fd00::/8 -> prefix=fd00::/8",
    ]
    assert sorted(line.removeprefix("profile=7 direction=INGRESS remote=") for line in shown(IDENTITY, *rules)) == [
        "0.0.0.0/0 protocol=icmp -> rule=000000e4",
        "::/0 protocol=icmpv6 -> rule=000000e1",
        "any_ipv6 protocol=tcp -> rule=000000e3",
        "fd00::/8 protocol=icmpv6 -> rule=000000e1",
        "fd00::/8 protocol=udp -> rule=000000e5",
        "identity:7:ipv6 protocol=any -> rule=000000e2",
    ]
    assert not problems(IDENTITY, *rules)


@pytest.mark.parametrize("name", ["icmp", "icmpv6", "ipv6-icmp", "1", "58"])
def test_icmp_of_a_rule_about_ipv6_is_icmpv6(name: str) -> None:
    asked = rule("000000e6", ethertype="IPv6", protocol=name, port_range_min=128, port_range_max=0)
    assert shown(IDENTITY, asked) == [
        "profile=7 direction=INGRESS remote=any_ipv6 protocol=icmpv6 type=128 code=0 -> rule=000000e6"
    ]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"protocol": "nonsense"}, "unknown protocol 'nonsense'"),
        ({"port_range_min": 80, "port_range_max": 80}, "protocol any has no ports"),
        ({"ethertype": "ARP"}, "unknown ethertype 'ARP'"),
        ({"direction": "up"}, "unknown direction 'up'"),
        (
            {"remote_ip_prefix": "10.0.0.0/8", "remote_group_id": "g"},
            "a rule has one remote group, prefix or address group",
        ),
        (
            {"remote_address_group_id": "d", "remote_group_id": "g"},
            "a rule has one remote group, prefix or address group",
        ),
        ({"remote_address_group_id": "d"}, "address group d is missing"),
        ({"protocol": "icmp", "port_range_max": 0}, "an ICMP code needs a type"),
        ({"remote_ip_prefix": "::/0"}, "::/0 is not IPv4"),
        ({"ethertype": "IPv6", "remote_ip_prefix": "10.0.0.0/8"}, "10.0.0.0/8 is not IPv6"),
        ({"remote_ip_prefix": "ten"}, "'ten' does not appear to be an IPv4 or IPv6 network"),
    ],
)
def test_a_malformed_rule_allows_nothing_and_harms_no_other(fields: dict[str, object], text: str) -> None:
    bad, good = rule("000000f1", **{"direction": "ingress"} | fields), rule("000000f2", "egress")  # type: ignore[arg-type]
    assert shown(IDENTITY, bad, good) == ["profile=7 direction=EGRESS remote=any protocol=any -> rule=000000f2"]
    assert problems(IDENTITY, bad, good) == [f"security_group_rule 000000f1: {text}"]


def test_identities_with_impossible_numbers() -> None:
    for number in (0, -1, 1 << 32):
        bad = Identity(id="bad", number=number, groups=("g",))
        found = compile_slice(here(bad, IDENTITY, rule("000000f3", remote_group_id="g")))
        assert len(found["policy"]) == len(found["profile"]) == 1
        assert problems(bad) == [f"identity bad: {number} is no number for an identity"]


def test_a_rule_whose_id_is_no_uuid_is_number_0() -> None:
    assert shown(IDENTITY, rule("my rule")) == ["profile=7 direction=INGRESS remote=any protocol=any -> rule=00000000"]


def test_the_stamp_changes_with_the_entries_only() -> None:
    one, two = rule("00000001", protocol="tcp"), rule("00000002", remote_ip_prefix="10.0.0.0/8")
    alone = stamps(IDENTITY, one)
    assert stamps(IDENTITY, one, two) == stamps(IDENTITY, two, one) != alone
    assert stamps(IDENTITY) != alone
    other = rule("00000001", protocol="tcp", description="the same")
    assert stamps(IDENTITY, other) == alone


def endpoint(number: int, identity: int) -> Endpoint:
    address = bytes(10) + b"\xff\xff\x0a\0" + number.to_bytes(2, "big")
    mac = b"\x02\0\0\0" + number.to_bytes(2, "big")
    return Endpoint.of(f"p{number}", vni=1, mac=mac, addresses=(address,), identity=identity, host=1)


def test_joining_a_group_of_5000_changes_one_entry() -> None:
    compiler = Compiler()
    rules = (rule("00000001", remote_group_id="g"), rule("00000002", "egress"))
    compiler.apply(upserts(*here(IDENTITY), *rules, *(endpoint(number, 7) for number in range(5000))))
    delta = compiler.apply(upserts(endpoint(5000, 7)))
    assert len(delta) == 1
    assert list(delta.writes) == ["endpoint"]


def test_500_ports_with_one_set_of_groups_cost_the_rules_of_one() -> None:
    rules = (rule("00000001", remote_group_id="g"), rule("00000002", protocol="tcp"), rule("00000003", "egress"))
    one = compile_slice(here(IDENTITY, *rules, endpoint(0, 7)))
    many = compile_slice(here(IDENTITY, *rules, *(endpoint(number, 7) for number in range(500))))
    assert len(many["endpoint"]) == 500
    assert all(many[table] == one[table] for table in ("policy", "prefix", "profile"))
    assert len(many["policy"]) == 3


@pytest.mark.parametrize("size", [0, 1, 50, 2000])
def test_an_address_more_changes_its_own_entries_and_no_other(size: int) -> None:
    """However large the group; identities whose rules do not name it change in nothing."""
    ranges = tuple(f"10.{number >> 8}.{number & 255}.1/32" for number in range(size))
    group = AddressGroup(id="d", addresses=ranges)
    more = AddressGroup(id="d", addresses=(*ranges, "10.200.0.1/32"))
    asked = (
        rule("00000001", remote_address_group_id="d", protocol="tcp"),
        rule("00000002", "egress", remote_address_group_id="d", protocol="udp", port_range_min=5, port_range_max=6),
        rule("00000003", "egress"),
    )
    stranger = (Identity(id="i8", number=8, groups=("h",)), rule("00000004", group="h", remote_ip_prefix="10.0.0.0/8"))
    compiler = Compiler()
    compiler.apply(upserts(*here(IDENTITY, group, *asked, *stranger)))
    before = {table: dict(entries) for table, entries in compiler.desired.items()}
    added = compiler.apply(upserts(more))
    assert {table: len(entries) for table, entries in added.writes.items()} == {"prefix": 2, "policy": 3, "profile": 1}
    assert not any(added.deletes.values())
    assert all("profile=7 " in line for table, entries in added.writes.items() for line in show_entries(table, entries))
    removed = compiler.apply(upserts(group))
    assert {table: len(keys) for table, keys in removed.deletes.items() if keys} == {"prefix": 2, "policy": 3}
    assert compiler.desired == before


def test_a_group_that_grows_leaves_nothing_behind_of_its_many_rules() -> None:
    rules = [rule(f"{port:08x}", protocol="tcp", port_range_min=port, port_range_max=port) for port in range(1, 81)]
    known.cache_clear()
    compiler = Compiler()
    compiler.apply(upserts(*here(IDENTITY)))
    for each in rules:
        compiler.apply(upserts(each))
    assert known.cache_info().currsize <= FEW + 1


@pytest.mark.parametrize("id", ["-0000001", "+0000001", "0x000001"])
def test_an_id_that_is_no_uuid_has_no_number(id: str) -> None:
    assert shown(IDENTITY, rule(id)) == ["profile=7 direction=INGRESS remote=any protocol=any -> rule=00000000"]
