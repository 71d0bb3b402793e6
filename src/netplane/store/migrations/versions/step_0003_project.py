"""The change log keeps whose each change was, for the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column, and a way to find by it."""
    op.add_column("change", sa.Column("project", TEXT, nullable=False, server_default=""))
    op.create_index("change_by_project", "change", ["project", "revision"])
