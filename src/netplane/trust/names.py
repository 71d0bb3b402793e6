"""What certificates call those they are of.

A host's has one URI, `netplane://host/NAME/SERIES`: its name, and which of its enrolments it belongs to. All
controllers have one DNS name, whatever addresses they are reached at, so that agents need no list of names.
"""

import re
from typing import NamedTuple

from netplane.model import HOST_NAME

CONTROLLER = "controller.netplane.internal"
"""The name in the certificate of every controller; no name of the Internet (`internal` is reserved for private use)."""

_URI = re.compile(r"netplane://host/([^/]+)/([0-9a-f]{16})")


class HostIdentity(NamedTuple):
    """A host, and the enrolment that its certificate is of."""

    host: str
    series: str
    """16 hexadecimal digits."""


def uri(identity: HostIdentity) -> str:
    """A host as its certificate says it."""
    return f"netplane://host/{identity.host}/{identity.series}"


def parse_uri(text: str) -> HostIdentity | None:
    """The host that a certificate names; None for what is no host's."""
    found = _URI.fullmatch(text)
    if found is None or not HOST_NAME.fullmatch(found[1]):
        return None
    return HostIdentity(found[1], found[2])
