"""Each recipient of a mail of ours has a fate of its own; when its copy came home."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of mails that were sent before nothing is known, which is what empty ones say."""
    for name in ("served", "refused", "trying"):
        op.add_column("outbox", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.add_column("outbox", sa.Column("repeats", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("outbox", sa.Column("proven_at", sa.DateTime(), nullable=True))
