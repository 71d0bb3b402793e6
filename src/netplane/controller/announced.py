"""Addresses that machines say they have: written down when they have rested, as announcements."""

import asyncio
import logging
from time import monotonic

from netplane.controller.moves import Move, Moves
from netplane.controller.picture import Picture
from netplane.controller.writing import write_as
from netplane.model import Port, announcement_id
from netplane.store import Store
from netplane.store.announcements import note_announcement
from netplane.stream.faults import Refused

LOGGER = logging.getLogger(__name__)

PAUSE = 0.25
"""Seconds between looks at addresses that wait to be moved."""


class Announced:
    """What all hosts that are here have heard of it."""

    def __init__(self, store: Store, picture: Picture) -> None:
        self._store = store
        self._picture = picture
        self._moves = Moves()

    async def hear(self, move: Move) -> None:
        """A host has heard a machine say so; only that of a port that the host carries counts."""
        port = self._picture.interest.get(("port", move.port))
        if not isinstance(port, Port) or self._picture.carrier(port.id) != move.host:
            return
        try:
            place = announcement_id(port.network_id, move.address)
        except ValueError:
            return
        if self._moves.hear(place, move, monotonic()):
            await self._move(move)

    async def settle(self) -> None:
        """Do, without an end, what has been said of addresses that had just moved."""
        while True:
            await asyncio.sleep(PAUSE)
            for move in self._moves.due(monotonic()):
                try:
                    await self._move(move)
                except Refused as error:
                    LOGGER.warning("%s", error)

    async def _move(self, move: Move) -> None:
        host, port, address, mac = move
        await write_as(self._store, host, lambda t: note_announcement(t, host, port, address, mac))
