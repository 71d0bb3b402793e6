"""How often a project may ask."""

import pytest

from netplane.controller.listening import pace
from netplane.controller.listening.pace import Buckets, Rate
from netplane.controller.listening.place import Listening


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_the_rate() -> None:
    clock = Clock()
    buckets = Buckets(Rate(2, 4), clock)
    assert [buckets.take("blue") for _ in range(5)] == [0, 0, 0, 0, 0.5]
    assert buckets.take("red") == 0, "another's burst is its own"
    clock.now += 0.25
    assert buckets.take("blue") == 0.25
    clock.now += 0.25
    assert [buckets.take("blue") for _ in range(2)] == [0, 0.5]
    clock.now += 1_000
    assert [buckets.take("blue") for _ in range(5)] == [0, 0, 0, 0, 0.5], "what is not used is not saved"


def test_projects_that_do_not_ask_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "MOST", 100)
    clock = Clock()
    buckets = Buckets(Rate(1, 2), clock)
    for number in range(1_000):
        clock.now += 1
        assert buckets.take(str(number)) == 0
    assert len(buckets._left) <= 101


@pytest.mark.parametrize(
    ("listening", "url"),
    [
        (Listening("127.0.0.1:9696"), "http://127.0.0.1:9696"),
        (Listening("localhost:9696"), "http://localhost:9696"),
        (Listening("[::1]:9696"), "http://[::1]:9696"),
        (Listening("0.0.0.0:9696"), "https://127.0.0.1:9696"),
        (Listening("[::]:9696"), "https://[::1]:9696"),
        (Listening("192.0.2.1:9696"), "https://192.0.2.1:9696"),
        (Listening("controller.example:9696"), "https://controller.example:9696"),
        (Listening("192.0.2.1:9696", plain=True), "http://192.0.2.1:9696"),
    ],
)
def test_tls_wherever_others_can_listen_in(listening: Listening, url: str) -> None:
    assert listening.url == url
