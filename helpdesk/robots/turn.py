"""One turn: plan what is due, then ask every engine once: what has ended is written, what is planned is handed over.

Plan, commit, act, look, as on the board: a job is a row before its engine hears of it, and its batch has its name before it is sent, so a
crash at any point is the same as a slow turn (docs/robots.md).  An engine that fails costs its own jobs a turn, and nobody else anything; one
that takes long goes on by itself, and is heard of in a later turn.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from helpdesk.robots.bounded import ANSWER_SECONDS, Bounded
from helpdesk.robots.outcome import OnItsWay
from helpdesk.robots.record import JobState
from helpdesk.robots.robot import Robot, Turned
from helpdesk.robots.schedule import Intent, within
from helpdesk.robots.serving import said, serve
from helpdesk.store import jobs

SLOW = timedelta(minutes=1)
"""After so long an engine that has not answered is a trouble."""


class Turns:
    """The turns of one robot; each engine has one who asks it, so that nobody asks it twice at once.

    `patience` is how many seconds a turn waits for engines; None: for as long as they take.  `answer` is how many an engine has for one answer.
    """

    def __init__(self, robot: Robot, patience: float | None = None, answer: float = ANSWER_SECONDS) -> None:
        engines = {name: Bounded(engine, answer) for name, engine in robot.engines.items()}
        self._robot = replace(robot, engines=engines)
        self._patience = patience
        self._asking: dict[str, asyncio.Task[Turned]] = {}
        self._since: dict[str, datetime] = {}
        self._said: dict[str, str] = {}  # what was wrong with an engine when it answered last
        self._now = datetime.min.replace(tzinfo=UTC)

    async def turn(self, intents: Sequence[Intent], now: datetime) -> Turned:
        """Send what is intended, and look at everything that is on its way."""
        self._now = now
        turned = Turned(kept=_enter(self._robot, intents))
        heard = self._harvest(turned)
        self._ask()
        if self._asking:
            await asyncio.wait(self._asking.values(), timeout=self._patience)
        heard |= self._harvest(turned)
        self._said = {
            name: words for name, words in self._said.items() if name in heard or name in self._asking
        }
        turned.troubles = sorted({**self._late(), **self._said}.items())
        return turned

    def _ask(self) -> None:
        """Begin with every engine that has jobs of ours, and is not asked already."""
        with self._robot.database.connect() as conn:
            live = jobs.live(conn)
        by_engine: dict[str, list[OnItsWay]] = defaultdict(list)
        for one in live:
            by_engine[one.engine].append(one)
        for name, mine in by_engine.items():
            if name in self._asking:
                continue
            work = serve(self._robot, name, mine, lambda: self._now)
            self._asking[name], self._since[name] = asyncio.create_task(work), self._now

    def _harvest(self, turned: Turned) -> set[str]:
        """Take what those who are done bring; their engines."""
        done = {name: task for name, task in self._asking.items() if task.done()}
        for name, task in done.items():
            del self._asking[name]
            if task.cancelled():  # with its event loop: a crash
                continue
            error = task.exception()
            did = Turned(troubles=[(name, said(error))]) if error is not None else task.result()
            turned.records += did.records
            turned.submitted += did.submitted
            self._said.pop(name, None)
            if did.troubles:
                self._said[name] = "; ".join(dict.fromkeys(words for _, words in did.troubles))
        return set(done)

    def _late(self) -> Mapping[str, str]:
        """Engines that keep us waiting."""
        late = {name: self._since[name] for name in self._asking if self._now - self._since[name] >= SLOW}
        return {
            name: f"it was asked at {since.astimezone(UTC):%H:%M} UTC, and has not answered yet"
            for name, since in late.items()
        }


async def turn(robot: Robot, intents: Sequence[Intent], now: datetime) -> Turned:
    """One turn, for as long as it takes."""
    return await Turns(robot).turn(intents, now)


def _enter(robot: Robot, intents: Sequence[Intent]) -> list[Intent]:
    """What is intended and finds room becomes a row; the rest is told."""
    with robot.database.begin() as conn:
        new = jobs.unknown(conn, [one.job for one in intents])
        going, kept = within(
            [one for one in intents if one.job in new and one.template in robot.recipes],
            jobs.waiting(conn),
            robot.most,
        )
        jobs.plan(conn, [_planned(robot, one) for one in going])
    return kept


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
