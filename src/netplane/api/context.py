"""Who is calling."""

from collections.abc import Iterable
from functools import cached_property

from msgspec import Struct

from netplane.api.personas import Standing, standing

IMPLIED = {"admin": "manager", "manager": "member", "member": "reader"}
"""What a role brings along, as Keystone's default roles do."""


def roles(named: Iterable[str]) -> frozenset[str]:
    """Roles, and all that they imply."""
    found: set[str] = set()
    for name in named:
        one: str | None = name
        while one is not None and one not in found:
            found.add(one)
            one = IMPLIED.get(one)
    return frozenset(found)


class Context(Struct, frozen=True, dict=True):
    """A caller: where calls are made, with which roles, and by whom."""

    project: str
    """The project's id; empty with a token that is for no project."""
    roles: frozenset[str]
    """Names of roles, implied ones included."""
    actor: str
    """Who stands in the change log: a user's name, or `host:NAME`."""
    is_system: bool = False
    """Whether the token is for the whole system, not for a project."""
    user: str = ""
    """The id of the user of this server that the caller is; empty with tokens from elsewhere, where ids are others'."""
    request: str = ""
    """The id of the request, for the audit log."""

    @cached_property
    def is_admin(self) -> bool:
        """Whether everything may be seen and done."""
        return "admin" in self.roles

    @cached_property
    def standing(self) -> Standing:
        """What the caller is to resources."""
        return standing(self.roles, in_project=bool(self.project), is_system=self.is_system)

    def may_see(self, project: str) -> bool:
        """Whether what belongs to `project` exists for this caller."""
        if "reader" not in self.roles:
            return False
        return self.is_admin or self.is_system or (project == self.project and bool(project))


NOBODY = Context("", frozenset(), "")
"""Who calls without a token, where none is needed."""
