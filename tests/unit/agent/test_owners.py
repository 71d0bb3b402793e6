"""Whose an address is, for what goes with its owner."""

import pytest

from netplane.agent.owners import Owners
from netplane.base.addresses import pack_address
from netplane.compiler import compile_slice
from netplane.model import Endpoint, Pair

VNI = (7).to_bytes(4, "little")
WEB, DB, ANY, ASKS, VIRTUAL = (bytes((2, 0, 0, 0, 0, number)) for number in (1, 2, 3, 4, 9))


def pair(address: str, length: int, mac: bytes) -> Pair:
    return Pair(pack_address(address), length, mac)


def endpoint(
    name: str, mac: bytes, address: str, *, secured: bool = True, asks: bool = False, pairs: tuple[Pair, ...] = ()
) -> Endpoint:
    return Endpoint.of(
        name,
        vni=7,
        mac=mac,
        addresses=(pack_address(address),),
        identity=1,
        host=1,
        secured=secured,
        asks=asks,
        pairs=pairs,
    )


RECORDS = (
    endpoint("web", WEB, "10.0.0.1", pairs=(pair("10.0.0.100", 128, VIRTUAL), pair("10.9.0.0", 112, WEB))),
    endpoint("db", DB, "10.0.0.2", pairs=(pair("10.9.1.0", 120, DB), pair("10.0.0.101", 128, DB))),
)
OPEN = endpoint("any", ANY, "10.0.0.3", secured=False)
ASKING = endpoint("asks", ASKS, "10.0.0.4", asks=True)


def owners(*records: Endpoint, left: tuple[str, ...] = ()) -> Owners:
    tables = compile_slice(records)
    return Owners(tables["endpoint"], tables["pair"], {VNI + pack_address(address) for address in left})


@pytest.mark.parametrize(
    ("address", "mac"),
    [
        ("10.0.0.1", WEB),
        ("10.0.0.100", WEB),
        ("10.0.0.101", DB),
        ("10.9.8.7", WEB),
        ("10.9.1.7", DB),
        ("10.0.0.9", None),
        ("fd00::1", None),
    ],
)
def test_by_entries_and_by_pairs(address: str, mac: bytes | None) -> None:
    assert owners(*RECORDS).find(VNI, pack_address(address)) == mac
    assert owners(*RECORDS).find((8).to_bytes(4, "little"), pack_address(address)) is None


def test_who_may_use_everything_has_what_nobody_has_or_had() -> None:
    for address in ("10.0.0.9", "fd00::1"):
        assert owners(*RECORDS, OPEN).find(VNI, pack_address(address)) == ANY
        assert owners(*RECORDS, OPEN, left=(address,)).find(VNI, pack_address(address)) is None
    assert owners(*RECORDS, OPEN, left=("10.0.0.1",)).find(VNI, pack_address("10.0.0.1")) == WEB


@pytest.mark.parametrize(
    ("mac", "address", "speaks"),
    [
        (WEB, "10.0.0.1", True),
        (DB, "10.0.0.1", False),
        (VIRTUAL, "10.0.0.100", True),
        (VIRTUAL, "10.0.0.1", False),
        (DB, "10.9.1.7", True),
        (DB, "10.9.8.7", False),
        (ASKS, "0.0.0.0", True),
        (WEB, "0.0.0.0", False),
        (ANY, "0.0.0.0", True),
        (ANY, "192.0.2.1", True),
        (ANY, "2001:db8::1", True),
    ],
)
def test_who_speaks(mac: bytes, address: str, speaks: bool) -> None:
    assert owners(*RECORDS, OPEN, ASKING).speaks(VNI, mac, pack_address(address)) is speaks


def test_who_asks_for_addresses_is_behind_none() -> None:
    """And costs nobody's search anything: there may be one such entry for each port of a network."""
    found = owners(*RECORDS, ASKING)
    assert found.find(VNI, pack_address("0.0.0.0")) is None
    assert found.find(VNI, pack_address("10.0.0.4")) == ASKS
    assert all(range.own != ASKS for ranges in found._ranges.values() for range in ranges)
