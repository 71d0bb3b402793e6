"""What an operator reads of sessions with controllers. The reasons are what the network, TLS and controllers say."""

import logging

import pytest

from netplane.agent.contact import Contact, explain
from netplane.stream.client import Connected, Disconnected

REASONS = {
    "Connection refused": "nobody listens there",
    "Multiple exceptions: [Errno 111] Connect call failed ('::1', 1), ...": "nobody listens there",
    "No such file or directory": "nobody listens there",
    "[Errno -2] Name or service not known": "has no address here",
    "TLS: WRONG_VERSION_NUMBER": "HTTP's port",
    "TLS: CERTIFICATE_VERIFY_FAILED: certificate has expired": "is the clock right",
    "TLS: CERTIFICATE_VERIFY_FAILED: unsuitable certificate purpose": "is a host",
    "TLS: CERTIFICATE_VERIFY_FAILED: unable to get local issuer certificate": "of another authority",
    "Connection reset by peer": "has hung up",
    "whoever is there does not speak netplane/1": "another release",
    "SSL handshake is taking longer than 15.0 seconds: aborting the connection": "says nothing that agents understand",
    "the connection was closed, before the first word of a controller": "this host's certificate",
    "no welcome within 30 s, before the first word of a controller": "is its database there",
    "nothing was heard for 12 s": "it hangs",
    "the certificate of host h1 is revoked": "this host was put out",
    "this host has no certificate to show: No such file or directory": "must join first",
}


@pytest.mark.parametrize("reason", REASONS)
def test_the_meaning_comes_first(reason: str) -> None:
    line = explain(reason)
    assert REASONS[reason] in line.removesuffix(f" ({reason})")
    assert line.endswith(f" ({reason})")


def test_what_a_controller_says_is_its_own_meaning() -> None:
    assert explain("host h2 has this address") == "host h2 has this address"


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
