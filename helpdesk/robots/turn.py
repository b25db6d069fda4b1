"""One turn: ask every engine once, write what has ended, plan what is due, hand it over.

Plan, commit, act, look, as on the board: a job is a row before its engine hears of it, and its batch has its name before it is sent, so a
crash at any point is the same as a slow turn (docs/robots.md).  An engine that fails costs its own jobs a turn, and nobody else anything.
"""

import asyncio
import contextlib
import secrets
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine as Database

from helpdesk.robots.codes import Lookup
from helpdesk.robots.engine import Batch, Engine, EngineError, Fetched, Handle, JobSpec, Status
from helpdesk.robots.outcome import OnItsWay, Work, lost, record_of
from helpdesk.robots.record import FINAL, JobState, Record
from helpdesk.robots.schedule import Intent, Lane, within
from helpdesk.store import jobs, records
from helpdesk.store.core import chunks

SILENT = timedelta(hours=1)
"""How long an engine may know nothing of a job before it is lost."""

OVERDUE = timedelta(days=1)
"""How long a job may be on its way, beyond its wall limit, whatever its engine says."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a template becomes a job."""

    experiment: str
    version: str
    test_kind: str
    spec: Callable[[str], JobSpec]  # our id -> what runs
    work: Callable[[str], Work]  # our id -> what it reads
    wall: timedelta


@dataclass(frozen=True, slots=True)
class Robot:
    """Everything that a turn works with."""

    database: Database
    engines: Mapping[str, Engine]
    recipes: Mapping[str, Recipe]  # by template
    folder: Path  # where results land
    most: int  # jobs on their way in one lane
    lookup: Lookup = field(default_factory=Lookup)


@dataclass(slots=True)
class Turned:
    """What a turn did."""

    records: list[Record] = field(default_factory=list)
    submitted: list[OnItsWay] = field(default_factory=list)
    kept: list[Intent] = field(default_factory=list)  # no room in their queue
    troubles: list[tuple[str, str]] = field(default_factory=list)  # (engine, what it said)


async def turn(robot: Robot, intents: Sequence[Intent], now: datetime) -> Turned:
    """Look at everything that is on its way, then send what is intended."""
    turned = Turned()
    with robot.database.connect() as conn:
        live = jobs.live(conn)
    by_engine: dict[str, list[OnItsWay]] = defaultdict(list)
    for one in live:
        by_engine[one.engine].append(one)
    looks = [_look(robot, name, mine, now) for name, mine in by_engine.items()]
    for name, (ended, trouble) in zip(by_engine, await asyncio.gather(*looks), strict=True):
        turned.records += ended
        if trouble:
            turned.troubles.append((name, trouble))
    _enter(robot, intents, turned)
    await _send(robot, turned, now)
    return turned


# -- look -------------------------------------------------------------------------------------------------------------


async def _look(robot: Robot, name: str, mine: Sequence[OnItsWay], now: datetime) -> tuple[list[Record], str]:
    """What became of the jobs of one engine; records are written before they are told."""
    engine, trouble = robot.engines.get(name), ""
    ended: list[Record] = []
    if engine is None:
        trouble = f"no engine {name!r} is configured any more"
    else:
        try:
            ended += await _reconcile(robot, engine, mine, now)
            ended += await _poll(robot, engine, [one for one in mine if one.stage == jobs.SUBMITTED], now)
        except EngineError as error:
            trouble = str(error)
        except Exception as error:  # noqa: BLE001 -- an answer that nobody thought of costs its own engine a turn, and no other
            trouble = _odd(error)
    gone = {one.job for one in ended}
    ended += [
        _overdue(robot, one, now) for one in mine if one.job not in gone and _is_overdue(robot, one, now)
    ]
    with robot.database.begin() as conn:
        records.add(conn, ended)
        forgotten = jobs.finished_tags(conn, {one.tag for one in mine if one.job in {r.job for r in ended}})
    if engine is not None and forgotten:
        try:
            await engine.forget(forgotten)
        except EngineError as error:
            trouble = trouble or str(error)
    return ended, trouble


async def _reconcile(robot: Robot, engine: Engine, mine: Sequence[OnItsWay], now: datetime) -> list[Record]:
    """Batches whose hand-over was cut short: what the engine has is submitted, what it has not never will be."""
    open_ = [one for one in mine if one.stage == jobs.SUBMITTING]
    if not open_:
        return []
    found = {handle.job: handle for _, handle in await engine.reconcile({one.tag for one in open_})}
    with robot.database.begin() as conn:
        jobs.accepted(
            conn, [(one.job, found[one.job].engine_job_id) for one in open_ if one.job in found], now
        )
    words = "the engine has nothing of its batch: it was never submitted, and is not tried again"
    return [
        lost(one, "local:never_submitted", words, robot.lookup, now) for one in open_ if one.job not in found
    ]


async def _poll(robot: Robot, engine: Engine, mine: Sequence[OnItsWay], now: datetime) -> list[Record]:
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
    going = [one for one in told if one.state not in FINAL]
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
    recipe = robot.recipes.get(job.template)
    work = Work() if recipe is None else recipe.work(job.job)
    return record_of(job, status, fetched, work, robot.lookup, now)


