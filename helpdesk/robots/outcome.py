"""From what an engine and a payload say of a job to its record; pure, and never surprised: both may be wrong, or lie."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from helpdesk.robots.codes import Lookup
from helpdesk.robots.engine import Fetched, Status
from helpdesk.robots.record import JobState, Phase, Record, TestKind
from helpdesk.text import safe_text

MAX_RAW = 20_000  # characters of the payload's result that are kept
LOG_KEPT = 4000
SKEW = timedelta(minutes=10)
"""As far may the clocks of nodes be off; verdicts do not hear what ended long ago, and a clock that is further off would hide a site's failures."""


@dataclass(frozen=True, slots=True)
class OnItsWay:
    """What we know of a job ourselves: a row of the table `job`."""

    job: str
    tag: str
    stage: str
    experiment: str
    campaign_id: str
    test_kind: str
    template: str
    template_version: str
    site: str
    engine: str
    queue: str
    attempt: int
    engine_job_id: str
    state: str
    t_scheduled: datetime
    t_submitted: datetime | None
    t_started: datetime | None
    silent_since: datetime | None
    vo: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """What its template says that it reads."""

    dataset: str = ""
    access_mode: str = ""
    events: int | None = None


def record_of(
    job: OnItsWay, status: Status, fetched: Fetched | None, work: Work, lookup: Lookup, now: datetime
) -> Record:
    """The record of a job that has ended."""
    result, broken = _result(fetched)
    state, native = _verdict(status, result, broken)
    meaning = lookup.meaning(native)
    good = state is JobState.SUCCESS
    own = _text(result.get("words"), 500)
    said = own if own and native.startswith("payload:") else status.native_text or own
    return Record(
        **_identity(job),
        node=status.node or _text(result.get("node"), 100),
        cpu_model=_text(result.get("cpu_model"), 100),
        **_times(job, status, result, now),
        dataset=work.dataset,
        access_mode=work.access_mode,
        events_requested=work.events,
        bytes_read=_count(result.get("bytes_read")),
        bytes_written=_count(result.get("bytes_written")),
        events_processed=_count(result.get("events_processed")),
        payload_checksum=_text(result.get("checksum"), 64),
        wall_s=_seconds(result.get("wall_s")),
        cpu_user_s=_seconds(result.get("cpu_user_s")),
        cpu_sys_s=_seconds(result.get("cpu_sys_s")),
        max_rss_bytes=_count(result.get("max_rss_bytes")),
        io_wait_s=_seconds(result.get("io_wait_s")),
        state=state,
        phase=None if good else status.phase or _phase(result.get("phase")) or meaning.phase,
        error_class="" if good else meaning.error_class,
        native_code="" if good else native,
        native_text="" if good else safe_text(said or meaning.words, limit=500),
        blame=None if good else meaning.blame,
        raw=_raw(result, fetched, good=good),
    )


def lost(job: OnItsWay, native: str, words: str, lookup: Lookup, now: datetime) -> Record:
    """The record of a job that nobody will ever tell us more about."""
    meaning = lookup.meaning(native)
    return Record(
        **_identity(job),
        t_scheduled=job.t_scheduled,
        t_submitted=job.t_submitted,
        t_started=job.t_started,
        t_final=now,
        t_observed=now,
        state=JobState.LOST,
        phase=meaning.phase,
        error_class=meaning.error_class,
        native_code=native,
        native_text=safe_text(words, limit=500),
        blame=meaning.blame,
    )


def _identity(job: OnItsWay) -> dict[str, Any]:
    return {
        "job": job.job,
        "experiment": job.experiment,
        "vo": job.vo,
        "site": job.site,
        "template": job.template,
        "template_version": job.template_version,
        "test_kind": TestKind(job.test_kind),
        "campaign_id": job.campaign_id,
        "attempt": job.attempt,
        "engine": job.engine,
        "queue": job.queue,
        "engine_job_id": job.engine_job_id,
    }


def _result(fetched: Fetched | None) -> tuple[Mapping[str, Any], bool]:
    """The payload's result, and whether what it left is none."""
    if fetched is None or not fetched.result:
        return {}, False
    try:
        found = json.loads(
            fetched.result, parse_constant=lambda _name: None
        )  # NaN is no JSON to whom we tell it
    except (ValueError, RecursionError):
        return {}, True
    return (found, False) if isinstance(found, dict) else ({}, True)


def _verdict(status: Status, result: Mapping[str, Any], broken: bool) -> tuple[JobState, str]:
    """How it ended, and the code: the engine says whether, the payload how."""
    state = status.state or JobState.LOST
    code = result.get("exit")
    if state is JobState.SUCCESS:
        if not result:
            return JobState.FAILED, "local:bad_result" if broken else "local:no_result"
        return (
            (state, "")
            if code == 0
            else (JobState.FAILED, f"payload:{code}" if isinstance(code, int) else "local:bad_result")
        )
    payload_knows = isinstance(code, int) and code != 0 and state is JobState.FAILED
    generic = not status.native_code or status.native_code in {"slurm:FAILED", "arc:FAILED"}
    if payload_knows and (generic or status.native_code.startswith("payload:")):
        return state, f"payload:{code}"
    return state, status.native_code or f"local:{'unknown_job' if state is JobState.LOST else state.value}"


def _times(job: OnItsWay, status: Status, result: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    phases = result.get("phases")
    spans = (
        {name: span for name, span in phases.items() if isinstance(span, list) and len(span) == 2}
        if isinstance(phases, dict)
        else {}
    )

    def edge(name: str, which: int) -> datetime | None:
        return _moment(spans[name][which]) if name in spans else None

    return {
        "t_scheduled": job.t_scheduled,
        "t_submitted": status.submitted or job.t_submitted,
        "t_queued": status.submitted,
        "t_started": _possible(status.started or _moment(result.get("t_started")), job, now) or job.t_started,
        "t_stagein_end": edge("stage-in", 1),
        "t_payload_start": edge("payload", 0),
        "t_payload_end": edge("payload", 1),
        "t_stageout_end": edge("stage-out", 1),
        "t_final": _possible(status.ended, job, now) or now,
        "t_observed": now,
    }


def _possible(moment: datetime | None, job: OnItsWay, now: datetime) -> datetime | None:
    """A moment of a job's life by the clock of its node; None where that clock is wrong: before the job left, or after now."""
    if moment is None or (job.t_submitted is not None and moment < job.t_submitted - SKEW):
        return None
    return min(moment, now) if moment <= now + SKEW else None


def _raw(result: Mapping[str, Any], fetched: Fetched | None, *, good: bool) -> dict[str, Any]:
    """The payload's own words where they are not too many, and the end of the log of what failed: evidence."""
    kept: dict[str, Any] = {}
    if result and len(json.dumps(result, default=str)) <= MAX_RAW:
        kept["result"] = dict(result)
    if fetched is not None and not good:
        kept["log"] = fetched.log_tail[-LOG_KEPT:]
        kept["exit_code"], kept["killed_for"] = fetched.exit_code, fetched.killed_for
    return kept


def _text(value: object, limit: int) -> str:
    return safe_text(value, limit=limit) if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 1e9 else None  # before it is a float: an int may be too large for one


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**37:
        return None
    return datetime.fromtimestamp(value, UTC)


def _phase(value: object) -> Phase | None:
    return Phase(value) if isinstance(value, str) and value in set(Phase) else None
