"""An engine that says nothing for days: what becomes of its jobs, and that no site pays for it."""

import asyncio
from collections.abc import Collection, Coroutine, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from helpdesk.robots import bounded, judging
from helpdesk.robots.bounded import Bounded
from helpdesk.robots.engine import EngineError, EngineInfo, Handle, Status
from helpdesk.robots.engines.local import LocalEngine
from helpdesk.robots.judging import SiteInfo
from helpdesk.robots.record import Blame, JobState, Record
from helpdesk.robots.robot import Turned
from helpdesk.robots.serving import OVERDUE
from helpdesk.robots.turn import Turns
from helpdesk.robots.verdict import make_policy
from tests.robots import T0, Floor, intents

LATE = T0 + OVERDUE + timedelta(minutes=2)


class Mute(LocalEngine):
    """The engine `local`, which never answers while it is mute, and has no bound of its own; `stubborn`: nor can it be interrupted."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "jobs", {"desy": 16})
        self.mute, self.stubborn, self.asked = False, False, 0
        self.over = asyncio.Event()

    async def _answer(self) -> None:
        self.asked += 1
        while self.mute:
            try:
                await self.over.wait()
            except asyncio.CancelledError:
                if not self.stubborn:
                    raise

    async def describe(self) -> EngineInfo:
        await self._answer()
        return await super().describe()

    async def poll(self, handles: Collection[Handle]) -> Sequence[Status]:
        await self._answer()
        return await super().poll(handles)

    async def cancel(self, handles: Collection[Handle]) -> None:
        await self._answer()
        await super().cancel(handles)


def played(tmp_path: Path, jobs: int) -> tuple[Floor, Mute, list[Record]]:
    """Jobs that leave; then the engine says nothing until they are overdue."""
    engine = Mute(tmp_path)
    floor = Floor(tmp_path, engine)

    async def play() -> list[Record]:
        turns = Turns(floor.robot, answer=0.2)
        await turns.turn(intents("good", jobs), T0)
        engine.mute = True
        early = await turns.turn((), T0 + OVERDUE)
        assert (early.records, [name for name, _ in early.troubles]) == ([], ["local"])
        return (await turns.turn((), LATE)).records

    return floor, engine, asyncio.run(play())


def test_jobs_of_an_engine_that_never_answers_are_lost_in_time(tmp_path: Path) -> None:
    """They get their record a day after their wall limit, which says that nobody could be asked; what the engine says later changes nothing."""
    floor, engine, ended = played(tmp_path, 2)
    assert [(one.state, one.native_code, one.blame) for one in ended] == [
        (JobState.LOST, "local:engine_silent", Blame.CENTRAL)
    ] * 2
    assert floor.live() == 0
    engine.mute = False
    floor.turn(*intents("good", 2), now=LATE)
    floor.turn(*intents("wrong", 1), now=LATE)
    floor.until_done(LATE)
    assert sorted(one.state for one in floor.records().values()) == [JobState.FAILED, *[JobState.LOST] * 2]
    floor.close()


def test_an_engine_is_told_of_while_it_is_mute_and_served_after_it(tmp_path: Path) -> None:
    """A question that has no answer is a trouble with the engine's name, and costs its jobs nothing once it answers."""
    engine = Mute(tmp_path)
    floor = Floor(tmp_path, engine)

    async def play() -> Turned:
        turns = Turns(floor.robot, answer=0.2)
        engine.mute = True
        mute = await turns.turn(intents("good", 2), T0)
        assert mute.troubles == [("local", "it did not answer describe in 0.00333333 min")]
        engine.mute = False
        return await turns.turn((), T0)

    turned = asyncio.run(play())
    assert (len(turned.submitted), turned.troubles) == (2, [])
    floor.until_done()
    assert {one.state for one in floor.records().values()} == {JobState.SUCCESS}
    floor.close()


def test_no_site_is_out_because_its_engine_was_silent(tmp_path: Path) -> None:
    """Eight jobs that were lost with the engine's silence put no site out, although as many that were lost otherwise would."""
    floor, _, ended = played(tmp_path, 8)
    floor.close()
    assert len(ended) == 8
    assert _out(ended) == set()
    otherwise = [one.__class__(**{**_fields(one), "blame": Blame.UNKNOWN}) for one in ended]
    assert _out(otherwise) == {"DESY-HH"}


def _fields(record: Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def _out(ended: Sequence[Record]) -> set[str]:
    """Who is out when these jobs have ended and all is well elsewhere."""
    sites = {name: SiteInfo("", "", 2, 100) for name in ["DESY-HH", *(f"S{n}" for n in range(12))]}
    mine = judging.judge("atlas", sites, ["good"], T0, make_policy)
    for minutes in range(0, 60 * 25, 15):
        for place, name in enumerate(sites):
            if name != "DESY-HH":
                at = T0 + timedelta(minutes=minutes + place / 20)
                one = {
                    **_fields(ended[0]),
                    "site": name,
                    "job": f"{name}-{minutes}",
                    "state": JobState.SUCCESS,
                    "blame": None,
                }
                mine.ended(Record(**{**one, "t_final": at, "t_observed": at, "t_submitted": at}))
    for record in ended:
        mine.recalled(record)
    told = [one for asked in mine.until(LATE + timedelta(hours=1)) for one in asked.decisions]
    return set(judging.excluded((site, action) for site, action, _ in told))


def test_a_question_that_cannot_be_interrupted_is_the_only_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that does not even end what was given up is not asked again before it has, however often somebody wants to."""
    monkeypatch.setattr(bounded, "PARTING_SECONDS", 0.05)
    engine = Mute(tmp_path)
    asked = Bounded(engine, 0.05)

    async def refused(asking: Coroutine[Any, Any, object]) -> str:
        with pytest.raises(EngineError) as raised:
            await asking
        assert raised.value.passing
        return str(raised.value)

    async def play() -> None:
        engine.mute = engine.stubborn = True
        assert "did not answer" in await refused(asked.describe())
        for _ in range(3):
            assert "has not ended yet" in await refused(asked.poll([]))
        assert engine.asked == 1
        engine.mute = False
        engine.over.set()
        await asyncio.sleep(0.01)
        assert (await asked.describe()).name == "local"

    asyncio.run(play())
