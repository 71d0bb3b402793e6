"""The rules of a session, without I/O: frames in, messages out, and the same tables for both ends.

    agent                              controller
      Hello  ───────────────────────────▶            NEW       -> GREETING
             ◀─────────────────────────── Welcome    GREETING  -> CHOOSING
             ◀─── Snapshot first ... last, or Delta  CHOOSING  -> LOADING -> LIVE
      Ack, Claim, Release, Announce, Trouble, Decisions, Renew, Answer ──▶ after Welcome, at any time
             ◀────── Delta, Ask, Renewed, Controllers, Snapshot   LIVE
             ◀────── Farewell, at any time                any     -> OVER

A session can never be in a state where the two ends disagree on what is allowed next: either end steps through the
same tables. What the other end does wrong is a RemoteFault, what this end is about to do wrong a LocalFault.
"""

from collections.abc import Mapping
from enum import Enum
from ipaddress import ip_address

from netplane.model import HOST_NAME, HOST_NAMES
from netplane.stream.codec import decode_down, decode_up, encode
from netplane.stream.faults import LocalFault, RemoteFault
from netplane.stream.messages import (
    MOST_DECISIONS,
    MOST_PORTS,
    Ack,
    Announce,
    Answer,
    Ask,
    Claim,
    Controllers,
    Decisions,
    Delta,
    Down,
    Farewell,
    Hello,
    Release,
    Renew,
    Renewed,
    Snapshot,
    Trouble,
    Up,
    Welcome,
)


class State(Enum):
    """How far the conversation is."""

    NEW = "new"
    GREETING = "greeting"
    CHOOSING = "choosing"
    """Welcomed; either a snapshot or deltas from where the agent was will follow."""
    LOADING = "loading"
    """Within a snapshot."""
    LIVE = "live"
    OVER = "over"
    """The controller has said its last word."""

    __hash__ = object.__hash__  # an enumeration's own one takes longer than looking up what may be said next


class Part(Enum):
    """What a part of a snapshot is, by (first, last)."""

    WHOLE = (True, True)
    FIRST = (True, False)
    MIDDLE = (False, False)
    LAST = (False, True)


UTTERANCES = (Ack, Claim, Release, Announce, Trouble, Decisions, Renew, Answer)
"""What an agent may say at any time."""

WORDS = (Ask, Renewed, Controllers)
"""What a controller may say at any time."""

OPEN = (State.CHOOSING, State.LOADING, State.LIVE)

UP: Mapping[tuple[State, object], State] = {
    (State.NEW, Hello): State.GREETING,
    **{(state, kind): state for state in OPEN for kind in UTTERANCES},
}
"""What an agent may say in each state, and the state after it."""

DOWN: Mapping[tuple[State, object], State] = {
    (State.GREETING, Welcome): State.CHOOSING,
    (State.CHOOSING, Part.WHOLE): State.LIVE,
    (State.CHOOSING, Part.FIRST): State.LOADING,
    (State.CHOOSING, Delta): State.LIVE,
    (State.LOADING, Part.MIDDLE): State.LOADING,
    (State.LOADING, Part.LAST): State.LIVE,
    (State.LIVE, Part.WHOLE): State.LIVE,
    (State.LIVE, Part.FIRST): State.LOADING,
    (State.LIVE, Delta): State.LIVE,
    **{(state, kind): state for state in OPEN for kind in WORDS},
    **{(state, Farewell): State.OVER for state in State if state is not State.OVER},
}
"""What a controller may say in each state, and the state after it."""

Fault = type[LocalFault] | type[RemoteFault]


class Session:
    """What both ends know of their conversation."""

    def __init__(self) -> None:
        self.state = State.NEW
        self.hello = Hello("", "")
        """Who the agent said it is."""
        self.log = ""
        """The change log that the revisions below count in."""
        self.revision = 0
        """The revision that the agent's slice is complete up to; 0 within the first snapshot or before."""
        self.reached = 0
        """The last revision that the agent's slice was complete up to at some time."""

    def _up(self, message: Up, fault: Fault) -> None:
        following = UP.get((self.state, type(message)))
        if following is None:
            raise fault(f"{type(message).__name__} in state {self.state.value}")
        match message:
            case Hello():
                _check_hello(message, fault)
                self.hello = message
            case Ack(revision):
                if revision < 0:
                    raise fault("revisions start at 1")
            case Claim(ports) | Release(ports):
                if len(ports) > MOST_PORTS:
                    raise fault(f"a message names {MOST_PORTS} ports at most")
            case Decisions(decisions, lost):
                if len(decisions) > MOST_DECISIONS or lost < 0:
                    raise fault(f"a message holds {MOST_DECISIONS} decisions at most")
        self.state = following

    def _down(self, message: Down, fault: Fault) -> None:
        symbol = Part((message.first, message.last)) if isinstance(message, Snapshot) else type(message)
        following = DOWN.get((self.state, symbol))
        if following is None:
            raise fault(f"{symbol} in state {self.state.value}")
        match message:
            case Welcome(_, log):
                self.log = log
                resumes = bool(self.hello.revision) and self.hello.log == log
                self.revision = self.hello.revision if resumes else 0
            case Snapshot(revision, _, last, _):
                self._advance(revision if last else 0, revision, self.reached, fault)
            case Delta(revision, _, _):
                if not self.revision:
                    raise fault("a delta for an agent that has nothing to apply it to")
                self._advance(revision, revision, self.revision, fault)
        self.state = following

    def _advance(self, complete: int, revision: int, least: int, fault: Fault) -> None:
        if revision < least:
            raise fault(f"revision {revision} after {least}")
        self.revision = complete
        self.reached = max(self.reached, complete)


class AgentSession(Session):
    """The agent's end."""

    def send(self, message: Up) -> bytes:
        """The frame of what the agent says next; LocalFault if it may not."""
        self._up(message, LocalFault)
        return encode(message)

    def receive(self, frame: bytes) -> Down:
        """What the controller says; RemoteFault if it may not."""
        message = decode_down(frame)
        self._down(message, RemoteFault)
        return message

    @property
    def is_open(self) -> bool:
        """Whether the agent may speak."""
        return self.state in OPEN


class ControllerSession(Session):
    """The controller's end."""

    def send(self, message: Down) -> bytes:
        """The frame of what the controller says next; LocalFault if it may not."""
        self._down(message, LocalFault)
        return encode(message)

    def receive(self, frame: bytes) -> Up:
        """What the agent says; RemoteFault if it may not."""
        message = decode_up(frame)
        self._up(message, RemoteFault)
        return message


def _check_hello(hello: Hello, fault: Fault) -> None:
    if not HOST_NAME.fullmatch(hello.host):
        raise fault(f"a host's name is {HOST_NAMES}")
    if hello.revision < 0:
        raise fault("revisions start at 1")
    try:
        ip_address(hello.address)
    except ValueError:
        raise fault(f"not an address: {hello.address!r}") from None
