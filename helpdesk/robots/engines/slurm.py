"""The engine `slurm`: one array for a batch, one squeue for everything (sbatch(1), squeue(1), scancel(1)).

A batch's folder lies on a file system that the nodes share; the runner leaves there what the batch system does not tell.  `--no-requeue`
always: a job that was lost with its node must not come back in silence.  The tag is the array's name, so an array whose answer was lost is
found again by it.
"""

import os
import re
import shlex
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from helpdesk.robots.engine import Batch, EngineError, EngineInfo, Fetched, Handle, Status
from helpdesk.robots.engines import folders, notes
from helpdesk.robots.engines.folders import JobFolder
from helpdesk.robots.engines.inherited import NAMES
from helpdesk.robots.engines.process import Client
from helpdesk.robots.record import FINAL, JobState, Phase
from helpdesk.text import safe_text

MAX_BATCH = 1000  # MaxArraySize is 1,001 unless somebody raised it
ARRAY, SCRIPT = "array", "array.sh"
FORGOTTEN = "0"  # the number of an array that Slurm has had, because its jobs ran, and knows no more
_MINE = f"--user={os.getuid()}"  # a site's queue may hold a hundred thousand jobs of others
_FIELDS = "%F|%K|%T|%N|%V|%S|%e|%j|%r"
PASSING = (
    "unable to contact",
    "timed out",
    "temporarily",
    "try again",
    "communications",
    "connection refused",
    "connection reset",
    "zero bytes",
    "unexpected message",
)
"""What sbatch says when nobody knows whether the controller took the job."""
_STATES = {
    "PENDING": JobState.SUBMITTED,
    "CONFIGURING": JobState.SUBMITTED,
    "SUSPENDED": JobState.RUNNING,
    "STOPPED": JobState.RUNNING,
    "RUNNING": JobState.RUNNING,
    "COMPLETING": JobState.RUNNING,
    "STAGE_OUT": JobState.RUNNING,
    "SIGNALING": JobState.RUNNING,
    "COMPLETED": JobState.SUCCESS,
    "CANCELLED": JobState.CANCELLED,
    "TIMEOUT": JobState.TIMEOUT,
    "DEADLINE": JobState.TIMEOUT,
    "NODE_FAIL": JobState.LOST,
    **dict.fromkeys(
        (
            "FAILED",
            "BOOT_FAIL",
            "LAUNCH_FAILED",
            "OUT_OF_MEMORY",
            "PREEMPTED",
            "RECONFIG_FAIL",
            "REVOKED",
            "SPECIAL_EXIT",
        ),
        JobState.FAILED,
    ),
}
"""A state that is not here (RESIZING, one of a newer Slurm, a line of another program) says nothing of how a job ended."""

_NEVER_BEGAN = "it left its array before it began"
_QUEUE_ENDS = frozenset({"BOOT_FAIL", "DEADLINE", "REVOKED"})


