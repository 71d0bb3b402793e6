"""Quotas: how many resources of each kind a project may have, where an administrator has said so."""

from typing import Annotated

from msgspec import field

from netplane.model.record import Record, describe

UNLIMITED = -1
MOST = 2**31 - 1
"""The largest limit, as in OpenStack Networking."""


class Quota(Record, frozen=True, kw_only=True, gc=False, tag="quota"):
    """The limits of one project that differ from the controller's."""

    id: Annotated[str, describe("Follows from the project.")]
    project_id: Annotated[str, describe("Whose limits they are.")]
    limits: Annotated[dict[str, int], describe("How many at most, by kind; -1 for any number.")] = field(
        default_factory=dict
    )


def quota_id(project: str) -> str:
    """The id of a project's quota. Not the project's own: what refers to a project goes with the record of that id."""
    return f"quota:{project}"
