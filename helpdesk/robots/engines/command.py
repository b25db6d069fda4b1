"""The engine `command`: any batch system behind a few programs that speak JSON lines.  Ganga, PanDA and DIRAC plug in here.

| command | is told, a JSON object a line | answers, a JSON object a line |
|---|---|---|
| describe | nothing | {"version": ..., "queues": [...]} |
| submit | {"tag", "queue"}, then {"job", "argv", "limits", "environment"} for each | {"job", "id"} for each |
| poll | {"job", "id"} for each | {"id", "state", "node", "submitted", "started", "ended", "code", "text", "phase"} |
| fetch | {"job", "id"} for each | {"id", "result": {...}, "log", "exit_code", "killed_for"} |
| cancel | {"job", "id"} for each | nothing |
| reconcile | {"tag"} for each | {"tag", "job", "id"} for each job that it has |
| forget | {"tag"} for each | nothing |

`state` is one of submitted, running, success, failed, cancelled, timeout, lost; times are epoch seconds; `code` is `table:code` (docs/robots.md).
Lines that are no such objects are counted and passed over.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpdesk.robots.engine import Batch, EngineError, EngineInfo, Fetched, Handle, Status
from helpdesk.robots.engines.process import Client
from helpdesk.robots.record import JobState, Phase
from helpdesk.text import safe_text

MAX_BATCH = 1000
MAX_NAME = 500  # characters of an id
VERBS = ("describe", "submit", "poll", "fetch", "cancel", "reconcile", "forget")


class CommandEngine:
    """`commands` maps each verb to the words of its program; forget may be missing."""

    def __init__(self, commands: Mapping[str, Sequence[str]], client: Client | None = None) -> None:
        self._commands = commands
        self._client = client or Client({}, ("temporar", "timed out", "unavailable", "try again"))
        self.rubbish = 0  # lines that were passed over

    async def describe(self) -> EngineInfo:
        """What the program says of itself."""
        told = next(await self._ask("describe", ()), {})
        named = told.get("queues")
        queues = tuple(str(one) for one in named) if isinstance(named, list) else ()
        return EngineInfo("command", safe_text(str(told.get("version", "")), limit=60), queues, MAX_BATCH)

    async def submit(self, batch: Batch) -> Sequence[Handle]:
        """Hand the batch over; the program knows a tag that it has had."""
        head = {"tag": batch.tag, "queue": batch.queue}
        answers = await self._ask("submit", [head, *(asdict(job) for job in batch.jobs)])
        wanted = {job.job for job in batch.jobs}
        return [one for one in _handles(answers) if one.job in wanted]

    async def poll(self, handles: Collection[Handle]) -> Sequence[Status]:
        """One program for all; a job that it does not name is one that it knows nothing of."""
        told = {str(one.get("id")): one for one in await self._ask("poll", _named(handles))}
        return [_status(one, told.get(one.engine_job_id, {})) for one in handles]

    async def fetch(self, handles: Collection[Handle], into: Path) -> Sequence[Fetched]:  # noqa: ARG002 - the program knows where
        """Results and the ends of logs."""
        known = {one.engine_job_id: one for one in handles}
        told = await self._ask("fetch", _named(handles))
        return [_fetched(known[str(one.get("id"))], one) for one in told if str(one.get("id")) in known]

    async def cancel(self, handles: Collection[Handle]) -> None:
        """Ask to end them."""
        await self._ask("cancel", _named(handles))

    async def reconcile(self, tags: Collection[str]) -> Sequence[tuple[str, Handle]]:
        """What the program has of these batches."""
        told = await self._ask("reconcile", [{"tag": tag} for tag in tags])
        return [
            (one["tag"], Handle(str(one["job"]), str(one["id"])))
            for one in told
            if isinstance(one.get("tag"), str) and one["tag"] in tags and _is_named(one)
        ]

    async def forget(self, tags: Collection[str]) -> None:
        """Tell the program, if it wants to know."""
        if "forget" in self._commands:
            await self._ask("forget", [{"tag": tag} for tag in tags])

    async def _ask(self, verb: str, told: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        command = self._commands.get(verb)
        if not command:
            raise EngineError(f"no command for {verb}", passing=False)
        lines = "".join(f"{json.dumps(one)}\n" for one in told)
        output = await self._client.ask(command, lines.encode())
        return iter(list(self._objects(output)))

    def _objects(self, output: str) -> Iterator[dict[str, Any]]:
        for line in output.splitlines():
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                found = None
            if isinstance(found, dict):
                yield found
            elif line.strip():
                self.rubbish += 1


def _named(handles: Iterable[Handle]) -> Iterator[Mapping[str, str]]:
    return ({"job": one.job, "id": one.engine_job_id} for one in handles)


def _handles(answers: Iterable[Mapping[str, Any]]) -> Iterator[Handle]:
    return (Handle(str(one["job"]), str(one["id"])) for one in answers if _is_named(one))


def _is_named(told: Mapping[str, Any]) -> bool:
    """Whether it has names that a database and a program can hold."""
    names = [told.get("job"), told.get("id")]
    return all(
        isinstance(one, str | int) and str(one).isprintable() and 0 < len(str(one)) <= MAX_NAME
        for one in names
    )


def _status(handle: Handle, told: Mapping[str, Any]) -> Status:
    state, phase = told.get("state"), told.get("phase")
    return Status(
        handle,
        JobState(state) if isinstance(state, str) and state in set(JobState) else None,
        safe_text(str(told.get("node") or ""), limit=100),
        _moment(told.get("submitted")),
        _moment(told.get("started")),
        _moment(told.get("ended")),
        safe_text(str(told.get("code") or ""), limit=60),
        safe_text(str(told.get("text") or ""), limit=500),
        Phase(phase) if isinstance(phase, str) and phase in set(Phase) else None,
    )


def _fetched(handle: Handle, told: Mapping[str, Any]) -> Fetched:
    result, code = told.get("result"), told.get("exit_code")
    return Fetched(
        handle,
        json.dumps(result).encode() if isinstance(result, dict) else b"",
        str(told.get("log") or "")[-4000:],
        code if isinstance(code, int) else None,
        safe_text(str(told.get("killed_for") or ""), limit=20),
    )


def _moment(seconds: object) -> datetime | None:
    """A time that can be one: no NaN, not before 1970, not in ten thousand years."""
    if not isinstance(seconds, int | float) or not 0 <= seconds < 2**37:
        return None
    return datetime.fromtimestamp(seconds, UTC)
