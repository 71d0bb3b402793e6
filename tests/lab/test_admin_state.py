"""Ports and networks that are switched off and on: packets, and connections that were there before."""

import time
from collections.abc import Callable
from itertools import product

import pytest

from netplane.lab.demo.scene import Scene
from netplane.lab.traffic.tcp import EchoServer, Stream
from netplane.lab.wait import until

NUMBER = 7500


def port(world: Scene, name: str) -> Callable[[bool], object]:
    id = world.machine(name).plug.port
    return lambda up: world.blue.api.update("port", id, admin_state_up=up)


def network(world: Scene, name: str) -> Callable[[bool], object]:
    id = world.blue.segments[name].network
    return lambda up: world.blue.api.update("network", id, admin_state_up=up)


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        *product(["the sender's port", "the receiver's port", "the network"], ["a2", "a3", "b1", "b2"]),
        *product(["the network behind"], ["b1", "b2"]),  # a1 and its neighbours have one network
    ],
)
def test_off_and_on(world: Scene, kind: str, target: str) -> None:
    """Nothing passes while it is off; a connection that was there goes on when it is on again."""
    switch = {
        "the sender's port": port(world, "a1"),
        "the receiver's port": port(world, target),
        "the network": network(world, "left"),
        "the network behind": network(world, "right"),
    }[kind]
    one, other, api = world.machine("a1"), world.machine(target), world.blue.api
    with EchoServer(other.namespace, NUMBER) as server:
        stream = Stream(one.namespace, other.address, NUMBER)
        until("the stream flows", lambda: stream.rounds > 10, 5)
        switch(False)
        api.settle()
        rounds = stream.rounds
        time.sleep(0.3)
        assert stream.rounds <= rounds + 1
        assert one.ping(other.address, count=2, wait=0.2).received == 0
        assert other.ping(one.address, count=2, wait=0.2).received == 0
        switch(True)
        api.settle()
        assert one.ping(other.address).lost == 0
        rounds = stream.rounds
        until("the stream goes on", lambda: stream.rounds > rounds + 10, 10)
        assert not stream.stop(server).error


def test_others_notice_nothing(world: Scene) -> None:
    one, other = world.machine("a1"), world.machine("a3")
    with EchoServer(other.namespace, NUMBER) as server:
        stream = Stream(one.namespace, other.address, NUMBER)
        for up in (False, True):
            port(world, "a2")(up)
            network(world, "right")(up)
            world.blue.api.settle()
            until("the stream flows", lambda before=stream.rounds: stream.rounds > before + 20, 5)  # type: ignore[misc]
        flow = stream.stop(server)
    assert flow.ok, flow


def test_the_status_says_so(world: Scene) -> None:
    api, id = world.blue.api, world.machine("a2").plug.port
    port(world, "a2")(False)
    assert api.show("port", id)["status"] == "DOWN"
    port(world, "a2")(True)
    assert api.show("port", id)["status"] == "ACTIVE"
    segment = world.blue.segments["right"].network
    network(world, "right")(False)
    assert api.show("network", segment)["status"] == "DOWN"
    network(world, "right")(True)
    assert api.show("network", segment)["status"] == "ACTIVE"
