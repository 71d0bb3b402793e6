"""Renewing the host's certificate: at two thirds of its life, within the session, which goes on.

The key is a new one each time. Papers that `netplane join` has put into the folder meanwhile count as well.
"""

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path

from netplane.stream.client import Uplink
from netplane.stream.messages import Renew, Renewed
from netplane.trust.certificates import load_certificate, renewal
from netplane.trust.faults import Distrust
from netplane.trust.keys import PrivateKey, make_key, make_request
from netplane.trust.papers import Papers, check_papers, read_papers, write_papers

SHORTEST_PAUSE, LONGEST_PAUSE = 1.5, 3600.0
"""Seconds between two attempts, or two looks at the folder."""

log = logging.getLogger("netplane.agent")


class Renewal:
    """That of one host, whose papers are in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key: PrivateKey | None = None
        self._session = asyncio.Event()

    def welcome(self) -> None:
        """A session has begun: what could not be asked for before can be now."""
        self._session.set()

    async def run(self, uplink: Uplink) -> None:
        """Ask for a certificate whenever it is time; the answer comes as an event of the uplink."""
        while True:
            pause = self._ask(uplink)
            try:
                async with asyncio.timeout(pause):
                    await self._session.wait()
            except TimeoutError:
                continue
            self._session.clear()

    def take(self, answer: Renewed) -> None:
        """Write down the certificate that was asked for. The former one serves on if it cannot be written."""
        if self._key is None:
            return
        certificate, authority = (load_certificate(pem.encode()) for pem in (answer.certificate, answer.authority))
        papers = check_papers(Papers(self._key, certificate, authority))
        write_papers(self._folder, papers)
        self._key = None
        log.info("the host's certificate is renewed, until %s", certificate.not_valid_after_utc.date())

    def _ask(self, uplink: Uplink) -> float:
        """Ask if it is time; how many seconds until the next look."""
        try:
            papers = read_papers(self._folder)
        except (OSError, Distrust) as problem:
            log.warning("cannot read the host's certificate: %s", problem)
            return LONGEST_PAUSE
        now, due = datetime.now(UTC), renewal(papers.certificate)
        if now < due:
            return min(max((due - now).total_seconds(), SHORTEST_PAUSE / 30), LONGEST_PAUSE)
        key = make_key()
        if uplink.send(Renew(make_request(key, papers.identity.host).decode())):
            self._key = key
        left = (papers.certificate.not_valid_after_utc - due).total_seconds()
        return min(max(left / 20, SHORTEST_PAUSE), LONGEST_PAUSE)
