"""Agents that do not read: they cost the controller no more than a slice, and end up with the slice."""

import asyncio
from datetime import datetime
from pathlib import Path
from random import Random

from msgspec import Raw
from msgspec.msgpack import encode

from netplane.interest import Key
from netplane.model import Network, Record, kind_of
from netplane.stream.client import Connected, Disconnected, Uplink
from netplane.stream.codec import Run
from netplane.stream.delivery import Slice
from netplane.stream.messages import Delta, Hello, Renewed, Snapshot, Up
from netplane.stream.outbox import Parcel
from netplane.stream.server import SouthboundServer
from netplane.trust.authority import make_authority
from netplane.trust.names import HostIdentity
from netplane.trust.own import OwnCertificate, wall_clock
from tests.contract.southbound import certified

RECORDS, ROUNDS, CHANGED = 2_000, 200, 800
LIMIT = 1_000
H = HostIdentity("h", "0" * 16)


class OneSlice:
    """A controller of one host, whose slice is whatever it was told last."""

    log = "log"

    def __init__(self) -> None:
        self.revision = 1
        self.records: dict[Key, Raw] = {}
        self.slices = 0

    dns_domain = "openstacklocal."

    async def admit(self, hello: Hello, identity: HostIdentity) -> int:
        assert identity.host == hello.host
        return len(hello.host)

    def trusts(self, identity: HostIdentity) -> bool:
        return identity == H

    async def renew(self, identity: HostIdentity, request: str) -> tuple[Renewed, datetime]:
        raise AssertionError((identity, request))

    def resume(self, host: str, revision: int) -> Parcel | None:
        assert (host, revision) == ("h", 1)
        return None

    def slice(self, host: str) -> Slice:
        self.slices += len(host)
        return self.revision, [Run(1, bytes(raw)) for raw in self.records.values()]

    async def hear(self, host: str, message: Up) -> None:
        raise AssertionError((host, message))

    def left(self, host: str) -> None:
        assert host == "h"

    def change(self, random: Random) -> Parcel:
        """Some records change, some go."""
        self.revision += 1
        changed: dict[Key, Raw | None] = {}
        for number in random.sample(range(RECORDS), CHANGED):
            key = ("network", str(number))
            if random.random() < 0.2:
                self.records.pop(key, None)
                changed[key] = None
            else:
                record = Network(id=str(number), vni=self.revision, description="x" * 255)
                changed[key] = self.records[key] = Raw(encode(record))
        return Parcel(self.revision, changed)


def test_an_agent_that_does_not_read_gets_its_slice_anew_when_it_does(tmp_path: Path) -> None:
    asyncio.run(starve(OneSlice(), f"unix://{tmp_path}/southbound"))


async def starve(desk: OneSlice, address: str) -> None:
    random = Random(2)
    authority = make_authority(wall_clock())
    papers = certified(authority, H)
    server = SouthboundServer(desk, OwnCertificate(authority), tick=0, limit=LIMIT)
    await server.start(address)
    try:
        async with Uplink("h", "192.0.2.1", [address], lambda: papers) as uplink:
            async for event in uplink:
                if isinstance(event, Snapshot):
                    break
            for _ in range(ROUNDS):
                server.publish([("h", desk.change(random))])
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            deltas, found = await catch_up(uplink, desk.revision)
            assert found == {key: bytes(raw) for key, raw in desk.records.items()}
            assert desk.slices > 1, "it got its slice anew"
            assert desk.slices + deltas < ROUNDS / 2, "what waited became one"
    finally:
        await server.stop()


async def catch_up(uplink: Uplink, revision: int) -> tuple[int, dict[Key, bytes]]:
    """All records when a revision is reached, in bytes, and how many deltas came on the way."""
    records: dict[Key, Record] = {}
    deltas = 0
    async with asyncio.timeout(20):
        async for event in uplink:
            match event:
                case Snapshot(_, first, _, fresh):
                    records = {} if first else records
                case Delta(_, fresh, gone):
                    deltas += 1
                    records = {key: record for key, record in records.items() if key not in gone}
                case Connected() | Disconnected():
                    raise AssertionError(event)
                case _:
                    continue
            records |= {(kind_of(record), record.id): record for record in fresh}
            if event.revision == revision and (isinstance(event, Delta) or event.last):
                break
    return deltas, {key: encode(record) for key, record in records.items()}
