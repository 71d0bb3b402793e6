"""References lie in the order in which they are looked up, by their target, and in no other: a row is written once."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
KEY = ("target", "kind", "field", "source")


def upgrade() -> None:
    """Give the table its other key; on SQLite, where the key is the table, make it anew."""
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("reference_key", "reference", KEY, unique=True)
        op.drop_constraint("reference_pkey", "reference")
        op.execute("ALTER TABLE reference ADD CONSTRAINT reference_pkey PRIMARY KEY USING INDEX reference_key")
        op.drop_index("reference_by_target", "reference")
        return
    op.rename_table("reference", "reference_before")
    op.drop_index("reference_by_target", "reference_before")
    op.create_table(
        "reference",
        *(sa.Column(name, TEXT, primary_key=True) for name in KEY),
        sa.Column("cascade", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    columns = '"target", "kind", "field", "source", "cascade"'
    op.execute(f"INSERT INTO reference ({columns}) SELECT {columns} FROM reference_before ORDER BY {', '.join(KEY)}")
    op.drop_table("reference_before")
