"""What only a human can settle, for the commands that show it; board correspondence is found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, which the next decision about a thread fills, and the index."""
    op.add_column("thread", sa.Column("notes", sa.String(), nullable=False, server_default=""))
    op.create_index(
        "message_correspondence",
        "message",
        ["id"],
        unique=False,
        sqlite_where=sa.text("correspondence = 1"),
        postgresql_where=sa.text("correspondence"),
    )
