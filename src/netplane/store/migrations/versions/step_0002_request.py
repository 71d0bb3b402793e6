"""The change log keeps for which request a change was made."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column."""
    op.add_column("change", sa.Column("request", TEXT, nullable=False, server_default=""))
