"""Who may call: projects, users, what they may do where, and what programs log in with.

None of it concerns a host: these records stay in the store and with controllers. What is secret is kept as a hash, in
hidden fields.
"""

from collections.abc import Iterable
from typing import Annotated
from uuid import NAMESPACE_URL, uuid5

from netplane.model.record import Claim, OnDelete, Record, Reference, describe

DOMAIN = "default"
"""The id of the one domain that there is."""
SYSTEM = "system"
"""As a target of an assignment: the whole system."""

ROLES = ("admin", "manager", "member", "reader", "service")
"""What anybody may be; there are no others."""


def role_id(name: str) -> str:
    """The id of a role, the same everywhere."""
    return uuid5(NAMESPACE_URL, f"netplane:role:{name}").hex


class Project(Record, frozen=True, kw_only=True, gc=False, tag="project"):
    """An owner of resources."""

    id: Annotated[str, describe("32 hexadecimal digits.")]
    name: Annotated[str, describe("Its name, unique.", create=True, update=True, min_length=1, max_length=64)]
    description: Annotated[str, describe("Free text.", create=True, update=True, max_length=255)] = ""
    enabled: Annotated[bool, describe("Whether tokens are for it.", create=True, update=True)] = True
    tags: Annotated[tuple[str, ...], describe("Words of its users' own.", create=True, update=True)] = ()

    def claims(self) -> Iterable[Claim]:
        """Its name."""
        return (Claim("project-name", self.name),)


class User(Record, frozen=True, kw_only=True, gc=False, tag="user"):
    """Somebody who may log in."""

    id: Annotated[str, describe("32 hexadecimal digits.")]
    name: Annotated[str, describe("The name, unique.", create=True, update=True, min_length=1, max_length=255)]
    description: Annotated[str, describe("Free text.", create=True, update=True, max_length=255)] = ""
    email: Annotated[str, describe("Where people write to.", create=True, update=True, max_length=255)] = ""
    enabled: Annotated[bool, describe("Whether the user may log in.", create=True, update=True)] = True
    default_project_id: Annotated[
        str, describe("Where a token is for that does not say; empty for nowhere.", create=True, update=True)
    ] = ""
    password: Annotated[
        str, describe("Its argon2id hash; empty if there is no password, and no login by one.", hidden=True)
    ] = ""
    epoch: Annotated[
        int, describe("How often all tokens were made void; each names the count of its time.", hidden=True)
    ] = 0

    def claims(self) -> Iterable[Claim]:
        """The name."""
        return (Claim("user-name", self.name),)


class Assignment(Record, frozen=True, kw_only=True, gc=False, tag="assignment"):
    """A user has a role in a project, in the domain, or in the system. It goes with either."""

    id: Annotated[str, describe("Follows from the other fields.")]
    user_id: Annotated[str, describe("Who has the role.")]
    target: Annotated[str, describe("Where: a project's id, `default` for the domain, or `system`.")]
    role: Annotated[str, describe("The role's name.")]

    def references(self) -> Iterable[Reference]:
        """The user, and the project if it is for one."""
        yield Reference("user_id", "user", self.user_id, OnDelete.CASCADE)
        if self.target not in (DOMAIN, SYSTEM):
            yield Reference("target", "project", self.target, OnDelete.CASCADE)


def assignment(user: str, target: str, role: str) -> Assignment:
    """The record of a role that a user has somewhere."""
    id = uuid5(NAMESPACE_URL, f"netplane:assignment:{user}:{target}:{role}").hex
    return Assignment(id=id, user_id=user, target=target, role=role)


class ApplicationCredential(Record, frozen=True, kw_only=True, gc=False, tag="application_credential"):
    """What a program logs in with in the name of a user, to one project. It goes with either."""

    id: Annotated[str, describe("32 hexadecimal digits.")]
    user_id: Annotated[str, describe("In whose name.")]
    project_id: Annotated[str, describe("Where its tokens are for.")]
    name: Annotated[str, describe("Its name, unique for the user.", create=True, min_length=1, max_length=255)]
    description: Annotated[str, describe("Free text.", create=True, max_length=255)] = ""
    roles: Annotated[tuple[str, ...], describe("The names of the roles that it passes on.", create=True)] = ()
    expires_at: Annotated[int, describe("When it ends, in microseconds since 1970; 0 for never.", create=True)] = 0
    unrestricted: Annotated[
        bool, describe("Whether its tokens may make further application credentials.", create=True)
    ] = False
    secret: Annotated[str, describe("Its secret's argon2id hash.", hidden=True)]

    def references(self) -> Iterable[Reference]:
        """The user and the project."""
        yield Reference("user_id", "user", self.user_id, OnDelete.CASCADE)
        yield Reference("project_id", "project", self.project_id, OnDelete.CASCADE)

    def claims(self) -> Iterable[Claim]:
        """Its name, among the user's."""
        return (Claim(f"application-credential:{self.user_id}", self.name),)
