"""Taking a permission away, with running TCP streams: theirs end within a second, the others lose nothing.

               host 1           host 2
    left       server  near     far

What `far` may is taken away in each way there is, while `near` goes on; then it is given back.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from netplane.lab import Lab
from netplane.lab.demo.scene import add_tenant, read_all_tables
from netplane.lab.demo.tenant import Tenant
from netplane.lab.traffic.tcp import Stream
from netplane.lab.wait import until
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("trevoke")
SERVER, NEAR, FAR = "10.0.1.21", "10.0.1.11", "10.0.1.12"
PORT = 7400
QUIET = 0.4
WITHIN = 1.0
SWEPT = 10.0
"""Seconds until nothing is left of a port: a sweep follows a second after it has gone."""


@pytest.fixture(scope="module")
def blue() -> Iterator[Tenant]:
    with Lab(PREFIX, 2, ("blue",)) as lab:
        lab.start()
        tenant = add_tenant(lab, "blue")
        one, two = lab.host_list
        tenant.add_machines({"server": ("left", SERVER, one), "near": ("left", NEAR, one)})
        tenant.add_machines({"far": ("left", FAR, two)})
        tenant.admin.settle()
        for machine in tenant.machines.values():
            machine.obtain()
        yield tenant
        tenant.delete()
    assert read_leftovers(PREFIX) == []


@contextmanager
def group(blue: Tenant, name: str, *rules: dict[str, str]) -> Iterator[str]:
    """A group with rules for what comes in, and none for what goes out."""
    made = blue.api.create("security_group", name=name)["id"]
    for rule in blue.api.show("security_group", made)["security_group_rules"]:
        blue.api.delete("security_group_rule", rule["id"])
    for rule in rules:
        blue.api.create("security_group_rule", security_group_id=made, direction="ingress", protocol="tcp", **rule)
    yield made
    blue.api.delete("security_group", made)


@contextmanager
def joined(blue: Tenant, machine: str, *groups: str) -> Iterator[Callable[..., None]]:
    """A machine's port in these groups alone, and a way to put it into others; in the end it is where it was."""
    port = blue.machines[machine].plug.port
    before = blue.api.show("port", port)["security_groups"]

    def join(*others: str) -> None:
        blue.api.update("port", port, security_groups=list(others))

    join(*groups)
    blue.api.settle()
    yield join
    join(*before)
    blue.api.settle()


def check(blue: Tenant, revoke: Callable[[], object]) -> float:
    """What is revoked ends `far`'s stream, and only that; seconds after which it carried its last bytes."""
    server, near, far = (blue.machines[name] for name in ("server", "near", "far"))
    with server.serve(PORT) as echo:
        doomed, spared = (Stream(machine.namespace, server.address, PORT) for machine in (far, near))
        time.sleep(QUIET)
        assert doomed.rounds
        assert spared.rounds
        revoked = time.monotonic()
        revoke()
        until("the stream rests", lambda: time.monotonic() - doomed.last > QUIET, 5)
        took = max(0.0, doomed.last - revoked)
        doomed.abandon()
        assert took < WITHIN
        assert not far.exchange(server.address, PORT, seconds=0.3).ok
        flow = spared.stop(echo)
    assert flow.ok, flow
    print(f"the last bytes passed {took:.3f} s after the call; the other stream: {flow}")
    return took


def test_a_rule(blue: Tenant) -> None:
    rules = ({"remote_ip_prefix": f"{NEAR}/32"}, {"remote_ip_prefix": f"{FAR}/32"})
    with group(blue, "two rules", *rules) as tried, joined(blue, "server", tried):
        found = blue.api.show("security_group", tried)["security_group_rules"]
        rule = next(rule["id"] for rule in found if rule["remote_ip_prefix"] == f"{FAR}/32")
        check(blue, lambda: blue.api.delete("security_group_rule", rule))


def test_a_group_taken_off_a_port(blue: Tenant) -> None:
    with (
        group(blue, "for near", {"remote_ip_prefix": f"{NEAR}/32"}) as one,
        group(blue, "for far", {"remote_ip_prefix": f"{FAR}/32"}) as other,
        joined(blue, "server", one, other) as join,
    ):
        check(blue, lambda: join(one))


def test_a_member_that_leaves_a_remote_group(blue: Tenant) -> None:
    default = blue.api.show("port", blue.machines["far"].plug.port)["security_groups"][0]
    with (
        group(blue, "friends") as friends,
        group(blue, "of friends", {"remote_group_id": friends}) as tried,
        joined(blue, "server", tried),
        joined(blue, "near", default, friends),
        joined(blue, "far", default, friends) as join,
    ):
        check(blue, lambda: join(default))


def test_a_range_that_leaves_an_address_group(blue: Tenant) -> None:
    addresses = blue.api.create("address_group", addresses=[f"{NEAR}/32", f"{FAR}/32"])["id"]
    path = f"/v2.0/address-groups/{addresses}/remove_addresses"
    with group(blue, "listed", {"remote_address_group_id": addresses}) as tried, joined(blue, "server", tried):
        check(blue, lambda: blue.api.call("PUT", path, {"addresses": [f"{FAR}/32"]}))
    blue.api.delete("address_group", addresses)


def test_a_port_that_is_deleted_leaves_nothing(blue: Tenant) -> None:
    """Its streams end, and on no host is anything left that it has had."""
    far = blue.machines["far"]
    with group(blue, "anybody", {"remote_ip_prefix": "0.0.0.0/0"}) as tried, joined(blue, "server", tried):
        check(blue, lambda: blue.admin.delete("port", far.plug.port))
        until("nothing is left of it", lambda: not left_of(blue, far.address, far.mac), SWEPT)


def left_of(blue: Tenant, address: str, mac: str) -> list[str]:
    """The entries of all hosts' tables that name an address or a MAC address."""
    tables = read_all_tables(blue.lab)
    lines = (line for host in tables.values() for entries in host.values() for line in entries)
    return [line for line in lines if f"={address} " in f"{line} " or mac in line]
