"""The engine `local`: processes on this machine, a number of slots for each queue.

Its memory is the file system (`helpdesk.robots.engines.folders`): a runner outlives the daemon, and a new daemon finds every job by
its folder.  Starting a job twice does no harm: of two runners one gets the job, the other leaves.
"""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from helpdesk.robots.engine import Batch, EngineError, EngineInfo, Fetched, Handle, Status
from helpdesk.robots.engines import folders, notes, reading
from helpdesk.robots.engines.folders import JobFolder
from helpdesk.robots.engines.inherited import inherited
from helpdesk.robots.payload.runner import PID

MAX_BATCH = 10_000
LOOK = 0.02  # seconds between two looks at runners that are to end
_SILENT = [
    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
    (os.POSIX_SPAWN_DUP2, 1, 2),
]


class LocalEngine:
    """Jobs as processes of this machine; `slots` are the jobs that run at once, by queue."""

    def __init__(self, root: Path, slots: Mapping[str, int]) -> None:
        self._root = root
        self._slots = dict(slots)
        self._starting: dict[str, int] = {}  # pids of runners that we started

    async def describe(self) -> EngineInfo:
        """The queues and their slots."""
        notes.prepare(self._root)
        said = tuple(f"{queue}: {slots} slots" for queue, slots in sorted(self._slots.items()))
        return EngineInfo("local", sys.version.split()[0], tuple(sorted(self._slots)), MAX_BATCH, said)

    async def submit(self, batch: Batch) -> Sequence[Handle]:
        """Write the batch down, and start what there is room for."""
        if batch.queue not in self._slots:
            raise EngineError(
                f"no queue {batch.queue!r}: there are {', '.join(sorted(self._slots))}", passing=False
            )
        notes.prepare(self._root)
        jobs, _ = notes.write(self._root, batch)
        self._start()
        return [job.handle for job in jobs]

    async def poll(self, handles: Collection[Handle]) -> Sequence[Status]:
        """What the folders say; then what waits is started where there is room."""
        known = folders.known(self._root, handles)
        told = [known[one].status() if one in known else Status(one, None) for one in handles]
        self._start()
        return told

    async def fetch(self, handles: Collection[Handle], into: Path) -> Sequence[Fetched]:  # noqa: ARG002 - its folder is here already
        """Results and the ends of logs."""
        return [job.fetched() for job in folders.known(self._root, handles).values()]

    async def cancel(self, handles: Collection[Handle]) -> None:
        """End the runners; jobs that have not begun never will."""
        for job in folders.known(self._root, handles).values():
            if not job.claimed():
                job.cancel()
            elif job.ending() is None and job.alive():
                _end(job)

    async def end(self, seconds: float) -> bool:
        """End every job that is here, for one who will never ask again; whether all runners were gone in time."""
        deadline = time.monotonic() + seconds
        while True:
            here = [job for tag in folders.batches(self._root) for job in folders.jobs_of(self._root, tag)]
            await self.cancel([job.handle for job in here])
            self._starting = {key: pid for key, pid in self._starting.items() if not _has_ended(pid)}
            gone = not self._starting and not any(job.alive() for job in here)
            if gone or time.monotonic() > deadline:
                return gone
            await asyncio.sleep(LOOK)

    async def reconcile(self, tags: Collection[str]) -> Sequence[tuple[str, Handle]]:
        """Every job of these batches."""
        return [(tag, job.handle) for tag in tags for job in folders.jobs_of(self._root, tag)]

    async def forget(self, tags: Collection[str]) -> None:
        """Remove the folders."""
        for tag in tags:
            folders.forget(self._root, tag)

    def _start(self) -> None:
        """Fill the free slots, the oldest jobs first."""
        self._starting = {key: pid for key, pid in self._starting.items() if not _has_ended(pid)}
        busy: Counter[str] = Counter()
        waiting: list[JobFolder] = []
        for tag in folders.batches(self._root):
            for job in folders.jobs_of(self._root, tag):
                if job.handle.engine_job_id in self._starting:
                    busy[job.batch.queue] += 1
                elif not job.claimed():
                    waiting.append(job)
                elif job.ending() is None and job.alive():
                    busy[job.batch.queue] += 1
        for job in waiting:
            if busy[job.batch.queue] < self._slots.get(job.batch.queue, 0):
                busy[job.batch.queue] += 1
                self._starting[job.handle.engine_job_id] = self._run(job)

    def _run(self, job: JobFolder) -> int:
        """Start a runner in a session of its own: it survives us, and tells through its folder how it goes."""
        root = self._root.resolve()
        command = [sys.executable, str(root / "payload.pyz"), "run", str(root / job.tag), str(job.number)]
        return os.posix_spawn(command[0], command, inherited("TMPDIR"), file_actions=_SILENT, setsid=True)


def _has_ended(pid: int) -> bool:
    """Whether a child of ours has ended; takes it in."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def _end(job: JobFolder) -> None:
    """The runner's session, so the job with it."""
    pid = int(reading.whole(job.path / PID, folders.MAX_PID).split()[0])
    try:
        os.killpg(pid, signal.SIGTERM)
    except OSError:
        return
