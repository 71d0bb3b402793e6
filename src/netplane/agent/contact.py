"""What an operator is told of the agent's sessions with controllers: one line for what is new, and what to look at.

Attempts go on for as long as no controller is there, so what has been said of one is said again only when it changes.
"""

import logging

from netplane.stream.client import Connected, Disconnected

NOBODY_LISTENS = "nobody listens there: is the controller up, and is this its --southbound?"
NO_NAME = "the controller's name has no address here"
WRONG_CLOCK = "the certificate of whoever answers there is not valid now: is the clock right, here and there?"
NO_ANSWER = "nobody answers there: does a firewall drop what this host sends?"

ADVICE = (
    ("verify_failed: certificate has expired", WRONG_CLOCK),
    ("verify_failed: certificate is not yet valid", WRONG_CLOCK),
    ("verify_failed: unsuitable certificate purpose", "whoever answers there is a host, and no controller"),
    ("is revoked", "this host was put out; `netplane join` with a new token for it lets it in again"),
    ("has expired", "this host must join again: `netplane join` with a token for it"),
    ("no certificate to show", "this host must join first: `netplane join`"),
    ("certificate_verify_failed", "whoever answers there is of another authority than the one this host has joined"),
    ("does not speak", "whoever answers there is no controller for agents, or one of another release"),
    ("wrong_version_number", "whoever answers there is no controller for agents: that is HTTP's port, or another's"),
    ("handshake", "whoever answers there says nothing that agents understand: is this the controller's --southbound?"),
    ("no welcome", "the controller is there and takes nobody in: is its database there?"),
    ("before the first word", "the controller does not take this host's certificate, or has just ended"),
    ("connection reset", "whoever answered there has hung up: a controller that has ended, or something that is none"),
    ("connection refused", NOBODY_LISTENS),
    ("connect call failed", NOBODY_LISTENS),
    ("no such file or directory", NOBODY_LISTENS),
    ("name or service not known", NO_NAME),
    ("name resolution", NO_NAME),
    ("no address associated", NO_NAME),
    ("permission denied", "the socket is for the controller's own user"),
    ("nothing was heard", "who was there says nothing more: it hangs, or packets are lost on the way"),
    ("timed out", NO_ANSWER),
    ("no route to host", "this host has no way there"),
    ("network is unreachable", "this host has no way there"),
)
"""What the words of the network and of TLS mean, by a part of them; the first that fits counts. Case is ignored."""

log = logging.getLogger("netplane.agent")


class Contact:
    """What has been told of each controller."""

    def __init__(self) -> None:
        self._told: dict[str, Connected | Disconnected] = {}

    def note(self, event: Connected | Disconnected) -> None:
        """Log what is new about it."""
        if event == self._told.get(event.controller):
            return
        self._told[event.controller] = event
        match event:
            case Connected():
                # What was wrong with the others may be so no longer.
                self._told = {event.controller: event}
                log.info("connected to %s", event.controller)
            case Disconnected():
                log.warning("no session with %s: %s", event.controller, explain(event.reason))


def explain(reason: str) -> str:
    """Why there is no session, what it means first, for whoever has to mend it."""
    lower = reason.lower()
    meaning = next((advice for part, advice in ADVICE if part.lower() in lower), "")
    return f"{meaning} ({reason})" if meaning else reason
