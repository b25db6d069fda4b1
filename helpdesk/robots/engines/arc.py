"""The engine `arc`: a queue of one ARC computing element, by A-REX's REST interface (`arc_rest` is the door).

One POST creates a batch; each job's folder there gets our payload and its line of the batch, and keeps what the runner writes.  Nothing is staged by
A-REX itself, so no credential is delegated.  A job's name is `tag:job`: a batch whose answer was lost is found again by its name, and what its jobs
still lack is uploaded.  The ids that A-REX gave lie in ROOT/TAG/jobs.json.  What a job is told of this machine (its python, its payload) is said in
the words of the other side.
"""

import json
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from helpdesk.robots.engine import Batch, EngineError, EngineInfo, Fetched, Handle, JobSpec, Status
from helpdesk.robots.engines import arc_jobs, folders, notes
from helpdesk.robots.engines.arc_jobs import PAYLOAD
from helpdesk.robots.engines.arc_rest import AnsweredError, Login, Rest, opened
from helpdesk.robots.engines.arc_session import Left, fetched, has_folder, id_of, readable, together
from helpdesk.robots.payload.runner import BATCH
from helpdesk.robots.payloads import packed
from helpdesk.robots.record import FINAL, JobState
from helpdesk.text import safe_text

MAX_BATCH = 500
IDS = "jobs.json"
KEPT = 50_000  # octets of a result that is kept from a poll for its fetch: thousands may end at once


@dataclass(frozen=True, slots=True)
class Place:
    """A queue: its computing element, and which queue of its batch system; "" lets it choose."""

    name: str
    url: str
    queue: str = ""


