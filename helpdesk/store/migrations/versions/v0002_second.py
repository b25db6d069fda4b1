"""Notes that only a human can settle; our own mails and board correspondence, found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, which the next decision and the next mail fill, and the indexes."""
    op.add_column("thread", sa.Column("notes", sa.String(), nullable=False, server_default=""))
    op.add_column("message", sa.Column("token", sa.String(), nullable=False, server_default=""))
    op.create_index(
        "message_token",
        "message",
        ["token"],
        unique=False,
        sqlite_where=sa.text("token <> ''"),
        postgresql_where=sa.text("token <> ''"),
    )
    op.create_index(
        "message_correspondence",
        "message",
        ["id"],
        unique=False,
        sqlite_where=sa.text("correspondence = 1"),
        postgresql_where=sa.text("correspondence"),
    )
