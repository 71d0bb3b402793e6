"""Bodies about projects, users and application credentials.

Members that are not known are ignored, as Keystone does.
"""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.json import Decoder

from netplane.api.identity.errors import invalid
from netplane.api.identity.login.passwords import LONGEST
from netplane.model.identity import DOMAIN

ProjectName = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\S")]
UserName = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\S")]
Text = Annotated[str, Meta(max_length=255)]
Tag = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^,/]*$")]
Tags = Annotated[list[Tag], Meta(max_length=80)]
Password = Annotated[str, Meta(min_length=1, max_length=LONGEST)]


class NewProject(Struct, frozen=True):
    """A project to be made."""

    name: ProjectName
    description: Text | None = None
    enabled: bool = True
    tags: Tags = []
    domain_id: str | None = None
    parent_id: str | None = None
    is_domain: bool = False


class OtherProject(Struct, frozen=True):
    """What shall be different of a project."""

    name: ProjectName | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    domain_id: str | None = None
    parent_id: str | None = None
    is_domain: bool = False


class NewUser(Struct, frozen=True):
    """A user to be made."""

    name: UserName
    password: Password | None = None
    description: Text | None = None
    email: Text | None = None
    enabled: bool = True
    default_project_id: Text | None = None
    domain_id: str | None = None


class OtherUser(Struct, frozen=True):
    """What shall be different of a user."""

    name: UserName | UnsetType = UNSET
    password: Password | UnsetType | None = UNSET
    description: Text | UnsetType | None = UNSET
    email: Text | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    default_project_id: Text | UnsetType | None = UNSET
    domain_id: str | None = None


class PasswordChange(Struct, frozen=True):
    """The password that was, and the one that shall be."""

    original_password: str
    password: Password


class RoleWish(Struct, frozen=True):
    """A role, by id or name."""

    id: str | None = None
    name: str | None = None


class NewCredential(Struct, frozen=True):
    """An application credential to be made; what is not said is the token's, or made up."""

    name: UserName
    description: Text | None = None
    secret: Password | None = None
    roles: list[RoleWish] | None = None
    expires_at: str | None = None
    unrestricted: bool = False
    access_rules: list[dict[str, Any]] | None = None


class NewProjectBody(Struct, frozen=True):
    """The body of a POST."""

    project: NewProject


class OtherProjectBody(Struct, frozen=True):
    """The body of a PATCH."""

    project: OtherProject


class NewUserBody(Struct, frozen=True):
    """The body of a POST."""

    user: NewUser


class OtherUserBody(Struct, frozen=True):
    """The body of a PATCH."""

    user: OtherUser


class PasswordBody(Struct, frozen=True):
    """The body of a POST of a password."""

    user: PasswordChange


class NewCredentialBody(Struct, frozen=True):
    """The body of a POST."""

    application_credential: NewCredential


NEW_PROJECT, OTHER_PROJECT = Decoder(NewProjectBody), Decoder(OtherProjectBody)
NEW_USER, OTHER_USER, PASSWORD = Decoder(NewUserBody), Decoder(OtherUserBody), Decoder(PasswordBody)
NEW_CREDENTIAL = Decoder(NewCredentialBody)


def check_place(wish: NewProject | OtherProject | NewUser | OtherUser) -> None:
    """A 400 for another domain, and for projects in projects."""
    if wish.domain_id not in (None, DOMAIN):
        raise invalid(f"Invalid input for field 'domain_id': there is no domain but {DOMAIN!r}")
    if isinstance(wish, NewProject | OtherProject):
        if wish.parent_id not in (None, DOMAIN):
            raise invalid("Invalid input for field 'parent_id': there are no projects in projects")
        if wish.is_domain:
            raise invalid(f"Invalid input for field 'is_domain': there is no domain but {DOMAIN!r}")


def said(wish: Struct, *names: str) -> dict[str, Any]:
    """What a wish says of some fields; texts that shall be nothing are empty."""
    found = {name: getattr(wish, name) for name in names}
    return {name: "" if value is None else value for name, value in found.items() if value is not UNSET}
