"""Test jobs on their way, and a record for each that ended."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "job",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("experiment", sa.String(), nullable=False),
        sa.Column("vo", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("test_kind", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("template_version", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("engine_job_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("silent_since", sa.DateTime(), nullable=True),
        sa.Column("t_scheduled", sa.DateTime(), nullable=False),
        sa.Column("t_submitted", sa.DateTime(), nullable=True),
        sa.Column("t_started", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_index("job_site", "job", ["site", "template"], unique=False)
    op.create_index("job_tag", "job", ["tag"], unique=False)
    op.create_table(
        "record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("experiment", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("template_version", sa.String(), nullable=False),
        sa.Column("test_kind", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("vo", sa.String(), nullable=False),
        sa.Column("ce", sa.String(), nullable=False),
        sa.Column("engine_job_id", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("cpu_model", sa.String(), nullable=False),
        sa.Column("cores", sa.Integer(), nullable=False),
        sa.Column("t_scheduled", sa.DateTime(), nullable=True),
        sa.Column("t_submitted", sa.DateTime(), nullable=True),
        sa.Column("t_queued", sa.DateTime(), nullable=True),
        sa.Column("t_started", sa.DateTime(), nullable=True),
        sa.Column("t_stagein_end", sa.DateTime(), nullable=True),
        sa.Column("t_payload_start", sa.DateTime(), nullable=True),
        sa.Column("t_payload_end", sa.DateTime(), nullable=True),
        sa.Column("t_stageout_end", sa.DateTime(), nullable=True),
        sa.Column("t_final", sa.DateTime(), nullable=True),
        sa.Column("t_observed", sa.DateTime(), nullable=True),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("input_files", sa.Integer(), nullable=True),
        sa.Column("access_mode", sa.String(), nullable=False),
        sa.Column("bytes_read", sa.BigInteger(), nullable=True),
        sa.Column("bytes_written", sa.BigInteger(), nullable=True),
        sa.Column("events_requested", sa.BigInteger(), nullable=True),
        sa.Column("events_processed", sa.BigInteger(), nullable=True),
        sa.Column("payload_checksum", sa.String(), nullable=False),
        sa.Column("wall_s", sa.Float(), nullable=True),
        sa.Column("cpu_user_s", sa.Float(), nullable=True),
        sa.Column("cpu_sys_s", sa.Float(), nullable=True),
        sa.Column("max_rss_bytes", sa.BigInteger(), nullable=True),
        sa.Column("io_wait_s", sa.Float(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("phase", sa.String(), nullable=True),
        sa.Column("error_class", sa.String(), nullable=False),
        sa.Column("native_code", sa.String(), nullable=False),
        sa.Column("native_text", sa.Text(), nullable=False),
        sa.Column("blame", sa.String(), nullable=True),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("record_job", "record", ["job"], unique=True)
    op.create_index("record_observed", "record", ["t_observed"], unique=False)
    op.create_index("record_site", "record", ["site", "t_final"], unique=False)
