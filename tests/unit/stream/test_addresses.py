"""Where controllers are said to be, by whoever can mistype."""

import asyncio

import pytest

from netplane.stream.client import Disconnected, Uplink
from netplane.stream.transport import host_and_port
from netplane.trust.authority import make_authority
from netplane.trust.names import HostIdentity
from netplane.trust.own import wall_clock
from tests.contract.southbound import certified


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("tcp://a:1", ("a", 1)),
        ("[::1]:9697", ("::1", 9697)),
        ("127.0.0.1:65535", ("127.0.0.1", 65535)),
    ],
)
def test_addresses(address: str, found: tuple[str, int]) -> None:
    assert host_and_port(address) == found


@pytest.mark.parametrize("address", ["127.0.0.1:65536", "127.0.0.1", "a:b", "a:-1"])
def test_an_address_that_is_none_is_told_of_and_the_next_is_tried(address: str) -> None:
    async def scenario() -> None:
        papers = certified(make_authority(wall_clock()), HostIdentity("h", "0" * 16))
        async with asyncio.timeout(5), Uplink("h", "192.0.2.1", [address], lambda: papers) as uplink:
            for _ in range(2):
                assert await anext(uplink) == Disconnected(address, f"{address} names no port")

    asyncio.run(scenario())
