"""What controllers of one database ask each other: letters in the database, numbered questions and their answers.

    ask ──▶ Question ──▶ (letter) ──▶ the other's Correspondence ──▶ its answer function
    ask ◀── Reply    ◀── (letter) ◀──────────────────────────────────────┘

It also knows who is there: a controller whose number goes up. One that is gone is forgotten by whoever notices.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any

from msgspec import MsgspecError, Struct
from msgspec.msgpack import Decoder, Encoder

from netplane.controller.whereabouts import introduced
from netplane.store import Unavailable
from netplane.store.peers import Letter, Peer, Peers
from netplane.stream.faults import Refused, StreamFault, Unanswered

LOGGER = logging.getLogger(__name__)

BEAT = 2.0
"""Seconds between two signs of life."""
GONE = 10.0
"""Seconds without one after which a controller is gone."""
PAUSE = 1.0
"""Seconds before the database is tried again."""


class Question(Struct, frozen=True, tag="question"):
    """What a controller wants to know of another."""

    sender: str
    number: int
    topic: str
    body: Any


class Reply(Struct, frozen=True, tag="reply"):
    """What the other says: a body, or why there is none."""

    sender: str
    number: int
    body: Any
    refusal: str = ""
    silence: str = ""


class Arrival(Struct, frozen=True, tag="arrival"):
    """There is a new controller."""

    sender: str


Message = Question | Reply | Arrival

Answering = Callable[[str, Any], Awaitable[Any]]
"""Answers a topic and a body; Refused or Unanswered if it cannot."""

_ENCODER = Encoder()
_DECODER: Decoder[Message] = Decoder(Message)


class Presence:
    """Who has been seen lately, by our own clock. Pure."""

    def __init__(self, own: str) -> None:
        self._own = own
        self._seen: dict[str, tuple[Peer, float]] = {}

    def look(self, peers: list[Peer], now: float) -> set[str]:
        """Take in what the controllers say; answers those that are gone."""
        for peer in peers:
            before = self._seen.get(peer.id)
            if before is None or before[0].seen != peer.seen:
                self._seen[peer.id] = (peer, now)
        present = {peer.id for peer in peers}
        self._seen = {id: known for id, known in self._seen.items() if id in present}
        return {id for id, (_, since) in self._seen.items() if now - since > GONE and id != self._own}

    def others(self, now: float) -> dict[str, Peer]:
        """The other controllers that are there, by id."""
        return {id: peer for id, (peer, since) in self._seen.items() if id != self._own and now - since <= GONE}


class Correspondence:
    """One controller's. Where there can be no others, it does nothing and knows nobody."""

    def __init__(self, id: str, url: str, peers: Peers, answering: Answering) -> None:
        self.id = id
        self.url = url
        self.southbound: Sequence[str] = ()
        """Where agents find this controller, and others that it was told of."""
        self._peers = peers
        self._answering = answering
        self._presence = Presence(id)
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._out: list[Letter] = []
        self._rung = asyncio.Event()
        self._arrived = asyncio.Event()
        self._answers: set[asyncio.Task[None]] = set()

    @property
    def others(self) -> dict[str, str]:
        """The other controllers that are there: their URLs by id."""
        return {id: peer.url for id, peer in self._present().items()}

    @property
    def places(self) -> list[str]:
        """Where this controller's agents find controllers that are there, this one included."""
        return introduced(self.southbound, (place for peer in self._present().values() for place in peer.southbound))

    def _present(self) -> dict[str, Peer]:
        return self._presence.others(asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Say that we are there, and carry letters, until cancelled."""
        if not self._peers.is_shared:
            return
        loop = asyncio.get_running_loop()

        def ring() -> None:
            loop.call_soon_threadsafe(self._rung.set)

        stop = self._peers.subscribe(self.id, ring)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._beat())
                tasks.create_task(self._carry())
        finally:
            stop()
            for task in self._answers:
                task.cancel()

    async def leave(self) -> None:
        """Let the others know that we are gone."""
        if self._peers.is_shared:
            try:
                await asyncio.to_thread(self._peers.forget, [self.id])
            except Unavailable as outage:
                LOGGER.warning("others will notice by themselves that we are gone: %s", outage)

    async def ask(self, receiver: str, topic: str, body: object, timeout: float) -> Any:
        """What another controller answers. Unanswered, or Refused, as it says."""
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._post(receiver, Question(self.id, number, topic, body))
        try:
            reply = await asyncio.wait_for(future, timeout)
        except TimeoutError:
            raise Unanswered(f"controller {receiver} has not answered within {timeout:g} s") from None
        finally:
            del self._waiting[number]
        if reply.silence:
            raise Unanswered(reply.silence)
        if reply.refusal:
            raise Refused(reply.refusal)
        return reply.body

    async def ask_all(self, topic: str, body: object, timeout: float) -> dict[str, Any]:
        """What each of the others answers, as far as they do."""
        others = list(self.others)
        asked = (self.ask(other, topic, body, timeout) for other in others)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        return {id: answer for id, answer in zip(others, answers, strict=True) if not isinstance(answer, BaseException)}

    def _post(self, receiver: str, message: Message) -> None:
        self._out.append(Letter(receiver, _ENCODER.encode(message)))
        self._rung.set()

    async def _beat(self) -> None:
        is_known = False
        while True:
            try:
                await self._look()
                for other in () if is_known else self.others:
                    self._post(other, Arrival(self.id))
                is_known = True
            except Unavailable as outage:
                LOGGER.warning("the database cannot serve: %s", outage)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), BEAT)
            self._arrived.clear()

    async def _look(self) -> None:
        peers = await asyncio.to_thread(self._peers.beat, self.id, self.url, self.southbound)
        if gone := self._presence.look(peers, asyncio.get_running_loop().time()):
            LOGGER.warning("controllers are gone: %s", ", ".join(sorted(gone)))
            await asyncio.to_thread(self._peers.forget, gone)

    async def _carry(self) -> None:
        while True:
            await self._rung.wait()
            self._rung.clear()
            try:
                if self._out:
                    out, self._out = self._out, []
                    await asyncio.to_thread(self._peers.send, out)
                for body in await asyncio.to_thread(self._peers.receive, self.id):
                    self._open(body)
            except Unavailable:
                # What was to be sent is lost; whoever asked gives up in time.
                await asyncio.sleep(PAUSE)

    def _open(self, body: bytes) -> None:
        try:
            message = _DECODER.decode(body)
        except MsgspecError as error:
            LOGGER.warning("a letter that makes no sense: %s", error)
            return
        match message:
            case Arrival():
                self._arrived.set()
            case Reply():
                future = self._waiting.get(message.number)
                if future and not future.done():
                    future.set_result(message)
            case Question():
                task = asyncio.create_task(self._answer(message))
                self._answers.add(task)
                task.add_done_callback(self._answers.discard)

    async def _answer(self, question: Question) -> None:
        reply = Reply(self.id, question.number, None)
        try:
            body = await self._answering(question.topic, question.body)
            reply = Reply(self.id, question.number, body)
        except Unanswered as silence:
            reply = Reply(self.id, question.number, None, silence=str(silence))
        except (StreamFault, Unavailable) as refusal:
            reply = Reply(self.id, question.number, None, refusal=str(refusal))
        self._post(question.sender, reply)


def merged(answers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What several have said by name, as one; of a name that several know, one's word."""
    found: dict[str, Any] = {}
    for answer in answers.values():
        found |= answer
    return found
