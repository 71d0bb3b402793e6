"""How much the log says of connections that come to nothing."""

import logging

import pytest

from netplane.stream.complaints import EVERY, MOST, Complaints


def test_each_address_is_named_once_a_minute_and_only_so_many(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    complaints = Complaints(logging.getLogger("netplane.test"), lambda: now)
    for number in range(MOST + 5):
        for _ in range(2):
            complaints.say(f"10.0.0.{number}", "why")
    assert caplog.messages == [f"a connection from 10.0.0.{number} came to nothing: why" for number in range(MOST)]
    now += EVERY
    caplog.clear()
    complaints.say("10.0.0.1", "why")
    assert caplog.messages == [
        f"{MOST + 10} more connections came to nothing",
        "a connection from 10.0.0.1 came to nothing: why",
    ]
