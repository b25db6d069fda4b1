"""A batch and its jobs, as files tell of them.

ROOT/TAG/batch.jsonl       the queue, then what runs, a line a job; there before anything runs, whole
         JOB/runner.pid    a runner has it
             log           what it printed
             result.json   what the payload says of itself
             exit.json     how it ended
"""

import contextlib
import json
import os
import shutil
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from helpdesk.robots.engine import Batch, Fetched, Handle, JobSpec, Limits, Status
from helpdesk.robots.engines import reading
from helpdesk.robots.payload.outcome import Limit
from helpdesk.robots.payload.runner import BATCH, CANCELLED, EXIT, LOG, PID, start_of
from helpdesk.robots.record import JobState
from helpdesk.text import safe_text

RESULT = "result.json"
LOG_TAIL = 4000  # octets
MAX_ENDING = 10_000  # octets
MAX_PID = 100  # octets
MAX_RESULT = 1_000_000  # octets: a result that is larger is none


@dataclass(frozen=True, slots=True)
class Written:
    """A batch as it was written down: unchanging, so it is read once."""

    queue: str
    jobs: tuple[str, ...]
    submitted: datetime

    def folders(self, root: Path, tag: str) -> list["JobFolder"]:
        """Its jobs, in their order."""
        home = root / tag
        return [JobFolder(tag, home, job, number, self) for number, job in enumerate(self.jobs)]


@dataclass(frozen=True, slots=True)
class JobFolder:
    """One job of a batch; its folder is made when it runs."""

    tag: str
    home: Path  # the batch's
    job: str
    number: int
    batch: Written

    @property
    def path(self) -> Path:
        """Where it runs."""
        return self.home / self.job

    @property
    def handle(self) -> Handle:
        """The engine's id is the folder's name below the root."""
        return Handle(self.job, f"{self.tag}/{self.job}")

    def claimed(self) -> bool:
        """Whether a runner has it, or had it."""
        return (self.path / PID).exists()

    def alive(self) -> bool:
        """Whether its runner lives: its pid, and the moment it started, are what they were.

        A machine without /proc tells no such moment: there another process with the same pid is taken for the runner.
        """
        try:
            pid, _, start = reading.whole(self.path / PID, MAX_PID).decode("ascii").partition(" ")
            return start_of(int(pid)) == start if start else _is_there(int(pid))
        except (OSError, ValueError):
            return False

    def ending(self) -> dict[str, Any] | None:
        """How it ended, once it did."""
        try:
            ending = json.loads(reading.whole(self.path / EXIT, MAX_ENDING))
        except (ValueError, RecursionError):
            return None
        return ending if isinstance(ending, dict) else None

    def status(self) -> Status:
        """Where it stands; a runner that died without a word leaves a lost job."""
        submitted = self.batch.submitted
        ending = self.ending()
        if ending is not None:
            return ended(self.handle, ending, submitted)
        if not self.claimed():
            return Status(self.handle, JobState.SUBMITTED, submitted=submitted)
        here, started = os.uname().nodename, _mtime(self.path / PID)
        if self.alive():
            return Status(self.handle, JobState.RUNNING, here, submitted, started)
        ending = self.ending()  # it may have ended between the two looks
        if ending is not None:
            return ended(self.handle, ending, submitted)
        return Status(
            self.handle,
            JobState.LOST,
            here,
            submitted,
            started,
            native_code="local:runner_died",
            native_text="the runner ended without saying how (killed, or the machine was restarted)",
        )

    def cancel(self) -> None:
        """Take it from every runner: it never begins, and has ended."""
        self.path.mkdir(exist_ok=True)
        (self.path / PID).touch(exist_ok=True)
        (self.path / EXIT).write_text(
            json.dumps({"exit_code": None, "killed_for": CANCELLED}), encoding="ascii"
        )

    def fetched(self) -> Fetched:
        """Its result and the end of its log."""
        ending = self.ending() or {}
        return Fetched(
            self.handle,
            reading.whole(self.path / RESULT, MAX_RESULT),
            reading.tail(self.path / LOG, LOG_TAIL).decode("utf-8", "replace"),
            ending.get("exit_code"),
            str(ending.get("killed_for") or ""),
        )


