"""The lab itself, on nothing but the kernel's own networking: underlay, probes, captures."""

import subprocess
import time
from collections.abc import Iterator

import pytest

from netplane.lab import Lab, LabBusy, Plug
from netplane.lab.namespace import batch
from netplane.lab.traffic.frames import ETH_P_IP, Capture, containing, echo_request, ethernet, ipv4, send
from netplane.lab.traffic.ping import Pinging, ping, traceroute
from netplane.lab.traffic.tcp import EchoServer, Stream, connect, exchange
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("tself")
PORT = 9000
WAY = "h2"
"""The router's device towards the second host."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Three hosts without agents."""
    with Lab(PREFIX, 3) as made:
        made.build()
        yield made
    assert read_leftovers(PREFIX) == []


def test_hosts_lie_in_different_subnets_behind_a_router(lab: Lab) -> None:
    first, second, third = lab.host_list
    for other in (second, third):
        came = ping(first.namespace, other.address)
        assert (came.lost, came.ttl) == (0, 63)
    assert traceroute(first.namespace, third.address) == ["198.18.1.1", third.address]
    assert ping(first.namespace, "198.18.9.9", count=1, wait=0.1).received == 0


def test_tcp_probes(lab: Lab) -> None:
    first, second, _ = lab.host_list
    with EchoServer(second.namespace, PORT):
        came = exchange(first.namespace, second.address, PORT, 1 << 20)
        assert (came.ok, came.bytes) == (True, 1 << 20)
    refused = exchange(first.namespace, second.address, PORT)
    assert not refused.ok
    assert "refused" in refused.error


@pytest.mark.parametrize("victim", [1, 2], ids=["to the client", "to the server"])
def test_steady_probes_see_an_interruption(lab: Lab, victim: int) -> None:
    """Whichever way the packets were going that are lost."""
    first, second, _ = lab.host_list
    blackhole = f"blackhole 198.18.{victim}.2"
    with EchoServer(second.namespace, PORT) as server:
        stream, pings = Stream(first.namespace, second.address, PORT), Pinging(first.namespace, second.address)
        time.sleep(0.2)
        batch([f"route replace {blackhole}"], f"np-{PREFIX}-router")
        time.sleep(0.3)
        batch([f"route delete {blackhole}"], f"np-{PREFIX}-router")
        time.sleep(0.5)
        came, flow = pings.stop(), stream.stop(server)
    assert came.lost > 10
    assert flow.retransmits > 0
    assert flow.longest_ms > 200
    assert not flow.ok


def test_packets_that_come_late_are_not_taken_for_lost(lab: Lab) -> None:
    """TCP sends them again, and for nothing."""
    first, second, _ = lab.host_list

    def pace(verb: str, rate: str) -> None:
        words = f"tc -n np-{PREFIX}-router qdisc {verb} dev {WAY} root tbf rate {rate} burst 16k limit 1m"
        subprocess.run(words.split(), check=True)

    with EchoServer(second.namespace, PORT) as server:
        pace("add", "1gbit")
        try:
            stream = Stream(first.namespace, second.address, PORT)
            for _ in range(3):
                time.sleep(0.2)
                pace("change", "1mbit")
                time.sleep(0.2)
                pace("change", "1gbit")
            time.sleep(0.5)
            flow = stream.stop(server)
        finally:
            subprocess.run(["tc", "-n", f"np-{PREFIX}-router", "qdisc", "del", "dev", WAY, "root"], check=True)
    assert (flow.retransmits, flow.ok) == (0, True)
    assert flow.late > 0
    assert flow.longest_ms > 20


def test_an_outage_that_lasts_is_not_taken_for_the_end(lab: Lab) -> None:
    first, second, _ = lab.host_list
    pings = Pinging(first.namespace, second.address)
    time.sleep(0.4)
    batch(["route replace blackhole 198.18.1.2"], f"np-{PREFIX}-router")
    came = pings.stop()
    batch(["route delete blackhole 198.18.1.2"], f"np-{PREFIX}-router")
    assert came.received > 10
    assert came.lost > 20


def test_steady_probes_see_nothing_where_nothing_happens(lab: Lab) -> None:
    first, second, _ = lab.host_list
    with EchoServer(second.namespace, PORT) as server:
        stream, pings = Stream(first.namespace, second.address, PORT), Pinging(first.namespace, second.address)
        time.sleep(0.2)
        came, flow = pings.stop(), stream.stop(server)
    assert came.lost == 0
    assert came.sent > 10
    assert flow.ok


def test_an_abandoned_stream_ends_at_once(lab: Lab) -> None:
    first, second, _ = lab.host_list
    with EchoServer(second.namespace, PORT):
        stream = Stream(first.namespace, second.address, PORT)
        begun = time.monotonic()
        stream.abandon()
        assert time.monotonic() - begun < 2


def test_a_connection_that_nobody_answers_times_out(lab: Lab) -> None:
    with pytest.raises(TimeoutError):
        connect(lab.host_list[0].namespace, "198.18.2.99", PORT, 0.2)


def test_captures_and_forged_frames(lab: Lab) -> None:
    """Frames that are sent raw arrive as they are; what the machine sends itself does not count as received."""
    host = lab.host_list[0]
    one, two = (Plug(f"port-{number}", f"02:00:00:00:00:0{number}", f"10.0.1.{number}") for number in (1, 2))
    machines = lab.add_machines({"one": (host, one), "two": (host, two)}, dhcp=False)
    batch(["link add br0 type bridge", "link set br0 up"], host.namespace)
    batch((f"link set {machine.device} master br0" for machine in machines), host.namespace)
    frame = ethernet(one.mac, two.mac, ETH_P_IP, ipv4(one.address, two.address, 1, echo_request(1, b"raw-frame")))
    with Capture(machines[0].namespace) as sender, Capture(machines[1].namespace) as receiver:
        send(machines[0].namespace, [frame] * 5)
        time.sleep(0.1)
        assert [seen.frame for seen in receiver.received(containing(b"raw-frame"))] == [frame] * 5
        assert sender.received(containing(b"raw-frame")) == []
    for machine in machines:
        lab.remove_machine(machine)


def test_a_prefix_belongs_to_one_lab_at_a_time(lab: Lab) -> None:
    with pytest.raises(LabBusy, match="choose another prefix"):
        Lab(PREFIX)
    with pytest.raises(LabBusy):
        Lab.destroy(PREFIX)
    with Lab(unique("tother"), 1) as other:
        other.build()
        assert ping(lab.host_list[0].namespace, lab.host_list[1].address, count=1).lost == 0
    assert read_leftovers(unique("tother")) == []


@pytest.mark.parametrize("prefix", ["", "UPPER", "with-dash", "x" * 17, "../x"])
def test_prefixes_are_short_words(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        Lab(prefix)
