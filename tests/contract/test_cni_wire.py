"""The wire of a container in real namespaces: both families, made twice, read back, removed."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import ip_interface, ip_network

import pytest

from netplane.agent.devices.netlink import Netlink
from netplane.cni import wire
from netplane.cni.attachment import Address, Attachment, Route
from netplane.cni.wire import Sandbox
from tests.contract.datapaths import skip_without_root
from tests.contract.namespaces import inside, new_namespace

pytestmark = pytest.mark.kernel

WANTED = Attachment(
    port="5b0f2a5e-7b1c-4a53-9a3f-0d9f1c0f8a11",
    mac="02:00:00:00:00:07",
    mtu=1400,
    addresses=(Address("10.0.1.7/24", "10.0.1.1"), Address("fd00:1::7/64", "fd00:1::1"), Address("10.0.9.9/32", "")),
    routes=(
        Route("198.51.100.0/24", "10.0.1.254"),
        Route("0.0.0.0/0", "10.0.1.1"),
        Route("::/0", "fd00:1::1"),
        Route("fd00:2::/48", "fe80::1"),
        Route("192.0.2.0/24", "172.16.0.1"),
    ),
    resolvers=(),
)


@pytest.fixture
def ends() -> Iterator[tuple[Netlink, Sandbox]]:
    """A host and a sandbox, both empty."""
    skip_without_root()
    with ExitStack() as stack:
        here, there = stack.enter_context(new_namespace()), stack.enter_context(new_namespace())
        stack.enter_context(inside(here))
        host = stack.enter_context(Netlink())
        yield host, stack.enter_context(wire.opened(f"/proc/{os.getpid()}/fd/{there}"))


def make(host: Netlink, sandbox: Sandbox) -> wire.Device:
    """The pair, configured and plugged in; its container's end."""
    wire.make_pair(host, sandbox, WANTED, "eth0")
    device, near = wire.read_device(sandbox.kernel, "eth0"), wire.read_device(host, WANTED.device)
    assert device is not None
    assert near is not None
    assert wire.configure(sandbox.kernel, WANTED, device.ifindex) == WANTED.routes
    wire.plug_in(host, near.ifindex, WANTED.device, WANTED.port)
    return device


def test_a_pair_of_both_families(ends: tuple[Netlink, Sandbox]) -> None:
    host, sandbox = ends
    device = make(host, sandbox)
    after = wire.read_device(sandbox.kernel, "eth0")
    assert after is not None
    assert (after.mac, after.mtu, after.kind, after.up) == (WANTED.mac, WANTED.mtu, "veth", True)
    peer = wire.read_peer(host, after)
    assert peer is not None
    assert (peer.alias, peer.mtu, peer.up) == (f"netplane:{WANTED.port}", WANTED.mtu, True)
    found = [
        text for text in wire.read_addresses(sandbox.kernel, device.ifindex) if not ip_interface(text).is_link_local
    ]
    assert sorted(found) == sorted(address.address for address in WANTED.addresses)
    assert set(WANTED.routes) <= set(wire.read_routes(sandbox.kernel, device.ifindex))


def read_routes(sandbox: Sandbox, device: wire.Device) -> list[tuple[str, str]]:
    """The device's routes but that of link-local addresses, which the kernel adds in a time of its own."""
    found = wire.read_routes(sandbox.kernel, device.ifindex)
    return sorted(route for route in found if not ip_network(route[0]).is_link_local)


def test_once_more_changes_nothing(ends: tuple[Netlink, Sandbox]) -> None:
    host, sandbox = ends
    device = make(host, sandbox)
    before = read_routes(sandbox, device)
    assert wire.configure(sandbox.kernel, WANTED, device.ifindex) == WANTED.routes
    assert read_routes(sandbox, device) == before


def test_removing_one_end_removes_both(ends: tuple[Netlink, Sandbox]) -> None:
    host, sandbox = ends
    make(host, sandbox)
    near = wire.read_device(host, WANTED.device)
    assert near is not None
    for _ in range(2):
        wire.remove(host, near.ifindex)
    assert wire.read_device(host, WANTED.device) is None
    assert wire.read_device(sandbox.kernel, "eth0") is None


def test_the_thread_is_back_where_it_was(ends: tuple[Netlink, Sandbox]) -> None:
    before = os.stat("/proc/thread-self/ns/net").st_ino
    with new_namespace() as other, wire.opened(f"/proc/{os.getpid()}/fd/{other}"):
        assert os.stat("/proc/thread-self/ns/net").st_ino == before