def write_batch(root: Path, batch: Batch) -> list[JobFolder]:
    """Write a batch down, whole or not at all; a tag that is there already is left as it is."""
    home = root / batch.tag
    file = home / BATCH
    if file.exists():
        return jobs_of(root, batch.tag)
    home.mkdir(parents=True, exist_ok=True)
    aside = home / f".{BATCH}"
    aside.write_text(lines(batch), encoding="utf-8")
    aside.replace(file)
    written = Written(batch.queue, tuple(job.job for job in batch.jobs), _moment_of(file))
    return written.folders(root, batch.tag)


def lines(batch: Batch) -> str:
    """A batch as its file holds it."""
    head = json.dumps({"tag": batch.tag, "queue": batch.queue})
    return "\n".join([head, *map(_line, batch.jobs), ""])


def read_batch(root: Path, tag: str) -> Batch | None:
    """What was written down, if it is there."""
    try:
        head, *jobs = (root / tag / BATCH).read_text(encoding="utf-8").splitlines()
        return Batch(tag, json.loads(head)["queue"], tuple(map(_job, jobs)))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _job(line: str) -> JobSpec:
    told = json.loads(line)
    environment = tuple((name, value) for name, value in told["environment"])
    return JobSpec(told["job"], tuple(told["argv"]), Limits(**told["limits"]), environment)


def _line(job: JobSpec) -> str:
    return f'{{"job": {json.dumps(job.job)}, {_alike(job.argv, job.environment, job.limits)}'


@lru_cache(maxsize=64)
def _alike(argv: tuple[str, ...], environment: tuple[tuple[str, str], ...], limits: Limits) -> str:
    """The rest of a line, the same for all jobs of a template on one data set: encoding it was half the time of writing a batch."""
    told = {"argv": argv, "environment": environment, "limits": asdict(limits)}
    return json.dumps(told).removeprefix("{")


def jobs_of(root: Path, tag: str) -> list[JobFolder]:
    """The jobs of a batch, in their order; none if there is no such batch."""
    try:
        return _read(str(root / tag)).folders(root, tag)
    except (OSError, ValueError, LookupError):
        return []


@lru_cache(maxsize=1024)
def _read(home: str) -> Written:
    file = Path(home) / BATCH
    head, *lines = file.read_text(encoding="utf-8").splitlines()
    jobs = tuple(json.loads(line)["job"] for line in lines)
    return Written(json.loads(head)["queue"], jobs, _moment_of(file))


def known(root: Path, handles: Collection[Handle]) -> dict[Handle, JobFolder]:
    """Those of these jobs that are here; each batch is looked at once."""
    tags = {tag_of(one) for one in handles} - {""}
    here = {(tag, one.job): one for tag in tags for one in jobs_of(root, tag)}
    return {one: here[key] for one in handles if (key := (tag_of(one), one.job)) in here}


def tag_of(handle: Handle) -> str:
    """An engine's id of a job begins with the tag of its batch: `TAG/JOB`, or `TAG:` and what the batch system calls it."""
    return handle.engine_job_id.replace("/", ":").partition(":")[0]


def batches(root: Path) -> list[str]:
    """The tags that are there, the oldest first."""
    homes = [home for home in root.iterdir() if (home / BATCH).is_file()] if root.is_dir() else []
    return [home.name for home in sorted(homes, key=lambda one: ((one / BATCH).stat().st_mtime, one.name))]


def forget(root: Path, tag: str) -> None:
    """Remove a batch; a job of it that runs goes on in a folder that nobody sees.

    Its list goes first: a second runner that comes late finds either the job claimed, or no list any more (`payload.runner`).
    """
    home = root / tag
    if tag and home.parent == root and home.is_dir():
        with contextlib.suppress(OSError):
            (home / BATCH).unlink()
        shutil.rmtree(home, ignore_errors=True)


def ended(handle: Handle, ending: dict[str, Any], submitted: datetime | None) -> Status:
    """What the word of a runner says."""
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
        node=safe_text(str(ending.get("node") or ""), limit=100),
        submitted=submitted,
        started=_moment(ending.get("began")),
        ended=_moment(ending.get("ended")),
        native_code="" if state is JobState.SUCCESS else safe_text(native, limit=40),
        native_text=f"ended at its limit: {limit}" if limit else "",
    )


def _moment_of(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def _is_there(pid: int) -> bool:
    """Whether there is such a process of ours, where there is no /proc to ask."""
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _moment(seconds: object) -> datetime | None:
    """A time that can be one: the node that wrote it may be out of its mind."""
    if not isinstance(seconds, int | float) or not 0 <= seconds < 2**37:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _mtime(path: Path) -> datetime | None:
    try:
        return _moment_of(path)
    except OSError:
        return None
