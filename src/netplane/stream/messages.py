"""What agents and controllers say to each other, as frozen messages.

One connection for each agent carries them both ways, each frame one message in msgpack. An agent opens with
`Hello`; the controller answers `Welcome`, then either a `Snapshot` or, if it can resume from the agent's revision,
`Delta`s only. From then on deltas flow down, and acknowledgements, claims and answers up. Whoever breaks the
sequence is cut off.

A message whose form changes gets another tag, so that whoever knows the former one alone ends the session, and keeps
what it has, instead of reading half of it: `snapshot` and `delta` had endpoints among their records.
"""

from collections.abc import Iterable
from typing import cast

from msgspec import Struct

from netplane.base.problem import Problem
from netplane.model import Decision, Endpoint, NamedRecord, Record
from netplane.model.network import DEFAULT_DOMAIN

MOST_DECISIONS = 1_000
MOST_PORTS = 1_000
"""Ports in one `Claim` or `Release`: what a controller does about them holds up everybody else meanwhile."""


class Message(Struct, frozen=True, array_like=True, gc=False):
    """A frame of the session."""


class Hello(Message, frozen=True, tag="hello"):
    """Up, first: who speaks, and what it has."""

    host: str
    """The host's name; that in its certificate counts, and must be the same."""
    address: str
    """Its underlay address."""
    log: str = ""
    """The change log that its revision counts in; empty at first."""
    revision: int = 0
    """The last revision that its slice is complete up to; 0 for none."""


class Welcome(Message, frozen=True, tag="welcome"):
    """Down, first."""

    number: int
    """The host's number."""
    log: str
    """The identity of this controller's change log."""
    dns_domain: str = DEFAULT_DOMAIN
    """What machines' names end with on networks without a domain of their own; empty for nothing."""


class Snapshot(Message, frozen=True, tag="snapshot-2"):
    """Down: the whole slice as of a revision, in one or more parts; records of earlier parts stay."""

    revision: int
    first: bool
    last: bool
    records: list[NamedRecord]
    endpoints: list[Endpoint] = []

    @classmethod
    def of(cls, revision: int, records: Iterable[Record], *, first: bool = True, last: bool = True) -> "Snapshot":
        """A part that says these records."""
        return cls(revision, first, last, *apart(records))


class Delta(Message, frozen=True, tag="delta-2"):
    """Down: what has changed in the slice up to a revision. Empty deltas move the revision on."""

    revision: int
    upserts: list[NamedRecord]
    deletes: list[tuple[str, str]]
    """(kind, id) of each record that the host needs no more."""
    endpoints: list[Endpoint] = []
    """Upserts too."""

    @classmethod
    def of(cls, revision: int, upserts: Iterable[Record], deletes: Iterable[tuple[str, str]] = ()) -> "Delta":
        """A delta that says these upserts."""
        named, endpoints = apart(upserts)
        return cls(revision, named, list(deletes), endpoints)


def apart(records: Iterable[Record]) -> tuple[list[NamedRecord], list[Endpoint]]:
    """Records as messages have them: endpoints are arrays on the wire, all others maps."""
    named: list[NamedRecord] = []
    endpoints: list[Endpoint] = []
    for record in records:
        if isinstance(record, Endpoint):
            endpoints.append(record)
        else:
            named.append(cast(NamedRecord, record))
    return named, endpoints


class Ask(Message, frozen=True, tag="ask"):
    """Down: a question of an operator, such as a trace; `Answer` repeats its number."""

    number: int
    topic: str
    body: dict[str, str]


class Renewed(Message, frozen=True, tag="renewed"):
    """Down: a certificate for the request of the last `Renew`."""

    certificate: str
    """The host's, PEM."""
    authority: str
    """That of the authority, PEM."""


class Controllers(Message, frozen=True, tag="controllers"):
    """Down: where all controllers are that are there now; replaces what was said before."""

    addresses: tuple[str, ...]
    """`host:port` or `unix:///path` each."""


class Farewell(Message, frozen=True, tag="farewell"):
    """Down, last: why the controller ends the session."""

    reason: str


class Ack(Message, frozen=True, tag="ack"):
    """Up: everything up to this revision is in the kernel."""

    revision: int


class Claim(Message, frozen=True, tag="claim"):
    """Up: the device of these ports, `MOST_PORTS` at most, has appeared on this host, and its entries are wanted."""

    ports: list[str]


class Release(Message, frozen=True, tag="release"):
    """Up: the device of these ports, `MOST_PORTS` at most, is gone."""

    ports: list[str]


class Announce(Message, frozen=True, tag="announce"):
    """Up: the machine at a port of this host says that it has an address, which others may have had before."""

    port: str
    address: str
    mac: str


class Trouble(Message, frozen=True, tag="trouble"):
    """Up: all problems of this host; replaces what was said before."""

    problems: list[Problem]


class Decisions(Message, frozen=True, tag="decisions"):
    """Up: what was decided at ports that log it, in the order of their numbers; at most `MOST_DECISIONS`."""

    decisions: list[Decision]
    lost: int = 0
    """Decisions since the last message that are not in any: they were too many."""


class Renew(Message, frozen=True, tag="renew"):
    """Up: the host's certificate will expire, and it has made a new key."""

    request: str
    """The request for a certificate, PEM."""


class Answer(Message, frozen=True, tag="answer"):
    """Up: the answer to an `Ask`: its body, or what went wrong."""

    number: int
    body: dict[str, object]
    error: str = ""


Down = Welcome | Snapshot | Delta | Ask | Renewed | Controllers | Farewell
Up = Hello | Ack | Claim | Release | Announce | Trouble | Decisions | Renew | Answer
