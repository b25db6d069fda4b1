"""What the runners of jobs left in their session folders at a computing element.

Where a file cannot be read for now, that concerns its job alone: the job has not ended yet, and the others go on.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from helpdesk.robots.engine import Fetched, Handle
from helpdesk.robots.engines import arc_jobs, folders
from helpdesk.robots.engines.arc_rest import AnsweredError, Rest
from helpdesk.robots.payload.runner import EXIT, LOG

T = TypeVar("T")

MAX_LOG = 20_000_000  # octets that are read to find the end of a log


async def together(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Side by side; the first that fails ends the others, so that nothing outlives its connection."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in works]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [one.result() for one in tasks]


@dataclass(frozen=True, slots=True)
class Left:
    """What a job left behind: its result, if that is there and no larger than a result is, and its runner's word."""

    result: bytes
    ending: dict[str, Any] | None


async def left(rest: Rest, handle: Handle) -> Left:
    """Both files of a job that has ended."""
    sizes = {folders.RESULT: folders.MAX_RESULT, EXIT: 10_000}
    result, ending = await together(
        rest.get(id_of(handle), f"session/{handle.job}/{name}", most) for name, most in sizes.items()
    )
    whole = result is not None and len(result) <= folders.MAX_RESULT
    return Left(result if result is not None and whole else b"", arc_jobs.ending_of(ending))


async def readable(rest: Rest, handle: Handle) -> Left | AnsweredError:
    """What a job left where both files can be read; else why not, which concerns this job alone."""
    try:
        return await left(rest, handle)
    except AnsweredError as error:
        return error


async def _log(rest: Rest, handle: Handle) -> bytes | None:
    """Its log, or none: that is evidence for people, and decides nothing."""
    try:
        return await rest.get(id_of(handle), f"session/{handle.job}/{LOG}", MAX_LOG)
    except AnsweredError:
        return None


async def fetched(rest: Rest, handle: Handle, known: Left | None) -> Fetched:
    """Its result and the end of its log; `known`: what was read of it already."""
    log = await _log(rest, handle)
    found = known or await left(rest, handle)
    ended = found.ending or {}
    return Fetched(
        handle,
        found.result,
        (log or b"")[-folders.LOG_TAIL :].decode("utf-8", "replace"),
        ended.get("exit_code"),
        str(ended.get("killed_for") or "")[:20],
    )


def id_of(handle: Handle) -> str:
    """A-REX's own id."""
    return handle.engine_job_id.rpartition(":")[2]


def has_folder(handle: Handle) -> bool:
    """Whether the job's id can be a folder's name in an address."""
    return handle.job.replace("-", "").replace("_", "").isalnum() and handle.job.isascii()
