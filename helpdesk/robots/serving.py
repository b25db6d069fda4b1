"""One engine's part of a turn: what became of its jobs, then what is planned is handed over.

It writes as it goes, and says at the end what it did.  Nothing that an engine does is an error of the turn; it costs that engine's own
jobs a turn.  `moment` tells what time it is by the robots' clock: an answer may take long.
"""

import contextlib
import secrets
import traceback
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from helpdesk.errors import HelpdeskError
from helpdesk.robots.engine import Batch, Engine, EngineError, Fetched, Handle, JobSpec, Status
from helpdesk.robots.outcome import OnItsWay, Work, lost, record_of
from helpdesk.robots.record import FINAL, Record
from helpdesk.robots.robot import Robot, Turned
from helpdesk.store import jobs, records
from helpdesk.store.core import chunks

SILENT = timedelta(hours=1)
"""How long an engine may know nothing of a job before it is lost."""

OVERDUE = timedelta(days=1)
"""How long a job may be on its way, beyond its wall limit, whatever its engine says."""

Moment = Callable[[], datetime]


async def serve(robot: Robot, name: str, mine: Sequence[OnItsWay], moment: Moment) -> Turned:
    """Look at the jobs of one engine that are on their way, then send what is planned by then."""
    turned = Turned()
    try:
        turned.records, trouble = await _look(robot, name, mine, moment)
        if trouble:
            turned.troubles.append((name, trouble))
        await _send(robot, name, turned, moment)
    except Exception as error:  # noqa: BLE001 -- what was written by then is told all the same
        turned.troubles.append((name, said(error)))
    return turned


def said(error: BaseException) -> str:
    """An error of ours speaks for itself; of any other what it was, and where: its words may quote anything."""
    if isinstance(error, HelpdeskError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}: please report this"


# -- look -------------------------------------------------------------------------------------------------------------


async def _look(
    robot: Robot, name: str, mine: Sequence[OnItsWay], moment: Moment
) -> tuple[list[Record], str]:
    """What became of the jobs of one engine; records are written before they are told."""
    engine, trouble = robot.engines.get(name), ""
    ended: list[Record] = []
    if engine is None:
        trouble = f"no engine {name!r} is configured any more"
    else:
        try:
            ended += await _reconcile(robot, engine, mine, moment)
            ended += await _poll(robot, engine, [one for one in mine if one.stage == jobs.SUBMITTED], moment)
        except Exception as error:  # noqa: BLE001 -- an answer that nobody thought of costs its own engine a turn, and no other
            trouble = said(error)
    gone, now = {one.job for one in ended}, moment()
    overdue = [one for one in mine if one.job not in gone and _is_overdue(robot, one, now)]
    ended += [_overdue(robot, one, now, silent=bool(trouble)) for one in overdue]
    ended += [_homeless(robot, one, now) for one in mine if _is_homeless(robot, one, now)]
    if engine is not None and (left := [one for one in overdue if one.stage == jobs.SUBMITTED]):
        try:  # nobody waits for them any more: they must not pile up there
            await engine.cancel([Handle(one.job, one.engine_job_id) for one in left])
        except Exception as error:  # noqa: BLE001 -- as above
            trouble = trouble or said(error)
    with robot.database.begin() as conn:
        records.add(conn, ended)
        forgotten = jobs.finished_tags(conn, {one.tag for one in mine if one.job in {r.job for r in ended}})
    if engine is not None and forgotten:
        try:
            await engine.forget(forgotten)
        except Exception as error:  # noqa: BLE001 -- as above
            trouble = trouble or said(error)
    return ended, trouble


async def _reconcile(robot: Robot, engine: Engine, mine: Sequence[OnItsWay], moment: Moment) -> list[Record]:
    """Batches whose hand-over was cut short: what the engine has is submitted, what it has not never will be."""
    open_ = [one for one in mine if one.stage == jobs.SUBMITTING]
    if not open_:
        return []
    found = {handle.job: handle for _, handle in await engine.reconcile({one.tag for one in open_})}
    now = moment()
    with robot.database.begin() as conn:
        jobs.accepted(
            conn, [(one.job, found[one.job].engine_job_id) for one in open_ if one.job in found], now
        )
    words = "the engine has nothing of its batch: it was never submitted, and is not tried again"
    return [
        lost(one, "local:never_submitted", words, robot.lookup, now) for one in open_ if one.job not in found
    ]


async def _poll(robot: Robot, engine: Engine, mine: Sequence[OnItsWay], moment: Moment) -> list[Record]:
    if not mine:
        return []
    by_id = {one.engine_job_id: one for one in mine}
    handles = [Handle(one.job, one.engine_job_id) for one in mine]
    told = [one for one in await engine.poll(handles) if one.handle.engine_job_id in by_id]
    ended = [one for one in told if one.state in FINAL]
    fetched = (
        {one.handle.engine_job_id: one for one in await engine.fetch([s.handle for s in ended], robot.folder)}
        if ended
        else {}
    )
    going, now = [one for one in told if one.state not in FINAL], moment()
    with robot.database.begin() as conn:
        jobs.seen(conn, [_seen(by_id[one.handle.engine_job_id], one, now) for one in going])
    final = [
        _record(robot, by_id[key], one, fetched.get(key), now)
        for one in ended
        if (key := one.handle.engine_job_id)
    ]
    silent = [by_id[one.handle.engine_job_id] for one in going if one.state is None]
    words = f"the engine has known nothing of it for {SILENT}"
    return final + [
        lost(one, "local:unknown_job", words, robot.lookup, now)
        for one in silent
        if one.silent_since is not None and now - one.silent_since >= SILENT
    ]


