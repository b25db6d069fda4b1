"""What the runners of jobs left in their session folders at a computing element.

Where a file cannot be read for now, that concerns its job alone: the job has not ended yet, and the others go on.
"""

import asyncio
from collections.abc import Coroutine, Iterable
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


async def word(rest: Rest, handle: Handle) -> dict[str, Any] | AnsweredError | None:
    """What the runner wrote when the job ended, where its result can be read too; else why not, which concerns this job alone."""
    try:
        await rest.get(id_of(handle), f"session/{handle.job}/{folders.RESULT}", folders.MAX_RESULT)
        return arc_jobs.ending_of(await rest.get(id_of(handle), f"session/{handle.job}/{EXIT}", 10_000))
    except AnsweredError as error:
        return error


async def _log(rest: Rest, handle: Handle) -> bytes | None:
    """Its log, or none: that is evidence for people, and decides nothing."""
    try:
        return await rest.get(id_of(handle), f"session/{handle.job}/{LOG}", MAX_LOG)
    except AnsweredError:
        return None


async def fetched(rest: Rest, handle: Handle) -> Fetched:
    """Its result and the end of its log."""
    sizes = {folders.RESULT: folders.MAX_RESULT, EXIT: 10_000}
    log, result, ending = await together(
        [
            _log(rest, handle),
            *(rest.get(id_of(handle), f"session/{handle.job}/{name}", most) for name, most in sizes.items()),
        ]
    )
    ended = arc_jobs.ending_of(ending) or {}
    return Fetched(
        handle,
        result if result is not None and len(result) <= folders.MAX_RESULT else b"",
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
