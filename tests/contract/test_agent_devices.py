"""The agent's devices on the kernel's own: links, the tunnel and the punt device, in namespaces of the tests' own."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from pyroute2 import IPRoute

from netplane.agent.answers.punt import Place, PuntDevice, Punted
from netplane.agent.devices.links import Link, LinkWatch
from netplane.agent.devices.tunnel import Tunnel, TunnelRefused, ensure_tunnel, remove_device
from netplane.tables.decisions import Punt
from tests.contract.namespaces import add_veth, bring_up, find_link, inside, new_namespace, remove_link

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(os.geteuid() != 0, reason="making network namespaces needs root"),
]

PATIENCE = 10.0
T = TypeVar("T")


@pytest.fixture
def host() -> Iterator[int]:
    """This thread in a namespace of its own."""
    with new_namespace() as namespace, inside(namespace):
        yield namespace


def is_up(links: LinkWatch, ifindex: int) -> bool:
    return ifindex in links.links and links.links[ifindex].up


async def until(news: asyncio.Event, sight: Callable[[], T | None]) -> T:
    """What is seen in the end, looking again after each piece of news."""
    async with asyncio.timeout(PATIENCE):
        while (seen := sight()) is None:
            await news.wait()
            news.clear()
    return seen


def name_port(ifindex: int) -> None:
    with IPRoute() as kernel:
        kernel.link("set", index=ifindex, ifalias="netplane:port")


def test_links_are_known_from_the_start_and_followed(host: int) -> None:
    # pyroute2 runs a loop of its own, so it works in threads; they start in the namespace of this one.
    async def watch(machine: int) -> None:
        first = await asyncio.to_thread(add_veth, "first", "eth0", machine)
        links, news = LinkWatch(), asyncio.Event()
        assert links.links[first] == Link(first, "first", "", "veth", up=False, elsewhere=True)
        links.start(news.set)
        second = await asyncio.to_thread(add_veth, "second", "near")
        await asyncio.to_thread(bring_up, second)
        seen = await until(news, lambda: links.links.get(second) if is_up(links, second) else None)
        assert seen == Link(second, "second", "", "veth", up=True, elsewhere=False)
        await asyncio.to_thread(name_port, second)
        await until(news, lambda: links.links[second].alias == "netplane:port" or None)
        await asyncio.to_thread(remove_link, first)
        await until(news, lambda: first not in links.links or None)
        links.close()

    with new_namespace() as machine:
        asyncio.run(watch(machine))


def add_underlay(address: str, mtu: int) -> None:
    with IPRoute() as kernel:
        index = add_veth("uplink", "wire")
        kernel.link("set", index=index, mtu=mtu)
        kernel.addr("add", index=index, address=address, prefixlen=24)


def test_the_tunnel_is_made_once_and_as_large_as_the_underlay_allows(host: int) -> None:
    add_underlay("192.0.2.1", 9000)
    made = ensure_tunnel("np-vxlan", "192.0.2.1")
    assert ensure_tunnel("np-vxlan", "192.0.2.1") == made
    with IPRoute() as kernel:
        link = kernel.link("get", index=made.ifindex)[0]
    assert (link.get("mtu"), made.mtu, made.rooted) == (8950, 8950, True)
    assert link["flags"] & 1
    remove_device("np-vxlan")
    again = ensure_tunnel("np-vxlan", "192.0.2.9")
    assert again.ifindex != made.ifindex
    assert (again.mtu, again.rooted) == (1450, False)


def test_a_tunnel_that_was_set_down_is_raised_again(host: int) -> None:
    made = ensure_tunnel("np-vxlan", "192.0.2.1")
    with IPRoute() as kernel:
        kernel.link("set", index=made.ifindex, state="down")
    assert ensure_tunnel("np-vxlan", "192.0.2.1") == made
    links = LinkWatch()
    assert is_up(links, made.ifindex)
    links.close()


def test_the_tunnel_follows_the_underlay(host: int) -> None:
    made = ensure_tunnel("np-vxlan", "192.0.2.1")
    add_underlay("192.0.2.1", 9000)
    assert ensure_tunnel("np-vxlan", "192.0.2.1") == Tunnel(made.ifindex, 8950, rooted=True)


def test_another_device_of_the_tunnels_name_is_left_alone(host: int) -> None:
    add_veth("np-vxlan", "other")
    with pytest.raises(TunnelRefused, match="np-vxlan exists"):
        ensure_tunnel("np-vxlan", "192.0.2.1")


def test_punted_packets_arrive_and_the_device_outlives_its_agent(host: int) -> None:
    frame = b"\2\1" + (77).to_bytes(4, "big") + bytes(6) + b"\x08\0" + b"question"

    async def serve() -> int:
        arrived: asyncio.Queue[Punted] = asyncio.Queue()
        device = PuntDevice("np-punt")
        device.start(arrived.put_nowait)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
            sender.bind(("np-punt", 0))
            sender.send(b"\xff" * 14)
            sender.send(frame)
        async with asyncio.timeout(PATIENCE):
            assert await arrived.get() == Punted(Punt.DHCP, Place(77), frame)
        device.close()
        return device.ifindex

    assert asyncio.run(serve()) == asyncio.run(serve())


def test_answers_go_out_at_the_machines_device(host: int) -> None:
    async def answer(near: int) -> None:
        device = PuntDevice("np-punt")
        device.start(lambda punted: None)
        device.send(Place(near), b"\2" * 14 + b"answer")
        with pytest.raises(OSError, match="No such device"):
            device.send(Place(999), b"\2" * 14)
        assert device.exists()
        await asyncio.to_thread(remove_device, "np-punt")
        assert not device.exists()
        device.close()

    near = add_veth("near", "far")
    for end in (near, find_link("far")):
        bring_up(end)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as machine:
        machine.bind(("far", 3))
        machine.settimeout(PATIENCE)
        asyncio.run(answer(near))
        while (frame := machine.recv(2000)) != b"\2" * 14 + b"answer":
            assert frame[12:14] == b"\x86\xdd", "only the kernel's own IPv6 may come before"
