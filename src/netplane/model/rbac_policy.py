"""RBAC policies: which projects may use what belongs to another."""

from collections.abc import Iterable
from typing import Annotated, ClassVar

from netplane.model.record import Claim, OnDelete, Reference, describe
from netplane.model.resource import Resource

EVERY_PROJECT = "*"
"""As a target: all projects there are and will be."""


class RbacPolicy(Resource, frozen=True, kw_only=True, gc=False, tag="rbac_policy"):
    """Something of one project may be used by another, or by all. It goes with what it is about."""

    collection: ClassVar[str] = "rbac-policies"

    object_type: Annotated[
        str,
        describe(
            "What is shared: `network`, `security_group`, `address_group`, `subnetpool` or `address_scope`.",
            create=True,
        ),
    ]
    object_id: Annotated[str, describe("The id of what is shared.", create=True)]
    action: Annotated[str, describe("What others may do with it: `access_as_shared`.", create=True)]
    target_project: Annotated[
        str,
        describe(
            "The project that may, or `*` for all.",
            create=True,
            update=True,
            wire="target_tenant",
            min_length=1,
            max_length=255,
        ),
    ]

    def references(self) -> Iterable[Reference]:
        """What it is about, which takes it along when deleted."""
        return (Reference("object_id", self.object_type, self.object_id, OnDelete.CASCADE),)

    def claims(self) -> Iterable[Claim]:
        """What it is about, among all that the project may use."""
        return (Claim(shared_with(self.target_project), self.object_id),)


def shared_with(project: str) -> str:
    """The space in which what a project, or each, may use is claimed."""
    return f"shared:{project}"
