"""Where else callers come from: a file that the operator writes.

```toml
[keystone]                      # a Keystone that there already is
auth_url = "https://keystone.example/v3"
username = "netplane"
password = "..."
project_name = "service"

[oidc]                          # an issuer of OpenID Connect
issuer = "https://login.example"
audience = "netplane"
project_claim = "netplane_project"
roles_claim = "netplane_roles"
```
"""

import tomllib
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, ValidationError, convert

from netplane.api.callers.remembering import FRESH


class KeystoneConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """How to ask a Keystone."""

    auth_url: str
    """Where it is."""
    username: str
    """Who asks it: a user with the role `service`, or `admin`."""
    password: str
    project_name: str = "service"
    user_domain_name: str = "Default"
    project_domain_name: str = "Default"
    public_url: str = ""
    """Where clients find it, if not at `auth_url`."""
    token_cache_time: Annotated[int, Meta(ge=0, le=3600)] = FRESH
    """Seconds that an answer of it is believed: a token that is revoked there is good so much longer here."""
    interface: str = "internal"
    """Which of the addresses in its catalog is asked."""
    cafile: str = ""
    """A file of certificates that it is trusted by; empty for the system's."""


class OidcConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose tokens are good, and what they say."""

    issuer: str
    """The issuer's address, as its tokens spell it."""
    audience: str
    """What tokens must be meant for."""
    project_claim: str = "netplane_project"
    """The claim that names the project, by id."""
    roles_claim: str = "netplane_roles"
    """The claim that lists roles."""
    user_claim: str = "preferred_username"
    """The claim that names the user for people; if there is none, `sub` does."""
    cafile: str = ""
    """A file of certificates that it is trusted by; empty for the system's."""


class OutsideConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    keystone: KeystoneConfig | None = None
    oidc: OidcConfig | None = None


NOWHERE = OutsideConfig()


def read_outside(path: Path) -> OutsideConfig:
    """What a file says; ValueError if it is not as it should be, OSError if it cannot be read."""
    try:
        return convert(tomllib.loads(path.read_text()), OutsideConfig)
    except ValidationError as error:
        raise ValueError(str(error)) from error
