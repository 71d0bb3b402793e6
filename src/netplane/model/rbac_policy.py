"""RBAC policies: which projects may use what belongs to another."""

from collections.abc import Iterable
from typing import Annotated, ClassVar

from netplane.model.record import Claim, OnDelete, Reference, describe
from netplane.model.resource import Resource

EVERY_PROJECT = "*"
"""As a target: all projects there are and will be."""


class RbacPolicy(Resource, frozen=True, kw_only=True, gc=False, tag="rbac_policy"):
    """A network may be used by another project, or by all. It goes with the network."""

    collection: ClassVar[str] = "rbac-policies"

    object_type: Annotated[str, describe("What is shared: `network`.", create=True)]
    object_id: Annotated[str, describe("The id of the network.", create=True)]
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
        """Its network, which takes it along when deleted."""
        return (Reference("object_id", self.object_id, OnDelete.CASCADE),)

    def claims(self) -> Iterable[Claim]:
        """The network among those that the project may use."""
        return (Claim(shared_with(self.target_project), self.object_id),)


def shared_with(project: str) -> str:
    """The space in which the networks are claimed that a project, or each, may use."""
    return f"shared:{project}"
