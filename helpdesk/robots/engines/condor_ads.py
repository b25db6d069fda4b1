"""What a job's ClassAd and its folder say together; pure (HTCondor manual: job ClassAd attributes, job status codes, hold reason codes).

The schedd says whether a job ended, the runner in its folder how.  An ad may lack anything, or hold what makes no sense.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from helpdesk.robots.engine import Handle, Status
from helpdesk.robots.record import JobState, Phase
from helpdesk.text import safe_text

TAG, JOB = "HelpdeskTag", "HelpdeskJob"
AGAIN = 42
"""The subcode of our own periodic_hold: the job had started, lost its machine, and would have run again."""

ATTRIBUTES = (
    TAG, JOB, "ClusterId", "ProcId", "JobStatus", "QDate", "JobStartDate", "JobCurrentStartExecutingDate", "CompletionDate",
    "EnteredCurrentStatus", "RemoteHost", "LastRemoteHost", "ExitBySignal", "ExitCode", "ExitSignal", "HoldReason", "HoldReasonCode",
    "HoldReasonSubCode", "RemoveReason",
)  # fmt: skip

IDLE, RUNNING, REMOVED, COMPLETED, HELD, TRANSFERRING, SUSPENDED = range(1, 8)
_GOING = {
    IDLE: JobState.SUBMITTED,
    RUNNING: JobState.RUNNING,
    TRANSFERRING: JobState.RUNNING,
    SUSPENDED: JobState.RUNNING,
}
_POLICY, _SPOOLING = 3, 16  # hold reason codes
_TIMED_OUT = {46, 47}  # allowed_job_duration, allowed_execute_duration
_QUEUE_ENDS = {1, 3, 5, 15, 21, 26, 27}  # held by a person or a policy, and not for what it did


def engine_job_id(ad: Mapping[str, Any]) -> str:
    """`tag:cluster.proc`."""
    return f"{ad.get(TAG)}:{ad.get('ClusterId')}.{ad.get('ProcId')}"


def status_of(handle: Handle, ad: Mapping[str, Any], left: Status | None, *, queued: bool) -> Status:
    """Where a job stands; `left` is what its runner wrote when it ended, `queued` whether the ad comes from the queue."""
    code = ad.get("JobStatus")
    known = Status(
        handle,
        None,
        _node(ad),
        _moment(ad.get("QDate")),
        _moment(ad.get("JobCurrentStartExecutingDate")) or _moment(ad.get("JobStartDate")),
    )
    going = _going(ad, known, queued=queued and left is None)
    if going is not None:
        return replace(known, state=going, started=known.started if going is JobState.RUNNING else None)
    if left is not None and code in {REMOVED, COMPLETED, HELD}:
        return replace(
            left,
            handle=handle,
            submitted=known.submitted or left.submitted,
            native_text=left.native_text or _said(ad, code),
        )
    ended = _moment(ad.get("CompletionDate")) or _moment(ad.get("EnteredCurrentStatus"))
    final = (
        _FINAL.get(code) if isinstance(code, int) else None
    )  # None: a status that the manual does not have
    return known if final is None else final(replace(known, ended=ended), ad)


def _going(ad: Mapping[str, Any], known: Status, *, queued: bool) -> JobState | None:
    """How a job goes on, if it does."""
    code = ad.get("JobStatus")
    if code == HELD and ad.get("HoldReasonCode") == _SPOOLING:
        return JobState.SUBMITTED
    if code == REMOVED and queued:  # its machine has still to let it go
        return JobState.SUBMITTED if known.started is None else JobState.RUNNING
    return _GOING.get(code) if isinstance(code, int) else None


def _removed(known: Status, ad: Mapping[str, Any]) -> Status:
    return replace(
        known,
        state=JobState.CANCELLED,
        native_code="htcondor:REMOVED",
        native_text=_said(ad, REMOVED),
    )


def _held(known: Status, ad: Mapping[str, Any]) -> Status:
    """A held job waits for a person, and nobody will come."""
    reason, subcode = ad.get("HoldReasonCode"), ad.get("HoldReasonSubCode")
    again = reason == _POLICY and subcode == AGAIN
    state = JobState.TIMEOUT if reason in _TIMED_OUT else JobState.FAILED
    return replace(
        known,
        state=state,
        native_code="htcondor:EVICTED"
        if again
        else f"htcondor:{reason if isinstance(reason, int) else 'HELD'}",
        native_text=_said(ad, HELD),
        phase=Phase.QUEUE if reason in _QUEUE_ENDS and not again and known.started is None else None,
    )


def _without_a_word(known: Status, ad: Mapping[str, Any]) -> Status:
    """It completed, and its runner left nothing: it was ended from outside, or could not write."""
    sign, code = ad.get("ExitSignal"), ad.get("ExitCode")
    if ad.get("ExitBySignal") is True:
        native = f"signal:{sign}" if isinstance(sign, int) else "htcondor:EXIT"
    else:
        native = "local:no_result" if code == 0 else "htcondor:EXIT"
    return replace(known, state=JobState.FAILED, native_code=native, native_text=_said(ad, COMPLETED))


_FINAL = {REMOVED: _removed, COMPLETED: _without_a_word, HELD: _held}


def _said(ad: Mapping[str, Any], code: int) -> str:
    """The reason in HTCondor's words."""
    if code == COMPLETED:
        by = "signal" if ad.get("ExitBySignal") is True else "code"
        return safe_text(
            f"ended with {by} {ad.get('ExitSignal' if by == 'signal' else 'ExitCode')}", limit=60
        )
    words = ad.get("HoldReason" if code == HELD else "RemoveReason")
    if not isinstance(words, str):
        return ""
    subcode = ad.get("HoldReasonSubCode")
    return safe_text(f"{words} (subcode {subcode})" if code == HELD and subcode else words, limit=300)


def _node(ad: Mapping[str, Any]) -> str:
    """`slot1_2@node.example.org` is a slot of a node."""
    host = ad.get("RemoteHost") or ad.get("LastRemoteHost")
    return safe_text(host.rpartition("@")[2], limit=100) if isinstance(host, str) else ""


def _moment(seconds: object) -> datetime | None:
    """An HTCondor time; 0 is none."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 2**37:
        return None
    return datetime.fromtimestamp(seconds, UTC)
