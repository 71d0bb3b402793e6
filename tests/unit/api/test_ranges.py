"""Address ranges."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netplane.api.errors import ApiError
from netplane.api.rules.ranges import check_pools, default_pools, is_usable, parse_address, parse_range, usable
from netplane.model.network import AllocationPool


@pytest.mark.parametrize(
    ("cidr", "first", "last"),
    [
        ("10.0.0.0/24", "10.0.0.1", "10.0.0.254"),
        ("10.0.0.0/31", "10.0.0.0", "10.0.0.1"),
        ("10.0.0.9/32", "10.0.0.9", "10.0.0.9"),
        ("fd00::/126", "fd00::1", "fd00::3"),
    ],
)
def test_usable(cidr: str, first: str, last: str) -> None:
    assert usable(ip_network(cidr)) == (int(ip_address(first)), int(ip_address(last)))


@given(st.integers(0, 255), st.integers(20, 32))
def test_default_pools_are_all_but_the_gateway(last: int, length: int) -> None:
    cidr = ip_network(f"10.0.0.0/{length}")
    gateway = ip_address(f"10.0.0.{last}")
    pools = default_pools(cidr, gateway)
    held = [number for pool in pools for number in range(int(ip_address(pool.start)), int(ip_address(pool.end)) + 1)]
    low, high = usable(cidr)
    assert held == [number for number in range(low, high + 1) if number != int(gateway)]
    assert check_pools(cidr, gateway, pools) == pools


def test_without_a_gateway_it_is_one_pool() -> None:
    assert default_pools(ip_network("10.0.0.0/24"), None) == (AllocationPool("10.0.0.1", "10.0.0.254"),)


@pytest.mark.parametrize("text", ["", "x", "10.0.0", "10.0.0.0/8", "1.2.3.4.5", "01.2.3.4", " 10.0.0.1"])
def test_no_addresses(text: str) -> None:
    with pytest.raises(ApiError):
        parse_address(text)


@pytest.mark.parametrize("text", ["", "10.0.0.0", "10.0.0.1/24", "10.0.0.0/33", "10.0.0.0/255.255.255.0.0", "/24"])
def test_no_ranges(text: str) -> None:
    with pytest.raises(ApiError):
        parse_range(text)


def test_families_do_not_mix() -> None:
    assert not is_usable(ip_network("10.0.0.0/24"), ip_address("fd00::1"))
