"""Hosts spread over controllers, and stay."""

from collections import Counter

from netplane.stream.preference import preferred

CONTROLLERS = ["a:1", "b:1", "c:1"]
HOSTS = [f"host{number}" for number in range(300)]


def test_hosts_spread() -> None:
    assert min(Counter(preferred(host, CONTROLLERS)[0] for host in HOSTS).values()) > 70


def test_hosts_of_one_that_is_gone_spread_over_the_others() -> None:
    orphans = [host for host in HOSTS if preferred(host, CONTROLLERS)[0] == "a:1"]
    assert min(Counter(preferred(host, CONTROLLERS)[1] for host in orphans).values()) > 25


def test_the_order_in_which_they_are_named_does_not_matter() -> None:
    assert preferred("h", CONTROLLERS) == preferred("h", CONTROLLERS[::-1])
