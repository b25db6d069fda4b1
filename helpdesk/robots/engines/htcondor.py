"""The engine `htcondor`: one submit for a batch, one query for everything, one act to cancel (HTCondor manual: condor_submit, Python bindings).

A batch's folder lies on a file system that the machines share, as for Slurm, so nothing is transferred; HTCondor itself then matches machines of
our FileSystemDomain only.  A queue is a name for a requirement on machines.  Our tag and our job's id are attributes of each job, by which it is
found again.

A job never runs twice: once it has started it matches no machine any more (`requirements`), and where HTCondor would start it again it is held
instead (`periodic_hold`), with a subcode that is ours.  Ended jobs stay in the queue until they are forgotten (`leave_in_queue`, at most ten days).
"""

import json
import sys
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from helpdesk.robots.engine import Batch, EngineError, EngineInfo, Fetched, Handle, JobSpec, Status
from helpdesk.robots.engines import condor_ads, condor_client, folders, notes
from helpdesk.robots.engines.condor_ads import AGAIN, ATTRIBUTES, JOB, TAG
from helpdesk.robots.engines.folders import JobFolder, tag_of
from helpdesk.robots.engines.inherited import inherited
from helpdesk.robots.engines.process import Client
from helpdesk.text import safe_text

MAX_BATCH = 5000  # MAX_JOBS_PER_SUBMISSION is 20,000 unless somebody lowered it
CLUSTER = "cluster"
FORGOTTEN = "0"  # the number of a cluster that the schedd has had, because its jobs ran, and knows no more
KEPT = 10 * 86_400  # seconds that an ended job stays in the queue, if nobody forgets it
STARTED = "(NumJobStarts =!= undefined && NumJobStarts > 0)"
_COMMAND = (sys.executable, "-P", "-m", condor_client.__name__)

Ask = Callable[[bytes], Awaitable[str]]
"""A question to `condor_client` -> its answer; raises `EngineError`."""


