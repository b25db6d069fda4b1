"""A job's folder, as the runner leaves it: where it stands, read from files alone.

ROOT/TAG/JOB/spec.json     what runs; there before anything runs, whole batches at once
             runner.pid    a runner has it
             log           what it printed
             result.json   what the payload says of itself
             exit.json     how it ended
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpdesk.robots.engine import Batch, Fetched, Handle, JobSpec, Limits, Status
from helpdesk.robots.payload.outcome import Limit
from helpdesk.robots.payload.runner import CANCELLED, EXIT, LOG, PID, start_of
from helpdesk.robots.record import JobState

SPEC, RESULT = "spec.json", "result.json"
LOG_TAIL = 4000  # octets
MAX_RESULT = 1_000_000  # octets: a result that is larger is none


@dataclass(frozen=True, slots=True)
class JobFolder:
    """One job of a batch."""

    tag: str
    path: Path

    @property
    def handle(self) -> Handle:
        """The engine's id is the folder's name below the root."""
        return Handle(self.path.name, f"{self.tag}/{self.path.name}")

    def spec(self) -> tuple[str, JobSpec]:
        """The queue, and what runs."""
        written = json.loads((self.path / SPEC).read_text(encoding="utf-8"))
        queue, limits = written.pop("queue"), Limits(**written.pop("limits"))
        environment = tuple((name, value) for name, value in written["environment"])
        return queue, JobSpec(written["job"], tuple(written["argv"]), limits, environment)

    def claimed(self) -> bool:
        """Whether a runner has it, or had it."""
        return (self.path / PID).exists()

    def alive(self) -> bool:
        """Whether its runner lives: its pid, and the moment it started, are what they were."""
        try:
            pid, _, start = (self.path / PID).read_text(encoding="ascii").partition(" ")
            return bool(start) and start_of(int(pid)) == start
        except (OSError, ValueError):
            return False

    def ending(self) -> dict[str, Any] | None:
        """How it ended, once it did."""
        try:
            ending = json.loads((self.path / EXIT).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None
        return ending if isinstance(ending, dict) else None

    def status(self) -> Status:
        """Where it stands; a runner that died without a word leaves a lost job."""
        submitted = _mtime(self.path / SPEC)
        ending = self.ending()
        if ending is not None:
            return _ended(self.handle, ending, submitted)
        if not self.claimed():
            return Status(self.handle, JobState.SUBMITTED, submitted=submitted)
        started = _mtime(self.path / PID)
        if self.alive():
            return Status(
                self.handle, JobState.RUNNING, node=os.uname().nodename, submitted=submitted, started=started
            )
        ending = self.ending()  # it may have ended between the two looks
        if ending is not None:
            return _ended(self.handle, ending, submitted)
        return Status(
            self.handle,
            JobState.LOST,
            node=os.uname().nodename,
            submitted=submitted,
            started=started,
            native_code="local:runner_died",
            native_text="the runner ended without saying how (killed, or the machine was restarted)",
        )

    def fetched(self) -> Fetched:
        """Its result and the end of its log."""
        ending = self.ending() or {}
        return Fetched(
            self.handle,
            _limited(self.path / RESULT, MAX_RESULT),
            _tail(self.path / LOG),
            ending.get("exit_code"),
            str(ending.get("killed_for") or ""),
        )


def write_batch(root: Path, batch: Batch) -> list[JobFolder]:
    """Make the folders of a batch, all or none; a tag that is there already is left as it is."""
    home = root / batch.tag
    if not home.exists():
        aside = root / f".{batch.tag}.new"
        shutil.rmtree(aside, ignore_errors=True)
        for job in batch.jobs:
            folder = aside / job.job
            folder.mkdir(parents=True)
            (folder / SPEC).write_text(json.dumps({"queue": batch.queue, **asdict(job)}), encoding="utf-8")
        aside.mkdir(parents=True, exist_ok=True)
        aside.replace(home)
    return list(jobs_of(root, batch.tag))


def jobs_of(root: Path, tag: str) -> Iterator[JobFolder]:
    """The jobs of a batch, in the order of their names."""
    home = root / tag
    for path in sorted(home.iterdir()) if home.is_dir() else ():
        if (path / SPEC).exists():
            yield JobFolder(tag, path)


def find(root: Path, handle: Handle) -> JobFolder | None:
    """The folder of a job, if there is one."""
    tag, _, job = handle.engine_job_id.partition("/")
    path = root / tag / job
    return JobFolder(tag, path) if tag and job and (path / SPEC).exists() else None


def forget(root: Path, tag: str) -> None:
    """Remove a batch; a job of it that runs goes on in a folder that nobody sees."""
    home = root / tag
    if tag and home.parent == root and home.is_dir():
        shutil.rmtree(home, ignore_errors=True)


def waiting(root: Path) -> Iterator[JobFolder]:
    """The jobs of all batches that no runner has taken, the oldest batch first."""
    homes = (
        [home for home in root.iterdir() if home.is_dir() and not home.name.startswith(".")]
        if root.is_dir()
        else []
    )
    for home in sorted(homes, key=lambda one: (one.stat().st_mtime, one.name)):
        yield from (job for job in jobs_of(root, home.name) if not job.claimed())


def _ended(handle: Handle, ending: dict[str, Any], submitted: datetime | None) -> Status:
    code, sign, limit = ending.get("exit_code"), ending.get("signal"), str(ending.get("killed_for") or "")
    good = JobState.SUCCESS if code == 0 and not limit else JobState.FAILED
    state = {"wall": JobState.TIMEOUT, CANCELLED: JobState.CANCELLED}.get(limit, good)
    if limit.upper() in Limit.__members__:
        native = f"payload:{int(Limit[limit.upper()])}"
    else:
        native = f"signal:{sign}" if sign else f"payload:{code}"
    return Status(
        handle,
        state,
        node=str(ending.get("node") or ""),
        submitted=submitted,
        started=_moment(ending.get("began")),
        ended=_moment(ending.get("ended")),
        native_code="" if state is JobState.SUCCESS else native,
        native_text=f"ended at its limit: {limit}" if limit else "",
    )


def _moment(seconds: object) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else None


def _mtime(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return None


def _limited(path: Path, limit: int) -> bytes:
    try:
        return path.read_bytes() if path.stat().st_size <= limit else b""
    except OSError:
        return b""


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LOG_TAIL))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
