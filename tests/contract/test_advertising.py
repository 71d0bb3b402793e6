"""Router advertisements by a running loop: what goes to which device when records and devices change."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace

from netplane.agent.answers.advertising import Advertising
from netplane.agent.answers.punt import Place
from netplane.agent.slice import Slice
from netplane.base.addresses import link_local, pack_mac
from netplane.model import AnyRecord
from netplane.stream.messages import Delta, Snapshot, Welcome
from tests.unit.agent.ipv6 import AUTOMATIC, DUAL, interface
from tests.unit.agent.records import INTERFACE, NETWORK, ROUTER, SUBNET

ROUTERS = link_local(pack_mac(INTERFACE.mac_address))
HERE = Place(7)
SECONDS = 5.0


class Ear:
    """A host's slice, and what its devices have heard."""

    def __init__(self) -> None:
        self.slice = Slice()
        self.heard: list[tuple[int, bytes]] = []
        self.advertising = Advertising(self.slice, lambda place, frame: self.heard.append((place.ifindex, frame)))
        whole: Sequence[AnyRecord] = [NETWORK, SUBNET, AUTOMATIC, ROUTER, interface(AUTOMATIC), DUAL]
        for message in (Welcome(number=1, log="log"), Snapshot.of(1, whole)):
            list(self.slice.take(message))

    def change(self, *records: AnyRecord) -> None:
        list(self.slice.take(Delta.of(2, records)))
        self.advertising.note({HERE: DUAL.id})

    async def listen(self) -> list[tuple[int, bytes, int]]:
        """What is heard next: device, sender and router lifetime."""
        async with asyncio.timeout(SECONDS):
            while not self.heard:
                await asyncio.sleep(0.01)
        said, self.heard = self.heard, []
        return [(ifindex, frame[22:38], int.from_bytes(frame[60:62], "big")) for ifindex, frame in said]


def run(story: Callable[[Ear], Awaitable[None]]) -> None:
    async def told() -> None:
        ear = Ear()
        try:
            await story(ear)
        finally:
            ear.advertising.close()

    asyncio.run(told())


def test_a_machine_that_comes_hears_its_router() -> None:
    async def story(ear: Ear) -> None:
        ear.advertising.note({HERE: DUAL.id, Place(8): "of no port here"})
        assert await ear.listen() == [(7, ROUTERS, 1800)]
        ear.advertising.answer(HERE, DUAL)
        assert await ear.listen() == [(7, ROUTERS, 1800)]

    run(story)


def test_a_machine_hears_that_its_router_goes_down_and_of_another_prefix() -> None:
    async def story(ear: Ear) -> None:
        ear.advertising.note({HERE: DUAL.id})
        await ear.listen()
        ear.change(replace(ROUTER, admin_state_up=False))
        assert await ear.listen() == [(7, ROUTERS, 0)]
        ear.change(ROUTER)
        assert await ear.listen() == [(7, ROUTERS, 1800)]
        ear.change(replace(AUTOMATIC, dns_nameservers=()))
        assert await ear.listen() == [(7, ROUTERS, 1800)]

    run(story)


def test_a_machine_whose_port_or_network_is_off_hears_nothing() -> None:
    async def story(ear: Ear) -> None:
        ear.advertising.note({HERE: DUAL.id})
        await ear.listen()
        for off, on in ((replace(DUAL, admin_state_up=False), DUAL), (replace(NETWORK, admin_state_up=False), NETWORK)):
            ear.change(off)
            await asyncio.sleep(1.2)
            assert ear.heard == []
            ear.change(on)
            assert await ear.listen() == [(7, ROUTERS, 1800)]

    run(story)


def test_a_machine_that_has_gone_hears_nothing() -> None:
    async def story(ear: Ear) -> None:
        ear.advertising.note({HERE: DUAL.id})
        await ear.listen()
        ear.advertising.note({})
        await asyncio.sleep(1.2)
        ear.advertising.note({HERE: DUAL.id})
        assert await ear.listen() == [(7, ROUTERS, 1800)]

    run(story)
