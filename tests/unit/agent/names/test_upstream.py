"""Whom hosts ask for users."""

import pytest

from netplane.agent.names.upstream import may_be_named


@pytest.mark.parametrize("resolver", ["192.0.2.53", "10.0.0.53", "2001:db8::53", "fd00::53"])
def test_resolvers_that_users_may_name(resolver: str) -> None:
    assert may_be_named(resolver)


@pytest.mark.parametrize(
    "resolver",
    ["127.0.0.53", "127.1.2.3", "0.0.0.0", "169.254.169.254", "224.0.0.251", "::1", "::", "fe80::1", "ff02::fb"],
)
def test_the_host_itself_and_its_links_are_not_for_users(resolver: str) -> None:
    assert not may_be_named(resolver)