def _seen(job: OnItsWay, status: Status, now: datetime) -> tuple[str, str, datetime | None, datetime | None]:
    if status.state is None:
        return job.job, job.state, job.t_started, job.silent_since or now
    return job.job, status.state.value, status.started or job.t_started, None


def _record(robot: Robot, job: OnItsWay, status: Status, fetched: Fetched | None, now: datetime) -> Record:
    recipe, work = robot.recipes.get(job.template), Work()
    with contextlib.suppress(HelpdeskError):  # its data set has gone from the configuration meanwhile
        work = Work() if recipe is None else recipe.work(job.job)
    return record_of(job, status, fetched, work, robot.lookup, now)


def _is_overdue(robot: Robot, job: OnItsWay, now: datetime) -> bool:
    recipe = robot.recipes.get(job.template)
    wall = timedelta(0) if recipe is None else recipe.wall
    return job.stage != jobs.PLANNED and now - (job.t_submitted or job.t_scheduled) > wall + OVERDUE


def _overdue(robot: Robot, job: OnItsWay, now: datetime, *, silent: bool) -> Record:
    """Lost; where nobody can be asked what became of it (`silent`) that says nothing about its site."""
    words = "no result for longer than its wall time and a day"
    if silent:
        return lost(job, "local:engine_silent", f"{words}, and its engine cannot be asked", robot.lookup, now)
    return lost(job, "local:overdue", words, robot.lookup, now)


def _is_homeless(robot: Robot, job: OnItsWay, now: datetime) -> bool:
    """Its template or its engine is in no configuration any more, for so long that this is no slip."""
    gone = job.template not in robot.recipes or job.engine not in robot.engines
    return gone and job.stage == jobs.PLANNED and now - job.t_scheduled > OVERDUE


def _homeless(robot: Robot, job: OnItsWay, now: datetime) -> Record:
    return lost(
        job,
        "local:never_submitted",
        "its template or its engine is not configured any more",
        robot.lookup,
        now,
    )


# -- send -------------------------------------------------------------------------------------------------------------


async def _send(robot: Robot, name: str, turned: Turned, moment: Moment) -> None:
    """A batch for each queue, one after the other."""
    engine, troubles = robot.engines.get(name), dict[str, None]()
    with robot.database.connect() as conn:
        planned = jobs.live(conn, jobs.PLANNED, name)
    queues: dict[str, list[OnItsWay]] = defaultdict(list)
    for one in planned:
        if one.template in robot.recipes:
            queues[one.queue].append(one)
    if engine is None or not queues:
        return
    try:
        most = (await engine.describe()).max_batch
        for queue, mine in queues.items():
            try:
                for chunk in chunks(mine, most):
                    specs = _specs(robot, chunk, troubles)
                    turned.submitted += await _submit(robot, engine, queue, specs, moment)
            except EngineError as error:
                if error.passing:
                    raise
                troubles[str(error)] = None  # it refused this queue: the others are of other sites
    except Exception as error:  # noqa: BLE001 -- as in `_look`
        troubles[said(error)] = None
    if troubles:
        turned.troubles.append((name, "; ".join(troubles)))


def _specs(robot: Robot, mine: Sequence[OnItsWay], troubles: dict[str, None]) -> Mapping[OnItsWay, JobSpec]:
    """What runs, before any engine hears of it; a job that cannot be described waits, and costs the others nothing."""
    found: dict[OnItsWay, JobSpec] = {}
    for one in mine:
        try:
            found[one] = robot.recipes[one.template].spec(one.job)
        except HelpdeskError as error:
            troubles[str(error)] = None
    return found


async def _submit(
    robot: Robot, engine: Engine, queue: str, specs: Mapping[OnItsWay, JobSpec], moment: Moment
) -> list[OnItsWay]:
    """The tag is committed first; an error that says nothing was taken lets the batch be planned again."""
    if not specs:
        return []
    tag = f"hd{secrets.token_hex(8)}"
    with robot.database.begin() as conn:
        wanted = jobs.hand_over(conn, [one.job for one in specs], tag)
    specs = {one: spec for one, spec in specs.items() if one.job in wanted}
    if not specs:  # a load test was stopped while the engine kept us waiting
        return []
    try:
        handles = await engine.submit(Batch(tag, queue, tuple(specs.values())))
    except EngineError as error:
        if not error.passing:  # it refused to have it; after a passing one it may have it all the same
            with robot.database.begin() as conn:
                jobs.taken_back(conn, tag)
            with contextlib.suppress(EngineError):  # what it wrote down before it was refused
                await engine.forget([tag])
        raise
    now = moment()
    with robot.database.begin() as conn:
        jobs.accepted(conn, [(one.job, one.engine_job_id) for one in handles], now)
    taken = {one.job: one.engine_job_id for one in handles}
    return [replace(one, t_submitted=now, engine_job_id=taken[one.job]) for one in specs if one.job in taken]
