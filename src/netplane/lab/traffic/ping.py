"""Ping and traceroute: the stock tools in a namespace, and what they said."""

import re
import signal
import subprocess
import time
from typing import NamedTuple

from netplane.lab.namespace import inside
from netplane.lab.process import MORTAL


class Ping(NamedTuple):
    """How echo requests fared."""

    sent: int
    received: int
    median_ms: float
    """The middle of the round trips; 0 if none came back."""
    ttl: int
    """Of the last reply; 0 if none came back."""

    @property
    def lost(self) -> int:
        """Requests without a reply."""
        return self.sent - self.received

    def __str__(self) -> str:
        text = f"{self.received}/{self.sent} replies"
        return f"{text}, {self.median_ms:.2f} ms" if self.received else text


ON_THE_WAY = 10
"""Requests without a reply at the end of an endless ping that do not count as lost: far more than a round trip's."""

_REPLY = re.compile(r"icmp_seq=(\d+) ttl=(\d+) time=([\d.]+) ms(?!.*DUP)")
_TOTAL = re.compile(r"(\d+) packets transmitted")


def ping(
    namespace: str,
    target: str,
    *,
    count: int = 3,
    interval: float = 0.05,
    wait: float = 1.0,
    options: tuple[str, ...] = (),
) -> Ping:
    """Send `count` echo requests and wait for the replies, at most `wait` seconds for the last."""
    argv = [*MORTAL, "ping", "-n", "-c", str(count), "-i", str(interval), "-W", str(wait), *options, target]
    with inside(namespace):
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return parse_ping(done.stdout, count)


def parse_ping(text: str, sent: int | None = None) -> Ping:
    """Read ping's output. Without `sent`, the total that it states counts, or else the last reply's number."""
    replies = {int(number): (int(ttl), float(ms)) for number, ttl, ms in _REPLY.findall(text)}
    stated = _TOTAL.search(text)
    total = sent if sent is not None else int(stated[1]) if stated else max(replies, default=0)
    times = sorted(ms for _, ms in replies.values())
    return Ping(
        total, len(replies), times[len(times) // 2] if times else 0.0, replies[max(replies)][0] if replies else 0
    )


def parse_endless(text: str) -> Ping:
    """Read the output of a ping that was interrupted: the last few requests may have been on their way."""
    stated = parse_ping(text)
    last = max((int(number) for number, _, _ in _REPLY.findall(text)), default=0)
    return stated._replace(sent=last) if stated.sent - last <= ON_THE_WAY else stated


class Pinging:
    """A ping that runs while something else happens."""

    def __init__(self, namespace: str, target: str, interval: float = 0.01) -> None:
        with inside(namespace):
            self._popen = subprocess.Popen(
                [*MORTAL, "ping", "-n", "-i", str(interval), target],
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )

    def stop(self) -> Ping:
        """End it half a second from now. What was on its way at the end does not count as lost."""
        time.sleep(0.5)
        self._popen.send_signal(signal.SIGINT)
        return parse_endless(self._popen.communicate(timeout=5)[0])


def traceroute(namespace: str, target: str, hops: int = 4) -> list[str]:
    """The addresses that answer on the way, `*` for none, the target last if it was reached."""
    argv = [*MORTAL, "traceroute", "-n", "-q", "1", "-w", "1", "-m", str(hops), target]
    with inside(namespace):
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return parse_traceroute(done.stdout)


def parse_traceroute(text: str) -> list[str]:
    """The second column of every line but the first."""
    return [line.split()[1] for line in text.splitlines()[1:] if line.split()]
