"""A page of a kind, over all projects, is read by an index in the order of ids."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make it; writers wait meanwhile, some seconds for each million records."""
    op.create_index("resource_by_kind", "resource", ["kind", "id"])