def _is_overdue(robot: Robot, job: OnItsWay, now: datetime) -> bool:
    recipe = robot.recipes.get(job.template)
    wall = timedelta(0) if recipe is None else recipe.wall
    return job.stage != jobs.PLANNED and now - (job.t_submitted or job.t_scheduled) > wall + OVERDUE


def _overdue(robot: Robot, job: OnItsWay, now: datetime) -> Record:
    return lost(
        job, "local:overdue", f"no result for longer than its wall time and {OVERDUE}", robot.lookup, now
    )


# -- send -------------------------------------------------------------------------------------------------------------


def _enter(robot: Robot, intents: Sequence[Intent], turned: Turned) -> None:
    """What is intended and finds room becomes a row."""
    with robot.database.begin() as conn:
        going, turned.kept = within(
            [one for one in intents if one.template in robot.recipes], jobs.waiting(conn), robot.most
        )
        jobs.plan(conn, [_planned(robot, one) for one in going])


def _planned(robot: Robot, intent: Intent) -> OnItsWay:
    recipe, lane = robot.recipes[intent.template], intent.lane
    return OnItsWay(
        job=intent.job,
        tag="",
        stage=jobs.PLANNED,
        experiment=lane.experiment,
        campaign_id=intent.campaign,
        test_kind=recipe.test_kind,
        template=intent.template,
        template_version=recipe.version,
        site=lane.site,
        engine=lane.engine,
        queue=lane.queue,
        attempt=1,
        engine_job_id="",
        state=JobState.SUBMITTED.value,
        t_scheduled=intent.at,
        t_submitted=None,
        t_started=None,
        silent_since=None,
    )


async def _send(robot: Robot, turned: Turned, now: datetime) -> None:
    """A batch for each queue; engines work side by side, the batches of one engine one after the other."""
    with robot.database.connect() as conn:
        planned = jobs.live(conn, jobs.PLANNED)
    by_engine: dict[str, dict[str, list[OnItsWay]]] = defaultdict(lambda: defaultdict(list))
    for one in planned:
        if one.template in robot.recipes and one.engine in robot.engines:
            by_engine[one.engine][one.queue].append(one)
    sent = [_send_to(robot, name, queues, now) for name, queues in by_engine.items()]
    for name, (submitted, trouble) in zip(by_engine, await asyncio.gather(*sent), strict=True):
        turned.submitted += submitted
        if trouble:
            turned.troubles.append((name, trouble))


async def _send_to(
    robot: Robot, name: str, queues: Mapping[str, Sequence[OnItsWay]], now: datetime
) -> tuple[list[OnItsWay], str]:
    engine, submitted, troubles = robot.engines[name], list[OnItsWay](), dict[str, None]()
    try:
        most = (await engine.describe()).max_batch
        for queue, mine in queues.items():
            try:
                for chunk in chunks(mine, most):
                    submitted += await _submit(robot, engine, queue, chunk, now)
            except EngineError as error:
                if error.passing:
                    raise
                troubles[str(error)] = None  # it refused this queue: the others are of other sites
    except EngineError as error:
        troubles[str(error)] = None
    except Exception as error:  # noqa: BLE001 -- as in `_look`
        troubles[_odd(error)] = None
    return submitted, "; ".join(troubles)


def _odd(error: Exception) -> str:
    """What it was, and where; its words may quote anything."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}: please report this"


async def _submit(
    robot: Robot, engine: Engine, queue: str, mine: Sequence[OnItsWay], now: datetime
) -> list[OnItsWay]:
    """The tag is committed first; an error that says nothing was taken lets the batch be planned again."""
    tag = f"hd{secrets.token_hex(8)}"
    with robot.database.begin() as conn:
        jobs.hand_over(conn, [one.job for one in mine], tag)
    specs = tuple(robot.recipes[one.template].spec(one.job) for one in mine)
    try:
        handles = await engine.submit(Batch(tag, queue, specs))
    except EngineError as error:
        if not error.passing:  # it refused to have it; after a passing one it may have it all the same
            with robot.database.begin() as conn:
                jobs.taken_back(conn, tag)
            with contextlib.suppress(EngineError):  # what it wrote down before it was refused
                await engine.forget([tag])
        raise
    with robot.database.begin() as conn:
        jobs.accepted(conn, [(one.job, one.engine_job_id) for one in handles], now)
    taken = {one.job: one.engine_job_id for one in handles}
    return [replace(one, t_submitted=now, engine_job_id=taken[one.job]) for one in mine if one.job in taken]


def lanes(recipes: Mapping[str, Recipe], all_lanes: Iterable[Lane]) -> dict[str, list[Lane]]:
    """For each template the lanes that its experiment's jobs can take."""
    found: dict[str, list[Lane]] = {}
    for name, recipe in recipes.items():
        found[name] = [lane for lane in all_lanes if lane.experiment == recipe.experiment]
    return found
