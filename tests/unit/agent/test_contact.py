"""What an operator reads of sessions with controllers. The reasons are gRPC's own words."""

import logging

import pytest

from netplane.agent.contact import Contact, explain
from netplane.stream.client import Connected, Disconnected

ABSENT = "UNAVAILABLE: failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: "
REASONS = {
    ABSENT + "Failed to connect to remote host: Connection refused": "nobody listens there",
    "UNAVAILABLE: ... unix:/x: connect failed: addr: unix:/x error: No such file or directory": "nobody listens there",
    "UNAVAILABLE: errors resolving nosuch:9697: [field:hostname lookup error: ...]": "has no address here",
    ABSENT + "Failed parsing HTTP/2 (Expected SETTINGS frame as the first frame, got frame type 79)": "HTTP's port",
    ABSENT + "Delayed close due to in-progress write (ping timeout) (goaway sent)": "who is there says nothing",
    "UNIMPLEMENTED: Method not found!": "is no controller",
    "UNAUTHENTICATED: the certificate of host h1 is revoked": "this host was put out",
    "this host has no certificate to show: No such file or directory": "must join first",
}


@pytest.mark.parametrize("reason", REASONS)
def test_the_meaning_comes_first(reason: str) -> None:
    line = explain(reason)
    assert REASONS[reason] in line.removesuffix(f" ({reason})")
    assert line.endswith(f" ({reason})")


def test_what_a_controller_says_is_its_own_meaning() -> None:
    assert explain("FAILED_PRECONDITION: host h2 has this address") == "FAILED_PRECONDITION: host h2 has this address"


def test_each_controller_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """They are tried in turn for as long as none is there."""
    caplog.set_level(logging.INFO, "netplane.agent")
    contact = Contact()
    for _ in range(3):
        contact.note(Disconnected("a", "x"))
        contact.note(Disconnected("b", "x"))
    assert caplog.messages == ["no session with a: x", "no session with b: x"]
    contact.note(Disconnected("a", "y"))
    contact.note(Connected("b"))
    contact.note(Disconnected("a", "y"))
    assert caplog.messages[2:] == ["no session with a: y", "connected to b", "no session with a: y"]
