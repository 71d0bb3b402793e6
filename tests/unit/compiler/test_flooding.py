"""What goes to all of a network: where its machines are, and which addresses mean all of them."""

import pytest

from netplane.compiler import Compiler, compile_slice
from netplane.model import (
    ROUTER_INTERFACE,
    Change,
    Device,
    FixedIP,
    Network,
    Operation,
    Port,
    Presence,
    Record,
    Subnet,
    kind_of,
)
from netplane.tables.text import show_entries

NETWORK = Network(id="net", vni=100)


def compiled(table: str, *records: Record) -> list[str]:
    return show_entries(table, compile_slice(records)[table])


def machine(number: int, **changes: object) -> tuple[Port, Device]:
    fields: dict[str, object] = {"network_id": "net", "mac_address": f"02:00:00:00:00:{number:02x}"}
    return Port(id=f"p{number}", **fields | changes), Device(id=f"p{number}", ifindex=number)  # type: ignore[arg-type]


def test_the_hosts_of_a_network_by_number() -> None:
    records = (NETWORK, Presence(id="net", hosts=(1, 3)), Presence(id="other", hosts=(2,)), *machine(1))
    assert compiled("spread", *records) == ["vni=100 index=0 -> host=1,3"]
    assert compiled("spread", Network(id="net", vni=100, admin_state_up=False), *records[1:]) == []


def test_who_has_no_machine_there_has_nothing_to_send_to_its_hosts() -> None:
    (port, device), presence = machine(1), Presence(id="net", hosts=(1, 3))
    compiler = Compiler()
    compiler.apply(changes(NETWORK, presence, port))
    assert not compiler.desired["spread"]
    assert len(compiler.apply(changes(device)).writes["spread"]) == 1
    gone = compiler.apply([Change(2, Operation.DELETE, "device", device.id, None)])
    assert len(gone.deletes["spread"]) == 1
    assert not compiler.desired["spread"]


def test_sixteen_hosts_an_entry() -> None:
    full, more = tuple(range(1, 17)), tuple(range(1, 18))
    first = "vni=100 index=0 -> host=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"
    assert compiled("spread", NETWORK, Presence(id="net", hosts=()), *machine(1)) == []
    assert compiled("spread", NETWORK, Presence(id="net", hosts=full), *machine(1)) == [first]
    assert compiled("spread", NETWORK, Presence(id="net", hosts=more), *machine(1)) == [
        first,
        "vni=100 index=1 -> host=17",
    ]


def test_a_host_more_at_the_end_is_one_entry_and_a_host_less_leaves_none_behind() -> None:
    compiler = Compiler()
    compiler.apply(changes(NETWORK, Presence(id="net", hosts=tuple(range(1, 17))), *machine(1)))
    more = compiler.apply(changes(Presence(id="net", hosts=tuple(range(1, 18)))))
    assert (len(more.writes["spread"]), "spread" in more.deletes) == (1, False)
    less = compiler.apply(changes(Presence(id="net", hosts=tuple(range(2, 18)))))
    assert (len(less.writes["spread"]), len(less.deletes["spread"])) == (1, 1)
    assert show_entries("spread", compiler.desired["spread"]) == show_entries(
        "spread", compile_slice([NETWORK, Presence(id="net", hosts=tuple(range(2, 18))), *machine(1)])["spread"]
    )


def test_the_machines_here_by_device() -> None:
    unplugged, off = machine(4)[:1], machine(5, admin_state_up=False)
    interface = machine(6, device_owner=ROUTER_INTERFACE, device_id="r", fixed_ips=(FixedIP("sub", "10.0.0.1"),))
    broken, elsewhere = machine(7, mac_address="02"), machine(8, network_id="other")
    records = (NETWORK, *machine(9), *machine(3), *unplugged, *off, *interface, *broken, *elsewhere)
    assert compiled("crowd", *records) == [
        "vni=100 index=0 -> mac=02:00:00:00:00:03",
        "vni=100 index=1 -> mac=02:00:00:00:00:09",
    ]


@pytest.mark.parametrize(
    ("cidr", "address"),
    [
        ("10.0.0.0/24", "10.0.0.255"),
        ("10.0.1.1/20", "10.0.15.255"),
        ("10.0.0.4/30", "10.0.0.7"),
        ("10.0.0.4/31", None),
        ("10.0.0.4/32", None),
        ("fd00::/64", None),
        ("bad", None),
    ],
)
def test_the_addresses_that_mean_all_of_a_subnet(cidr: str, address: str | None) -> None:
    subnet = Subnet(id="sub", network_id="net", cidr=cidr)
    expected = [] if address is None else [f"vni=100 address={address} -> "]
    assert compiled("broadcast", NETWORK, subnet) == expected


def test_one_machine_more_is_one_entry_more() -> None:
    compiler = Compiler()
    some = [record for number in range(1, 6) for record in machine(number)]
    compiler.apply(changes(NETWORK, *some))
    more = compiler.apply(changes(*machine(6)))
    assert [*more.writes["crowd"]] == [*compiler.desired["crowd"]][-1:]
    assert "crowd" not in more.deletes


def changes(*records: Record) -> list[Change]:
    return [Change(1, Operation.UPSERT, kind_of(record), record.id, record) for record in records]
