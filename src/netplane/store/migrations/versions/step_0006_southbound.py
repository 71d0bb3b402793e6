"""Controllers tell each other where agents find them, so that agents can be told."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Add a column."""
    op.add_column("controller", sa.Column("southbound", TEXT, nullable=False, server_default=""))
