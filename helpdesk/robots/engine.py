"""The door to a batch system: one bulk protocol, one contract suite (tests/contract/test_engine.py).

An engine is asked for many jobs at once; it never decides what a job is for.  Errors are `EngineError`s, which say whether asking
again may help; garbage that an engine tells about one job concerns that job alone.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from helpdesk.errors import HelpdeskError
from helpdesk.robots.record import JobState, Phase


class EngineError(HelpdeskError):
    """The engine could not do what it was asked; `passing`: asking again later may help."""

    def __init__(self, words: str, *, passing: bool) -> None:
        super().__init__(words)
        self.passing = passing


@dataclass(frozen=True, slots=True)
class Limits:
    """What a job may use; the engine or its runner ends a job that uses more."""

    wall_s: float
    memory_bytes: int
    disk_bytes: int
    output_bytes: int = 10_000_000  # of stdout and stderr that are kept


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One job: what runs, in a folder of its own, and what it may use."""

    job: str  # our id; the job learns it as HELPDESK_JOB
    argv: tuple[str, ...]
    limits: Limits
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs for one queue that are submitted together; `tag` names the batch at the engine, and exists before it is sent."""

    tag: str
    queue: str
    jobs: tuple[JobSpec, ...]


@dataclass(frozen=True, slots=True)
class Handle:
    """A job at its engine."""

    job: str
    engine_job_id: str


@dataclass(frozen=True, slots=True)
class Status:
    """What the engine says of a job now; `state` None: it knows nothing of it (yet, or any more)."""

    handle: Handle
    state: JobState | None
    node: str = ""
    submitted: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    native_code: str = ""
    native_text: str = ""  # the reason in the engine's words: evidence, always kept
    phase: Phase | None = None  # where the engine itself failed the job (queue, pilot), if it did


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a finished job left: its one JSON result (b"" if none) and the end of its log."""

    handle: Handle
    result: bytes
    log_tail: str
    exit_code: int | None = None
    killed_for: str = ""  # the limit that ended it: wall, memory, disk, output


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an engine is and how much it takes at once."""

    name: str
    version: str
    queues: tuple[str, ...]
    max_batch: int
    notes: tuple[str, ...] = field(default=())


class Engine(Protocol):
    """A batch system, asked in bulk; every method may raise `EngineError`."""

    async def describe(self) -> EngineInfo:
        """What is there; cheap, and the way to find out whether the engine is up."""

    async def submit(self, batch: Batch) -> Sequence[Handle]:
        """Submit a batch, all or nothing where the engine can; a tag that is there already is not submitted again."""

    async def poll(self, handles: Collection[Handle]) -> Sequence[Status]:
        """The states of these jobs, in as few questions as the engine allows."""

    async def fetch(self, handles: Collection[Handle], into: Path) -> Sequence[Fetched]:
        """The results of finished jobs; larger files land in a folder for each job below `into`."""

    async def cancel(self, handles: Collection[Handle]) -> None:
        """End these jobs; those that have ended are left alone."""

    async def reconcile(self, tags: Collection[str]) -> Sequence[tuple[str, Handle]]:
        """After a crash: every job (tag, handle) that the engine has of these batches, finished ones too."""

    async def forget(self, tags: Collection[str]) -> None:
        """Every job of these batches is recorded: what the engine keeps of them may go."""
