"""What an operator may decide of how people log in; nothing of what lets them in."""

from msgspec import Struct


class IdentityConfig(Struct, frozen=True):
    """What an operator may decide."""

    lifetime: int = 3600
    """How long a token is good, in seconds."""
    region: str = "RegionOne"
    """What the catalog calls this place."""
    public_url: str = ""
    """The server's address as clients know it, without a slash at its end; empty for what each of them has asked."""


STANDARD = IdentityConfig()
