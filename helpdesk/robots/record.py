"""One row per attempt of a test job, the same for every experiment and engine: the vocabulary of the robots.

Times are aware UTC datetimes, durations seconds, sizes octets.  What an engine or a payload does not tell is None, never 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

SCHEMA = 1
"""The version of this row; it grows by columns, and a column keeps its meaning."""


FOREIGN = "import-"
"""What the id of a record begins with that others measured."""


class TestKind(StrEnum):
    """What a job is for; records of stress tests never feed verdicts."""

    __test__ = False  # no test class, whatever its name says

    FUNCTIONAL = "functional"
    STRESS = "stress"


class JobState(StrEnum):
    """Where an attempt stands; the last five are final."""

    SUBMITTED = "submitted"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"  # the engine knows nothing of it any more
    TIMEOUT = "timeout"


FINAL = frozenset({JobState.SUCCESS, JobState.FAILED, JobState.CANCELLED, JobState.LOST, JobState.TIMEOUT})


class Phase(StrEnum):
    """Where in its life an attempt failed."""

    SUBMIT = "submit"
    QUEUE = "queue"
    PILOT = "pilot"
    ENVIRONMENT = "environment"
    AUTH = "auth"
    STAGE_IN = "stage-in"
    PAYLOAD = "payload"
    STAGE_OUT = "stage-out"
    REPORT = "report"


class Blame(StrEnum):
    """Whose fault a failure most likely is."""

    SITE = "site"
    CENTRAL = "central"
    EXPERIMENT = "experiment"
    USER = "user"
    ROBOT = "robot"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Record:
    """One attempt; the columns of the table, of CSV and of Parquet, in this order."""

    # identity
    job: str  # ours: unique, made before the submission
    experiment: str
    site: str
    template: str
    template_version: str
    test_kind: TestKind
    campaign_id: str  # routine, probe, retest, the name of a load test, or an importer's
    attempt: int
    engine: str
    queue: str
    vo: str = ""
    ce: str = ""
    engine_job_id: str = ""
    node: str = ""
    cpu_model: str = ""
    cores: int = 1
    # times
    t_scheduled: datetime | None = None  # intended: latency counts from here
    t_submitted: datetime | None = None
    t_queued: datetime | None = None
    t_started: datetime | None = None
    t_stagein_end: datetime | None = None
    t_payload_start: datetime | None = None
    t_payload_end: datetime | None = None
    t_stageout_end: datetime | None = None
    t_final: datetime | None = None
    t_observed: datetime | None = None  # when we learned of it
    # work
    dataset: str = ""
    input_files: int | None = None
    access_mode: str = ""
    bytes_read: int | None = None
    bytes_written: int | None = None
    events_requested: int | None = None
    events_processed: int | None = None
    payload_checksum: str = ""
    # resources
    wall_s: float | None = None
    cpu_user_s: float | None = None
    cpu_sys_s: float | None = None
    max_rss_bytes: int | None = None
    io_wait_s: float | None = None
    # outcome
    state: JobState = JobState.SUBMITTED
    phase: Phase | None = None  # of a failure
    error_class: str = ""
    native_code: str = (
        ""  # as the engine or the payload said it, with its table: `pilot:1099`, `slurm:NODE_FAIL`
    )
    native_text: str = ""
    blame: Blame | None = None
    weight: float = 1.0  # of imported records; our own count 1
    schema_version: int = SCHEMA
    raw: Mapping[str, Any] = field(default_factory=dict)


def is_foreign(record: Record) -> bool:
    """Whether others measured it."""
    return record.job.startswith(FOREIGN)