class SlurmEngine:
    """One Slurm cluster; its partitions are the queues.  `root` is a folder that every node sees under the same name."""

    def __init__(self, root: Path, *, configuration: str | None = None, python: str | None = None) -> None:
        environment = {"SLURM_TIME_FORMAT": "%s"}
        if configuration is not None:
            environment["SLURM_CONF"] = configuration
        self._root = root
        self._client = Client(environment, PASSING)
        self._python = python or sys.executable

    async def describe(self) -> EngineInfo:
        """The partitions, and what is not up."""
        told = await self._client.ask(["sinfo", "-h", "-o", "%R|%a|%D|%T"])
        rows = [line.split("|") for line in told.splitlines() if line.count("|") == 3]
        version = (await self._client.ask(["sinfo", "--version"])).split()
        said = tuple(f"{row[0]}: {row[2]} nodes {row[3]}, partition {row[1]}" for row in rows)
        return EngineInfo(
            "slurm",
            version[-1] if version else "",
            tuple(dict.fromkeys(row[0] for row in rows)),
            MAX_BATCH,
            said,
        )

    async def submit(self, batch: Batch) -> Sequence[Handle]:
        """Write the batch down, then one sbatch; what an earlier one has accepted is found by its name."""
        notes.prepare(self._root)
        jobs, new = notes.write(self._root, batch)
        known = "" if new else await self._array(batch.tag)
        array = known or await self._sbatch(batch)
        notes.note(self._root, batch.tag, ARRAY, array)
        return self._handles(batch.tag, array, jobs)

    async def poll(self, handles: Collection[Handle]) -> Sequence[Status]:
        """One squeue; a job that has left it is read from its folder."""
        told, here = await self._squeue(), folders.known(self._root, handles)
        return [_status(one, told.get(one.engine_job_id), here.get(one), _rest(told, one)) for one in handles]

    async def fetch(self, handles: Collection[Handle], into: Path) -> Sequence[Fetched]:  # noqa: ARG002 - the folder is shared
        """What the runners left."""
        here = folders.known(self._root, handles)
        return [replace(job.fetched(), handle=one) for one, job in here.items()]

    async def cancel(self, handles: Collection[Handle]) -> None:
        """One scancel, of what is there and ours; jobs that have ended are no matter to it.  What no runner has yet is taken from all of them first."""
        try:
            for job in folders.known(self._root, handles).values():
                if not job.claimed():
                    job.cancel()
        except OSError as error:
            raise EngineError(f"{self._root}: {error.strerror}", passing=True) from error
        told = await self._squeue() if handles else {}
        if mine := [_array_job(one) for one in handles if one.engine_job_id in told]:
            await self._client.ask(["scancel", "--quiet", *mine])

    async def reconcile(self, tags: Collection[str]) -> Sequence[tuple[str, Handle]]:
        """The arrays that were accepted, by their files or by their names."""
        found: list[tuple[str, Handle]] = []
        for tag in tags:
            jobs = list(folders.jobs_of(self._root, tag))
            array = await self._array(tag) if jobs else ""
            array = array or (FORGOTTEN if any(job.claimed() for job in jobs) else "")
            if array:
                found += [(tag, handle) for handle in self._handles(tag, array, jobs)]
        return found

    async def forget(self, tags: Collection[str]) -> None:
        """Remove the folders."""
        for tag in tags:
            folders.forget(self._root, tag)

    async def _sbatch(self, batch: Batch) -> str:
        """Submit the array; its tasks find their jobs by number, in the file of the batch."""
        home = (self._root / batch.tag).resolve()
        command = shlex.join([self._python, str(self._root.resolve() / "payload.pyz"), "run", str(home)])
        notes.note(self._root, batch.tag, SCRIPT, f'#!/bin/sh\nexec {command} "$SLURM_ARRAY_TASK_ID"\n')
        wall = max(job.limits.wall_s for job in batch.jobs)
        memory = max(job.limits.memory_bytes for job in batch.jobs)
        told = await self._client.ask(
            [
                "sbatch",
                "--parsable",
                "--no-requeue",
                f"--export={','.join(NAMES)}",  # nothing else of the daemon's environment: it may hold secrets
                f"--job-name={batch.tag}",
                f"--partition={batch.queue}",
                f"--array=0-{len(batch.jobs) - 1}",
                f"--time={int(wall // 60) + 2}",
                f"--mem={memory // 1_000_000 + 100}M",
                f"--chdir={home}",
                "--output=/dev/null",
                str(home / SCRIPT),
            ]
        )
        array = (told.split() or [""])[-1].partition(";")[0]
        if not re.fullmatch("[0-9]+", array):  # it may have taken it: it is looked for by its name
            raise EngineError(f"sbatch names no job: {safe_text(told, limit=100)}", passing=True)
        return array

    async def _array(self, tag: str) -> str:
        """The array of this name, by its file or if Slurm has one."""
        if known := notes.noted(self._root, tag, ARRAY):
            return known
        told = await self._client.ask(["squeue", "-h", _MINE, "-t", "all", f"--name={tag}", "-o", "%F"])
        return next(iter(told.split()), "")

    def _handles(self, tag: str, array: str, jobs: Sequence[JobFolder]) -> list[Handle]:
        return [Handle(job.job, f"{tag}:{array}_{job.number}") for job in jobs]

    async def _squeue(self) -> Mapping[str, Sequence[str]]:
        """What each job is, by our id of it: a controller that lost its state gives numbers again, to other arrays."""
        told = await self._client.ask(["squeue", "-h", "-r", _MINE, "-t", "all", "-o", _FIELDS])
        rows = (line.split("|", 8) for line in told.splitlines())
        return {f"{row[7]}:{row[0]}_{row[1]}": [*row[2:7], row[8]] for row in rows if len(row) == 9}


def _status(
    handle: Handle, row: Sequence[str] | None, job: JobFolder | None, rest: Sequence[str] | None
) -> Status:
    """Slurm's word on whether it ended, the runner's on how; `rest` is the row of those tasks of its array that never began.

    A task that is cancelled while it waits loses its row, and one that began loses it MinJobAge after its end: of one that is not there,
    and that no runner has had, nothing is known (seen in 22.05).  If the last tasks that wait are cancelled, their row without a number stays.
    """
    left = None if job is None or job.ending() is None else replace(job.status(), handle=handle)
    if row is None:
        never = rest is not None and rest[0] == "CANCELLED" and job is not None and not job.claimed()
        if left is None and never:
            return Status(handle, JobState.CANCELLED, native_code="slurm:CANCELLED", native_text=_NEVER_BEGAN)
        return left or Status(handle, None)
    state, node, submitted, started, ended, reason = row
    known = _STATES.get(state)
    if known is None:
        return left or Status(handle, None)
    if left is not None and known in FINAL - {JobState.LOST}:
        return replace(
            left,
            submitted=_moment(submitted) or left.submitted,
            native_text=left.native_text or _said(reason),
        )
    good = known is JobState.SUCCESS
    return Status(
        handle,
        JobState.FAILED
        if good and left is None and job is not None
        else known,  # it says COMPLETED and nothing is there
        safe_text(node, limit=100),
        _moment(submitted),
        _moment(started) if known is not JobState.SUBMITTED else None,
        _moment(ended) if known in FINAL else None,
        "local:no_result" if good else f"slurm:{state}" if known in FINAL else "",
        _said(reason),
        Phase.QUEUE if state in _QUEUE_ENDS else None,
    )


def _array_job(handle: Handle) -> str:
    return handle.engine_job_id.rpartition(":")[2]


def _rest(told: Mapping[str, Sequence[str]], handle: Handle) -> Sequence[str] | None:
    """The row of its array without a number."""
    return told.get(f"{handle.engine_job_id.partition('_')[0]}_N/A")


def _said(reason: str) -> str:
    return "" if reason in {"None", "(null)"} else safe_text(reason, limit=200)


def _moment(seconds: str) -> datetime | None:
    """A time that can be one."""
    return datetime.fromtimestamp(int(seconds), UTC) if re.fullmatch("[0-9]{1,11}", seconds) else None
