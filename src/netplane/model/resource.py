"""What the resources of tenants share: an owner, a name, tags and their times, as OpenStack Networking defines them."""

from typing import Annotated, ClassVar, cast

from msgspec import Meta

from netplane.model.record import Record, describe

MOST_TAGS = 50
"""Tags of one resource."""

Tag = Annotated[str, Meta(min_length=1, max_length=255)]


class Resource(Record, frozen=True, kw_only=True, gc=False):
    """A record that belongs to a project and that clients name."""

    found_by: ClassVar[tuple[str, ...]] = ("name",)
    is_owned: ClassVar[bool] = True
    """Whether each belongs to a project."""

    id: Annotated[str, describe("The UUID of the resource.")]
    project_id: Annotated[str, describe("The project that owns the resource.", create=True, max_length=255)] = ""
    name: Annotated[
        str, describe("A name for people; need not be unique.", create=True, update=True, max_length=255)
    ] = ""
    description: Annotated[str, describe("Free text.", create=True, update=True, max_length=255)] = ""
    tags: Annotated[
        tuple[Tag, ...],
        describe("Words to find it by, sorted; changed by calls of their own.", create=True, max_length=MOST_TAGS),
    ] = ()
    created_at: Annotated[str, describe("When the resource was made (UTC, ISO 8601).")] = ""
    updated_at: Annotated[str, describe("When the resource was last changed (UTC, ISO 8601).")] = ""
    revision_number: Annotated[int, describe("How often the resource has been written, from 0.")] = 0


def project_of(record: Record) -> str:
    """The project that owns a record; empty for what belongs to the operator."""
    return cast(str, getattr(record, "project_id", ""))
