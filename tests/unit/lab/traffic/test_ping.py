"""What the lab reads off the output of stock tools."""

import pytest

from netplane.lab.traffic.ping import Ping, parse_endless, parse_ping, parse_traceroute

HEAD = "PING 10.0.1.13 (10.0.1.13) 56(84) bytes of data.\n"


def reply(number: int, ttl: int = 64, ms: str = "0.5", end: str = "") -> str:
    return f"64 bytes from 10.0.1.13: icmp_seq={number} ttl={ttl} time={ms} ms{end}\n"


def total(sent: int, received: int) -> str:
    return f"\n--- 10.0.1.13 ping statistics ---\n{sent} packets transmitted, {received} received, 0% packet loss\n"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (HEAD + reply(1, 63, "0.1") + reply(2, 63, "0.3") + reply(3, 62, "0.2") + total(3, 3), Ping(3, 3, 0.2, 62)),
        (HEAD + reply(1) + reply(1, end=" (DUP!)") + total(1, 1), Ping(1, 1, 0.5, 64)),
        (HEAD + reply(2) + total(3, 1), Ping(3, 1, 0.5, 64)),
        (HEAD + total(4, 0), Ping(4, 0, 0.0, 0)),
        ("ping: connect: Network is unreachable\n", Ping(0, 0, 0.0, 0)),
    ],
    ids=["all", "a duplicate counts once", "some lost", "none", "not even sent"],
)
def test_ping(text: str, wanted: Ping) -> None:
    assert parse_ping(text) == wanted


@pytest.mark.parametrize(
    ("replies", "sent", "lost"),
    [((1, 2, 3), 3, 0), ((1, 2, 3), 5, 0), ((1, 3), 5, 1), ((1, 2, 3), 50, 47), ((), 50, 50), ((), 5, 0)],
    ids=["all", "two on their way", "a gap, two on their way", "an end that stays", "never a reply", "hardly begun"],
)
def test_an_endless_ping(replies: tuple[int, ...], sent: int, lost: int) -> None:
    text = HEAD + "".join(map(reply, replies)) + total(sent, len(replies))
    assert parse_endless(text).lost == lost


def test_traceroute() -> None:
    text = "traceroute to 10.0.2.12 (10.0.2.12), 4 hops max\n 1  10.0.1.1  0.1 ms\n 2  *\n 3  10.0.2.12  0.2 ms\n"
    assert parse_traceroute(text) == ["10.0.1.1", "*", "10.0.2.12"]
