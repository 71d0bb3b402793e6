"""The body of `POST /v3/auth/tokens`: who one is, how one proves it, and what the token shall be for.

Members that are not known are ignored, as Keystone does.
"""

from msgspec import Struct, field
from msgspec.json import Decoder

from netplane.api.identity.errors import invalid
from netplane.model.identity import DOMAIN


class DomainWish(Struct, frozen=True):
    """The domain, by id or name."""

    id: str | None = None
    name: str | None = None

    @property
    def is_ours(self) -> bool:
        """Whether it is the one that there is."""
        return self.id == DOMAIN if self.id is not None else (self.name or "").lower() == DOMAIN


class UserWish(Struct, frozen=True):
    """A user, by id or by name and domain, and what proves it."""

    id: str | None = None
    name: str | None = None
    domain: DomainWish | None = None
    password: str | None = None


class PasswordWish(Struct, frozen=True):
    """A password."""

    user: UserWish


class TokenWish(Struct, frozen=True):
    """Another token."""

    id: str


class CredentialWish(Struct, frozen=True):
    """An application credential, by id or by name and user."""

    secret: str
    id: str | None = None
    name: str | None = None
    user: UserWish | None = None


class IdentityWish(Struct, frozen=True):
    """Proof: each method that is named has a member of its name."""

    methods: list[str]
    password: PasswordWish | None = None
    token: TokenWish | None = None
    application_credential: CredentialWish | None = None


class ProjectWish(Struct, frozen=True):
    """A project, by id or by name and domain."""

    id: str | None = None
    name: str | None = None
    domain: DomainWish | None = None


class SystemWish(Struct, frozen=True):
    """The system."""

    all: bool = False


class ScopeWish(Struct, frozen=True):
    """What the token shall be for: one of these."""

    project: ProjectWish | None = None
    domain: DomainWish | None = None
    system: SystemWish | None = None
    trust: dict[str, object] | None = field(name="OS-TRUST:trust", default=None)


class AuthWish(Struct, frozen=True):
    """The whole wish; `scope` may be the word `unscoped`."""

    identity: IdentityWish
    scope: ScopeWish | str | None = None


class TokenBody(Struct, frozen=True):
    """The body."""

    auth: AuthWish


TOKEN_BODY = Decoder(TokenBody)


def check(wish: AuthWish) -> None:
    """A 400 for what cannot be meant."""
    identity = wish.identity
    if not identity.methods:
        raise invalid("Invalid input for field 'identity/methods': [] is too short")
    for method in identity.methods:
        if getattr(identity, method, None) is None and method in ("password", "token", "application_credential"):
            raise invalid(f"{method!r} is a required property")
    if isinstance(wish.scope, ScopeWish):
        named = [one for one in (wish.scope.project, wish.scope.domain, wish.scope.system) if one is not None]
        if len(named) > 1:
            raise invalid("Invalid input for field 'scope': one of project, domain and system must be named")
    elif wish.scope not in (None, "unscoped"):
        raise invalid(f"Invalid input for field 'scope': {wish.scope!r} is neither a scope nor 'unscoped'")
