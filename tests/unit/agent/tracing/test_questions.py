"""What operators ask a host."""

import asyncio
from collections.abc import Mapping

import pytest

from netplane.agent.reconcile import Reconcile
from netplane.agent.slice import Slice
from netplane.agent.tracing.questions import Host, answer
from netplane.agent.worker import Work, Worker
from netplane.compiler import Compiler
from netplane.datapath.fake import FakeDatapath
from netplane.model import Device
from netplane.stream.client import Position
from netplane.stream.messages import Answer, Ask, Snapshot, Welcome
from tests.unit.agent.records import PORT, SLICE, upserts

DEVICE = Device(id=PORT.id, ifindex=11)


def ask(topic: str, body: Mapping[str, str]) -> Answer:
    """The answer of a host that has brought in the whole slice."""

    async def converse() -> Answer:
        slice, worker = Slice(), Worker(Reconcile(FakeDatapath(), Compiler()))
        for message in (Welcome(1, "log"), Snapshot.of(1, SLICE)):
            list(slice.take(message))
        position = Position("log", 1)
        await worker.bring_in(Work(upserts(*SLICE, DEVICE), {}, host=1, tunnel=99, punt=98, position=position))
        found = await answer(Host("host1", slice, {PORT.id: DEVICE}, worker), Ask(7, topic, dict(body)))
        worker.close()
        return found

    return asyncio.run(converse())


def test_a_trace() -> None:
    found = ask("trace", {"port": PORT.id, "packet": "icmp dst=10.0.0.1"})
    assert (found.number, found.error) == (7, "")
    assert (found.body["verdict"], found.body["host"]) == ("ANSWER", "host1")


@pytest.mark.parametrize(("hosts", "text"), [("told", "host host1 (192.0.2.1)"), ("", "a host")])
def test_hosts_in_a_trace(hosts: str, text: str) -> None:
    steps = ask("trace", {"port": PORT.id, "packet": "icmp dst=10.0.0.1", "hosts": hosts}).body["steps"]
    assert isinstance(steps, list)
    assert any(step["text"].endswith(f"carried by {text}") for step in steps)


def test_an_arrival() -> None:
    body = ask("arrival", {"frame": "00" * 14, "vni": "7", "source": "192.0.2.2"}).body
    assert (body["verdict"], body["reason"]) == ("DROP", "UNSUPPORTED")


def test_tables() -> None:
    found = ask("tables", {})
    assert found.body["settings"] == ["index=0 -> host=1 tunnel=99 punt=98 service=0"]


@pytest.mark.parametrize(
    ("topic", "body", "error"),
    [
        ("weather", {}, "'weather'"),
        ("trace", {}, "no device"),
        ("trace", {"port": "nobody", "packet": "icmp dst=1.1.1.1"}, "no device on host host1"),
        ("trace", {"port": PORT.id, "packet": "icmp"}, "needs dst"),
        ("trace", {"port": PORT.id}, "begins with"),
        ("arrival", {}, "no packet can arrive like this: 'frame'"),
        ("arrival", {"frame": "00", "vni": "7", "source": "nowhere"}, "'nowhere'"),
    ],
)
def test_what_cannot_be_answered_says_why(topic: str, body: dict[str, str], error: str) -> None:
    found = ask(topic, body)
    assert found.body == {}
    assert error in found.error
