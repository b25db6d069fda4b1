"""The robots' tables: jobs on their way, and one record for each that ended (docs/robots.md)."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Integer, Text, text
from sqlmodel import Field, SQLModel

from helpdesk.store.times import UtcTime


def _octets() -> Column[int]:
    return Column(BigInteger)


class JobRow(SQLModel, table=True):
    """A job that has no record yet: it was intended, and may be at its engine."""

    __tablename__ = "job"
    __table_args__ = (Index("job_tag", "tag"), Index("job_site", "site", "template"))
    job: str = Field(primary_key=True)
    tag: str = ""  # of its batch, "" until it is about to be submitted
    stage: str  # planned, submitting, submitted
    experiment: str
    vo: str = ""
    campaign_id: str
    test_kind: str
    template: str
    template_version: str
    site: str
    engine: str
    queue: str
    attempt: int = 1
    engine_job_id: str = ""
    state: str = "submitted"  # what the engine said last: submitted or running
    silent_since: datetime | None = Field(default=None, sa_type=UtcTime)  # the engine knows nothing of it
    t_scheduled: datetime = Field(sa_type=UtcTime)
    t_submitted: datetime | None = Field(default=None, sa_type=UtcTime)
    t_started: datetime | None = Field(default=None, sa_type=UtcTime)


class RecordRow(SQLModel, table=True):
    """One attempt that ended: `helpdesk.robots.record.Record`, column by column."""

    __tablename__ = "record"
    __table_args__ = (
        Index("record_job", "job", unique=True),
        Index("record_observed", "t_observed"),
        Index("record_site", "site", "t_final"),
    )
    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    job: str
    experiment: str
    site: str
    template: str
    template_version: str
    test_kind: str
    campaign_id: str
    attempt: int
    engine: str
    queue: str
    vo: str = ""
    ce: str = ""
    engine_job_id: str = ""
    node: str = ""
    cpu_model: str = ""
    cores: int = 1
    t_scheduled: datetime | None = Field(default=None, sa_type=UtcTime)
    t_submitted: datetime | None = Field(default=None, sa_type=UtcTime)
    t_queued: datetime | None = Field(default=None, sa_type=UtcTime)
    t_started: datetime | None = Field(default=None, sa_type=UtcTime)
    t_stagein_end: datetime | None = Field(default=None, sa_type=UtcTime)
    t_payload_start: datetime | None = Field(default=None, sa_type=UtcTime)
    t_payload_end: datetime | None = Field(default=None, sa_type=UtcTime)
    t_stageout_end: datetime | None = Field(default=None, sa_type=UtcTime)
    t_final: datetime | None = Field(default=None, sa_type=UtcTime)
    t_observed: datetime | None = Field(default=None, sa_type=UtcTime)
    dataset: str = ""
    input_files: int | None = None
    access_mode: str = ""
    bytes_read: int | None = Field(default=None, sa_column=_octets())
    bytes_written: int | None = Field(default=None, sa_column=_octets())
    events_requested: int | None = Field(default=None, sa_column=_octets())
    events_processed: int | None = Field(default=None, sa_column=_octets())
    payload_checksum: str = ""
    wall_s: float | None = None
    cpu_user_s: float | None = None
    cpu_sys_s: float | None = None
    max_rss_bytes: int | None = Field(default=None, sa_column=_octets())
    io_wait_s: float | None = None
    state: str
    phase: str | None = None
    error_class: str = ""
    native_code: str = ""
    native_text: str = Field(default="", sa_column=Column(Text, nullable=False))
    blame: str | None = None
    weight: float = 1.0
    schema_version: int = Field(default=1)
    raw: str = Field(default="", sa_column=Column(Text, nullable=False))


class VerdictRow(SQLModel, table=True):
    """A site was put out of an experiment's work, or taken back."""

    __tablename__ = "verdict"
    __table_args__ = (
        Index("verdict_site", "experiment", "site"),
        Index("verdict_at", "at"),
        Index("verdict_of_site", "site", "at"),
    )
    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    at: datetime = Field(sa_type=UtcTime)
    experiment: str
    site: str
    action: str
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    policy: str = ""
    by: str = "robot"
    evidence: str = Field(default="", sa_column=Column(Text, nullable=False))


class IncidentRow(SQLModel, table=True):
    """A failure of many sites, from when it was found until it was over."""

    __tablename__ = "incident"
    __table_args__ = (Index("incident_ended", "ended"),)
    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    opened: datetime = Field(sa_type=UtcTime)
    ended: datetime | None = Field(default=None, sa_type=UtcTime)
    parts: str = Field(default="", sa_column=Column(Text, nullable=False))


class SiteOrderRow(SQLModel, table=True):
    """A person decided about a site: `helpdesk.store.site_orders`."""

    __tablename__ = "site_order"
    __table_args__ = (Index("site_order_site", "site", "kind"),)
    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    site: str
    kind: str
    at: datetime = Field(sa_type=UtcTime)
    until: datetime | None = Field(default=None, sa_type=UtcTime)
    by: str
    team: bool = False
    why: str = Field(default="", sa_column=Column(Text, nullable=False))
    lifted: datetime | None = Field(default=None, sa_type=UtcTime)
    lifted_by: str = ""


class LoadTestRow(SQLModel, table=True):
    """A load test: `helpdesk.store.load_tests`.  A site has one at a time."""

    __tablename__ = "load_test"
    __table_args__ = (
        Index(
            "load_test_open",
            "site",
            unique=True,
            sqlite_where=text("ended IS NULL"),
            postgresql_where=text("ended IS NULL"),
        ),
        Index("load_test_asked", "asked"),
    )
    id: str = Field(primary_key=True)
    site: str
    experiment: str
    engine: str
    queue: str
    template: str
    version: str
    shape: str
    most: int
    hours: float
    by: str
    asked: datetime = Field(sa_type=UtcTime)
    state: str
    began: datetime | None = Field(default=None, sa_type=UtcTime)
    steps: str = Field(
        default="[]", sa_column=Column(Text, nullable=False)
    )  # [[jobs at once, since, sent before]]
    filled_until: datetime | None = Field(default=None, sa_type=UtcTime)
    stopped: datetime | None = Field(default=None, sa_type=UtcTime)
    stop_by: str = ""
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    ended: datetime | None = Field(default=None, sa_type=UtcTime)
    looked: datetime | None = Field(default=None, sa_type=UtcTime)
    skipped: int = 0
    gaps: str = Field(default="[]", sa_column=Column(Text, nullable=False))  # [[from, until]]
