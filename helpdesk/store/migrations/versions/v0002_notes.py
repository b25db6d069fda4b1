"""What only a human can settle, for the commands that show it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the next decision about a thread fills it."""
    op.add_column("thread", sa.Column("notes", sa.String(), nullable=False, server_default=""))
