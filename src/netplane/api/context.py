"""Who is calling."""

from typing import NamedTuple


class Context(NamedTuple):
    """A caller: the project that calls are made in, what the caller may do, and the name in the change log."""

    project: str
    is_admin: bool
    actor: str

    def may_see(self, project: str) -> bool:
        """Whether what belongs to `project` exists for this caller."""
        return self.is_admin or project == self.project
