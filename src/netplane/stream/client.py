"""The agent's end of the southbound session: one object that stays connected to some controller.

    async with Uplink("host1", "192.0.2.1", ["unix:///run/netplane/southbound"], token) as uplink:
        async for event in uplink:
            match event:
                case Connected(): ...                   # a controller has taken us
                case Welcome(number, log): ...          # say all Claims (and Trouble) again, here
                case Snapshot(revision, first, last, records): ...
                case Delta(revision, upserts, deletes): ...
                case Ask(number, topic, body): uplink.send(Answer(number, {...}))
                case Disconnected(): ...                # nothing to do: it comes back by itself

Events are read from the network only as fast as they are taken. What an agent says while no session is open is
dropped (`send` returns False): it says everything that still holds after the next `Welcome`.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from msgspec import Struct

from netplane.stream.messages import Ack, Answer, Ask, Claim, Delta, Release, Snapshot, Trouble, Welcome


class Connected(Struct, frozen=True):
    """A session is open; `Welcome` follows."""

    controller: str


class Disconnected(Struct, frozen=True):
    """The session is over, or an attempt failed; the next attempt follows after a pause."""

    controller: str
    reason: str


class Position(Struct, frozen=True):
    """How far a slice is complete: a revision in a change log. The empty one asks for a snapshot."""

    log: str = ""
    revision: int = 0


Event = Connected | Disconnected | Welcome | Snapshot | Delta | Ask
Saying = Ack | Claim | Release | Trouble | Answer


class Uplink:
    """The session with the first controller that answers, renewed for ever. Iterate it; `send` at any time."""

    def __init__(
        self, host: str, address: str, controllers: Sequence[str], token: str, *, position: Position = Position()
    ) -> None:
        self.position = position
        """The position that the events taken so far lead to; give it to the next Uplink to resume."""

    async def __aenter__(self) -> Self:
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the session and stop trying."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        raise NotImplementedError

    def send(self, message: Saying) -> bool:
        """Say something to the controller; False if no session is open, and it was dropped."""
        raise NotImplementedError