class HTCondorEngine:
    """One schedd; `queues` are requirements by name.  `root` is a folder that every machine sees under the same name."""

    def __init__(
        self,
        root: Path,
        queues: Mapping[str, str],
        *,
        pool: str | None = None,
        schedd: str | None = None,
        ask: Ask | None = None,
        python: str = sys.executable,
    ) -> None:
        self._root = root
        self._queues = dict(queues)
        self._whom = {"pool": pool, "schedd": schedd}
        self._told = ask or asker(None)
        self._python = python

    async def describe(self) -> EngineInfo:
        """The schedd, found anew; every requirement is looked at."""
        told = await self._ask("describe", expressions=list(self._queues.values()))
        who = told[0] if told else {}
        words = safe_text(str(who.get("version", "")), limit=100).split()
        version = next((word for word in words if word[:1].isdigit()), "")
        said = (f"schedd {safe_text(str(who.get('name', '')), limit=100)}",)
        return EngineInfo("htcondor", version, tuple(sorted(self._queues)), MAX_BATCH, said)

    async def submit(self, batch: Batch) -> Sequence[Handle]:
        """Write the batch down, then one submit; what an earlier one has accepted is found by its tag."""
        if batch.queue not in self._queues:
            there = ", ".join(sorted(self._queues))
            raise EngineError(f"no queue {batch.queue!r}: there are {there}", passing=False)
        notes.prepare(self._root)
        jobs, new = notes.write(self._root, batch)
        known = "" if new else await self._cluster(batch.tag)
        cluster = known or await self._submit(batch)
        notes.note(self._root, batch.tag, CLUSTER, cluster)
        return _handles(batch.tag, cluster, jobs)

    async def poll(self, handles: Collection[Handle]) -> Sequence[Status]:
        """One query; of jobs that have left the queue and whose runners left no word, the history is asked."""
        if not handles:
            return []
        queued, here = await self._ads(map(tag_of, handles)), folders.known(self._root, handles)
        left = {one: job.status() for one, job in here.items() if job.ending() is not None}
        gone = [one for one in handles if one.engine_job_id not in queued and one not in left]
        past = await self._past(gone) if gone else {}
        return [_status(one, queued, past, left.get(one)) for one in handles]

    async def fetch(self, handles: Collection[Handle], into: Path) -> Sequence[Fetched]:  # noqa: ARG002 - the folder is shared
        """What the runners left."""
        here = folders.known(self._root, handles)
        return [replace(job.fetched(), handle=one) for one, job in here.items()]

    async def cancel(self, handles: Collection[Handle]) -> None:
        """One act; jobs that have ended are left in the queue for us to read."""
        if handles:
            going = f"JobStatus != {condor_ads.COMPLETED} && JobStatus != {condor_ads.REMOVED}"
            await self._remove(f"{_these(handles)} && {going}", "cancelled by helpdesk")

    async def reconcile(self, tags: Collection[str]) -> Sequence[tuple[str, Handle]]:
        """The batches that were accepted, by their files or by their tags."""
        found: list[tuple[str, Handle]] = []
        for tag in tags:
            jobs = list(folders.jobs_of(self._root, tag))
            cluster = await self._cluster(tag, needs_history=False) if jobs else ""
            cluster = cluster or (FORGOTTEN if any(job.claimed() for job in jobs) else "")
            if cluster:
                found += [(tag, handle) for handle in _handles(tag, cluster, jobs)]
        return found

    async def forget(self, tags: Collection[str]) -> None:
        """Let ended and held jobs leave the queue, and remove the folders."""
        try:
            if tags:
                await self._remove(_any(TAG, tags), "recorded by helpdesk")
        finally:  # nobody asks again; jobs leave the queue by themselves then
            for tag in tags:
                folders.forget(self._root, tag)

    async def _ask(self, ask: str, **told: Any) -> list[dict[str, Any]]:
        output = await self._told(json.dumps({"ask": ask, **self._whom, **told}).encode())
        try:
            rows = [json.loads(line) for line in output.splitlines()]
        except (ValueError, RecursionError) as error:
            raise EngineError("the client of HTCondor printed what is no JSON", passing=True) from error
        return [row for row in rows if isinstance(row, dict)]

    async def _submit(self, batch: Batch) -> str:
        items = [{"Number": str(number), "Job": job.job} for number, job in enumerate(batch.jobs)]
        told = await self._ask("submit", description=self._description(batch), items=items)
        done = told[0] if told else {}
        if (
            not isinstance(done.get("cluster"), int)
            or done.get("first") != 0
            or done.get("jobs") != len(items)
        ):
            raise EngineError(f"the schedd took {done.get('jobs')} jobs of {len(items)}", passing=True)
        return str(done["cluster"])

    def _description(self, batch: Batch) -> str:
        """The submit description: what runs finds its job by number, in the file of the batch."""
        home = (self._root / batch.tag).resolve()
        program = [str(self._root.resolve() / "payload.pyz"), "run", str(home)]
        lines = {
            "universe": "vanilla",
            "executable": _literal(self._python),
            "transfer_executable": "false",
            "should_transfer_files": "no",
            "initialdir": _literal(str(home)),
            "arguments": f'"{_words(program)} $(Number)"',
            "environment": f'"{_words(_environment())}"',
            "batch_name": batch.tag,
            "notification": "never",
            "request_cpus": "1",
            **_requests(batch.jobs),
            "requirements": f"({self._queues[batch.queue]}) && !{STARTED}",
            "periodic_hold": f"JobStatus == {condor_ads.IDLE} && {STARTED}",
            "periodic_hold_reason": '"it had started, and would have run again"',
            "periodic_hold_subcode": str(AGAIN),
            "leave_in_queue": f"JobStatus == {condor_ads.COMPLETED}"
            f" && (CompletionDate =?= undefined || CompletionDate == 0 || time() - CompletionDate < {KEPT})",
            f"MY.{TAG}": _text(batch.tag),
            f"MY.{JOB}": '"$(Job)"',
        }
        return "".join(f"{name} = {value}\n" for name, value in lines.items())

    async def _remove(self, constraint: str, reason: str) -> None:
        told = await self._ask("remove", constraint=constraint, reason=reason)
        counts = told[0] if told else {}
        if counts.get("denied") or counts.get("error"):
            raise EngineError(f"the schedd did not remove jobs: {counts}", passing=not counts.get("denied"))

    async def _ads(self, tags: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The jobs of these batches in the queue, by our id of them."""
        rows = await self._ask("query", constraint=_any(TAG, tags), attributes=ATTRIBUTES)
        return {condor_ads.engine_job_id(row): row for row in rows}

    async def _past(self, handles: Sequence[Handle]) -> dict[str, dict[str, Any]]:
        """The same of the history; a schedd that keeps none knows nothing of them."""
        try:
            rows = await self._ask(
                "history", constraint=_these(handles), attributes=ATTRIBUTES, most=len(handles)
            )
        except EngineError:
            return {}
        return {condor_ads.engine_job_id(row): row for row in rows}

    async def _cluster(self, tag: str, *, needs_history: bool = True) -> str:
        """The cluster of this tag, by its file or if the schedd has one or had one; where it is not submitted again, a schedd need not keep a history."""
        if known := notes.noted(self._root, tag, CLUSTER):
            return known
        asked = {"constraint": _any(TAG, [tag]), "attributes": ["ClusterId"]}
        rows = await self._ask("query", **asked)
        try:
            rows = rows or await self._ask("history", **asked, most=1)
        except EngineError:
            if needs_history:
                raise
        cluster = rows[0].get("ClusterId") if rows else None
        return str(cluster) if isinstance(cluster, int) else ""


def _status(
    handle: Handle,
    queued: Mapping[str, Mapping[str, Any]],
    past: Mapping[str, Mapping[str, Any]],
    left: Status | None,
) -> Status:
    """From the queue, else from the history, else from its folder."""
    key = handle.engine_job_id
    if key in queued or key in past:
        return condor_ads.status_of(handle, queued.get(key) or past[key], left, queued=key in queued)
    return Status(handle, None) if left is None else replace(left, handle=handle)


def asker(configuration: str | None) -> Ask:
    """Questions go to a client in a process of its own; `configuration` is what CONDOR_CONFIG names."""
    environment = {} if configuration is None else {"CONDOR_CONFIG": configuration}
    client = Client(environment, (condor_client.PASSING.strip(),))

    async def ask(told: bytes) -> str:
        try:
            return await client.ask(_COMMAND, told)
        except EngineError as error:
            words = (
                str(error).removeprefix(f"{Path(sys.executable).name}: ").removeprefix(condor_client.PASSING)
            )
            raise EngineError(f"HTCondor: {words}", passing=error.passing) from error

    return ask


def _requests(jobs: Collection[JobSpec]) -> dict[str, str]:
    """What the largest of them may use: memory in MiB, disk in KiB, time in seconds; the runner is stricter."""
    limits = [job.limits for job in jobs]
    return {
        "request_memory": str(max(one.memory_bytes for one in limits) // 2**20 + 100),
        "request_disk": str(max(one.disk_bytes + one.output_bytes for one in limits) // 2**10 + 1),
        "allowed_execute_duration": str(int(max(one.wall_s for one in limits)) + 120),
    }


def _environment() -> list[str]:
    """Nothing else of the daemon's environment: it may hold secrets."""
    return [f"{name}={value}" for name, value in inherited().items()]


def _words(words: Iterable[str]) -> str:
    """The new syntax of arguments and environment: each word in single quotes, both quotes doubled (condor_submit(1))."""
    doubled = (_literal(one).replace('"', '""').replace("'", "''") for one in words)
    return " ".join(f"'{one}'" for one in doubled)


def _literal(text: str) -> str:
    """A text in which nothing is a macro, in one line."""
    if not text.isprintable():
        raise EngineError(f"{text!r} cannot stand in a submit description", passing=False)
    return text.replace("$", "$(DOLLAR)")


def _text(text: str) -> str:
    """A string of ClassAds."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _any(attribute: str, values: Iterable[str]) -> str:
    """A constraint: the attribute is one of these."""
    listed = ", ".join(_text(one) for one in sorted(set(values)))
    return f"(member({attribute}, {{{listed}}}) =?= true)"


def _handles(tag: str, cluster: str, jobs: Sequence[JobFolder]) -> list[Handle]:
    return [Handle(job.path.name, f"{tag}:{cluster}.{job.number}") for job in jobs]


def _these(handles: Collection[Handle]) -> str:
    return f"{_any(TAG, map(tag_of, handles))} && {_any(JOB, (one.job for one in handles))}"