class ArcEngine:
    """`payload` is the path that jobs are told of on this machine; `python` is what runs it there."""

    def __init__(
        self, root: Path, place: Place, login: Login, *, payload: Path | None = None, python: str = "python3"
    ) -> None:
        self._root = root
        self._place = place
        self._login = login
        self._python = python
        self._left: dict[Handle, Left] = {}  # what the last poll read, for the fetch after it
        self._there = {sys.executable: python, str(payload): f"../{PAYLOAD}"}

    async def describe(self) -> EngineInfo:
        """The computing element's version, and the state of its queues."""
        async with self._rest() as rest:
            version, said = _described(await rest.info())
        return EngineInfo("arc", version, (self._place.name,), MAX_BATCH, (self._place.url, *said))

    async def submit(self, batch: Batch) -> Sequence[Handle]:
        """One POST; what an earlier one has created is found by its name."""
        if batch.queue != self._place.name:
            raise EngineError(f"no queue {batch.queue!r}: there is {self._place.name}", passing=False)
        _, new = notes.write(self._root, batch)
        if not new and (found := await self.reconcile([batch.tag])):
            return [handle for _, handle in found]
        async with self._rest() as rest:
            ids = await self._create(rest, batch)
            self._keep(batch.tag, ids)
            lines = {ids[job.job]: self._line(batch, job) for job in batch.jobs if job.job in ids}
            try:
                await self._supply(rest, lines)
            except EngineError as error:  # some may run by now: they are looked for, and never planned again
                raise EngineError(str(error), passing=True) from error
        return _handles(batch.tag, ids)

    async def poll(self, handles: Collection[Handle]) -> Sequence[Status]:
        """One status for all; of what has ended, one info and its runner's word."""
        async with self._rest() as rest:
            states = await rest.act("status", map(id_of, handles)) if handles else {}
            ended = {one: row for one, row in states.items() if arc_jobs.state_of(row.get("state")) in FINAL}
            infos = await rest.act("info", ended) if ended else {}
            mine = [one for one in handles if id_of(one) in ended and has_folder(one)]
            found = dict(zip(mine, await together(readable(rest, one) for one in mine), strict=True))
        unread = [one for one in found.values() if isinstance(one, AnsweredError)]
        if unread and len(unread) == len(found):
            raise unread[0]
        self._left = {
            key: one for key, one in found.items() if isinstance(one, Left) and len(one.result) <= KEPT
        }
        return [
            _status(
                one,
                states.get(id_of(one), {}).get("state"),
                _activity(infos.get(id_of(one), {})),
                found.get(one),
            )
            for one in handles
        ]

    async def fetch(self, handles: Collection[Handle], into: Path) -> Sequence[Fetched]:  # noqa: ARG002 - nothing is larger
        """What the runners left in the session folders."""
        async with self._rest() as rest:
            known = {one: self._left.pop(one, None) for one in handles if has_folder(one)}
            return await together(fetched(rest, one, read) for one, read in known.items())

    async def cancel(self, handles: Collection[Handle]) -> None:
        """One kill; A-REX leaves alone what has ended."""
        if handles:
            async with self._rest() as rest:
                await rest.act("kill", map(id_of, handles))

    async def reconcile(self, tags: Collection[str]) -> Sequence[tuple[str, Handle]]:
        """The batches that were created, by their files or by the names of jobs; inputs that a job waits for are uploaded."""
        batches = {tag: jobs for tag in tags if (jobs := folders.jobs_of(self._root, tag))}
        if not batches:
            return []
        async with self._rest() as rest:
            known = {tag: ids for tag in batches if (ids := self._ids(tag))}
            if missing := set(batches) - set(known):
                found = await self._found(rest, missing)
                order = {tag: [one.job for one in batches[tag]] for tag in found}
                known |= {
                    tag: {job: ids[job] for job in order[tag] if job in ids} for tag, ids in found.items()
                }
            states = await rest.act("status", [one for ids in known.values() for one in ids.values()])
            for tag, ids in known.items():
                self._keep(tag, ids)
                await self._supply_again(rest, tag, ids, states)
        return [(tag, one) for tag, ids in known.items() for one in _handles(tag, ids)]

    async def forget(self, tags: Collection[str]) -> None:
        """Let A-REX remove the session folders, and remove ours."""
        ids = [one for tag in tags for one in self._ids(tag).values()]
        try:
            if ids:
                async with self._rest() as rest:
                    await rest.act("clean", ids)
        finally:  # nobody asks again; A-REX lets its folders go by itself then
            for tag in tags:
                folders.forget(self._root, tag)

    def _rest(self) -> Any:
        return opened(self._place.url, self._login)

    async def _create(self, rest: Rest, batch: Batch) -> dict[str, str]:
        """A-REX's ids by job; of a batch some jobs may be refused, and if all are, it is an error that says why."""
        rows = await rest.new(arc_jobs.description(batch.tag, batch.jobs, self._place.queue, self._python))
        if len(rows) != len(batch.jobs):
            raise EngineError(f"ARC told of {len(rows)} jobs of {len(batch.jobs)}", passing=True)
        ids = {
            job.job: str(row["id"])
            for job, row in zip(batch.jobs, rows, strict=True)
            if isinstance(row.get("id"), str)
        }
        if not ids:
            raise EngineError(f"ARC: {safe_text(str(rows[0].get('reason')), limit=200)}", passing=False)
        return ids

    def _line(self, batch: Batch, job: JobSpec) -> bytes:
        """A batch of this job alone, in the words of the other side."""
        argv = tuple(self._there.get(word, word) for word in job.argv)
        return folders.lines(replace(batch, jobs=(replace(job, argv=argv),))).encode()

    async def _supply(self, rest: Rest, lines: Mapping[str, bytes]) -> None:
        """Upload each job's inputs."""
        await together(
            rest.put(one, name, content) for one, line in lines.items() for name, content in _inputs(line)
        )

    async def _supply_again(
        self, rest: Rest, tag: str, ids: Mapping[str, str], states: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Upload what is not there, whole; a file that is may be in use."""
        batch = folders.read_batch(self._root, tag)
        for job in () if batch is None else batch.jobs:
            one = ids.get(job.job, "")
            if batch is not None and states.get(one, {}).get("state") in arc_jobs.WAITING:
                for name, content in _inputs(self._line(batch, job)):
                    if await rest.get(one, f"session/{name}", len(content)) != content:
                        await rest.put(one, name, content)

    async def _found(self, rest: Rest, tags: Collection[str]) -> dict[str, dict[str, str]]:
        """The jobs of these batches by their names; a job whose name A-REX has not published yet is looked at by itself."""
        ids = await rest.ids()
        infos = await rest.act("info", ids) if ids else {}
        names = {one: str(_activity(row).get("Name") or "") for one, row in infos.items()}
        unnamed = [one for one in ids if not names.get(one)]
        local = await together(rest.get(one, "diagnose/local", 100_000) for one in unnamed)
        names |= {one: _local_name(text) for one, text in zip(unnamed, local, strict=True)}
        found: dict[str, dict[str, str]] = {}
        for one, name in names.items():
            tag, _, job = name.partition(":")
            if tag in tags:
                found.setdefault(tag, {})[job] = one
        return found

    def _ids(self, tag: str) -> dict[str, str]:
        try:
            found = json.loads((self._root / tag / IDS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _keep(self, tag: str, ids: Mapping[str, str]) -> None:
        """Whole, or not at all: without it they are found by their names."""
        aside = self._root / tag / f".{IDS}"
        try:
            aside.write_text(json.dumps(ids), encoding="utf-8")
            aside.replace(self._root / tag / IDS)
        except OSError as error:
            raise EngineError(f"{self._root}: {error.strerror}", passing=True) from error


def _status(
    handle: Handle, state: object, info: Mapping[str, Any], found: Left | AnsweredError | None
) -> Status:
    """A job that has ended and cannot be read yet has not ended yet."""
    if isinstance(found, AnsweredError):
        return Status(handle, JobState.RUNNING)
    return arc_jobs.status_of(handle, state, info, None if found is None else found.ending)


def _inputs(line: bytes) -> tuple[tuple[str, bytes], ...]:
    return (PAYLOAD, packed()), (BATCH, line)


def _handles(tag: str, ids: Mapping[str, str]) -> list[Handle]:
    return [Handle(job, f"{tag}:{one}") for job, one in ids.items()]


def _activity(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The GLUE 2 document of a job."""
    document = row.get("info_document")
    activity = document.get("ComputingActivity") if isinstance(document, dict) else None
    return activity if isinstance(activity, dict) else {}


def _local_name(text: bytes | None) -> str:
    """`jobname` in A-REX's own notes of a job; it has them from the first moment, its information system has not."""
    lines = (text or b"").decode("utf-8", "replace").splitlines()
    return next((line.removeprefix("jobname=") for line in lines if line.startswith("jobname=")), "")


def _described(info: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The version, and the shares with their state."""
    service = _first(info, "Domains", "AdminDomain", "Services", "ComputingService")
    endpoints, shares = _listed(service.get("ComputingEndpoint")), _listed(service.get("ComputingShare"))
    version = next(
        (str(one["ImplementationVersion"]) for one in endpoints if one.get("ImplementationVersion")), ""
    )
    notes = [
        f"queue {one.get('MappingQueue') or one.get('Name')}: {one.get('ServingState')},"
        f" {one.get('RunningJobs')} running, {one.get('WaitingJobs')} waiting"
        for one in shares
    ]
    return safe_text(version, limit=40), [safe_text(one, limit=200) for one in notes]


def _first(found: Any, *names: str) -> Mapping[str, Any]:
    for name in names:
        found = (_listed(found) or [{}])[0].get(name)
    return (_listed(found) or [{}])[0]


def _listed(value: Any) -> list[dict[str, Any]]:
    several: Iterable[Any] = value if isinstance(value, list) else [value]
    return [one for one in several if isinstance(one, dict)]
