"""The robots at work: what is due is sent, sites that fail go out and come back, and a restart changes nothing."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from helpdesk.robots.judging import TICK, Downtime, SiteInfo
from helpdesk.robots.plan import Plan, replayed
from helpdesk.robots.protocol import Decision, Info, Record, Wish
from helpdesk.robots.record import JobState, TestKind
from helpdesk.robots.record import Record as Attempt
from helpdesk.robots.schedule import Lane, Mix
from helpdesk.robots.service import LAST, REQUEST, Service
from helpdesk.robots.thread import RobotThread
from helpdesk.store import jobs, meta, records, requests, robot_troubles, site_orders, verdicts
from helpdesk.store.site_orders import Kind, SiteOrder
from helpdesk.store.verdicts import Change
from tests.robots import T0, Floor, recipe
from tests.servers.daemon import eventually

SITES = ("DESY-HH", "RAL")
LANES = tuple(Lane(site, "atlas", "local", "desy") for site in SITES)
TICKS = timedelta(seconds=TICK)


@dataclass
class ThreeInARow:
    """The rule of 2009: three failures in a row put a site out, a success takes it back; who is out gets a probe."""

    info: Info
    row: Counter[str] = field(default_factory=Counter)
    out: set[str] = field(default_factory=set)
    seen: list[Record] = field(default_factory=list)
    fault: bool = False

    def observe(self, record: Record) -> None:
        self.seen.append(record)
        if record["record"] == "job" and record["state"] != "submitted":
            self.row[record["site"]] = 0 if record["state"] == "success" else self.row[record["site"]] + 1

    def due_probes(self, now: float) -> Sequence[Wish]:
        return (
            [(site, self.info["templates"][0], 1) for site in sorted(self.out)]
            if int(now) % 1800 == 0
            else []
        )

    def decisions(self, now: float) -> Sequence[Decision]:
        told: list[Decision] = [] if not self.fault else [("", "include", str(1 / 0))]
        for site in self.info["sites"]:
            if self.row[site] >= 3 and site not in self.out:
                self.out.add(site)
                told.append((site, "exclude", f"three failures in a row, known at {now:.0f}"))
            elif self.row[site] == 0 and site in self.out:
                self.out.discard(site)
                told.append((site, "include", "a success"))
        return told


@dataclass
class Works:
    """A service over real jobs whose time is the test's."""

    floor: Floor
    mixes: dict[Lane, Mix] = field(default_factory=dict)
    downtimes: list[Downtime] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    policies: list[ThreeInARow] = field(default_factory=list)
    now: datetime = T0

    def __post_init__(self) -> None:
        self.service = self.restarted()

    def make(self, info: Info) -> ThreeInARow:
        self.policies.append(ThreeInARow(info))
        return self.policies[-1]

    def restarted(self) -> Service:
        sites = {site: SiteInfo("DE", f"{site}-se", 2, 48) for site in SITES}
        plan = Plan(
            LANES,
            self.mixes,
            sites,
            self.make,
            "three-1",
            lambda _now: self.downtimes,
            self.blacklist,
            lambda: list(self.complaints),
        )
        self.plan = plan
        self.service = Service(self.floor.robot, plan)
        return self.service

    @property
    def blacklist(self) -> Path:
        return self.floor.folder / "out" / "blacklist.json"

    def step(self, minutes: float = 5) -> None:
        """Time goes by; then a step, and the jobs that it sent run to their end."""
        self.now += timedelta(minutes=minutes)
        asyncio.run(self.service.step(self.now))
        before = self.floor.live()
        if before:
            self.floor.until_done(self.now)

    def ask(self, site: str, template: str, count: int = 1) -> None:
        with self.floor.database.begin() as conn:
            requests.ask(
                conn,
                REQUEST,
                {"site": site, "template": template, "count": count, "campaign": "manual"},
                self.now,
            )

    def troubles(self) -> list[tuple[str, datetime]]:
        with self.floor.database.connect() as conn:
            return [(one.what, one.since) for one in robot_troubles.read(conn)]

    def changes(self) -> list[tuple[str, str]]:
        with self.floor.database.connect() as conn:
            return [(one.site, one.action) for one in verdicts.since(conn, T0)]


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    floor = Floor(tmp_path)
    yield Works(floor)
    floor.close()


def test_routine(works: Works) -> None:
    """Each queue gets its jobs through the day; every job has its record."""
    works.mixes |= {lane: Mix((("good", 1),), 48, jitter=0) for lane in LANES}
    works.restarted()
    for _ in range(13):
        works.step(10)
    sites = Counter(one.site for one in works.floor.records().values())
    assert set(sites) == set(SITES)
    assert all(3 <= count <= 5 for count in sites.values())


def test_asked_for_more_than_there_is_room_for(works: Works) -> None:
    """What a person asks for and finds no room in its queue goes later, each job once, whether the robots were restarted meanwhile or not."""
    works.floor.robot = replace(works.floor.robot, most=2)
    works.ask("RAL", "good", 5)
    for _ in range(4):
        works.restarted()
        works.step()
    assert len(works.floor.ran()) == len(set(works.floor.ran())) == 5
    with works.floor.database.connect() as conn:
        assert requests.open_requests(conn, REQUEST) == []


def test_asked_for_by_hand(works: Works) -> None:
    """What a person asks for runs once, at that site."""
    works.ask("RAL", "good", 2)
    works.step()
    works.step()
    assert [(one.site, one.campaign_id) for one in works.floor.records().values()] == [("RAL", "manual")] * 2


def fail(works: Works, site: str = "DESY-HH", template: str = "wrong") -> None:
    """Three jobs fail, and the policy has been asked since."""
    works.ask(site, template, 3)
    works.step()
    feed(works)
    works.step()


def feed(works: Works) -> None:
    """Jobs that ended within a step were recorded by the helper of the tests: a restarted service reads them."""
    works.restarted()


def test_out_and_back(works: Works) -> None:
    """A site that fails goes out, in the table and in both files; a success takes it back."""
    fail(works)
    assert works.changes() == [("DESY-HH", "exclude")]
    said = json.loads(works.blacklist.read_text())
    assert list(said["excluded"]["atlas"]) == ["DESY-HH"]
    assert "three failures in a row" in said["excluded"]["atlas"]["DESY-HH"]["reason"]
    assert works.blacklist.with_suffix(".txt").read_text().startswith("atlas\tDESY-HH\t2026-06-08T12:")
    fail(works, template="good")
    assert works.changes() == [("DESY-HH", "exclude"), ("DESY-HH", "include")]
    assert json.loads(works.blacklist.read_text())["excluded"] == {}
    assert works.blacklist.with_suffix(".txt").read_text() == ""


def test_restart(works: Works) -> None:
    """A restarted service comes to the same verdicts, and says nothing twice."""
    fail(works)
    for _ in range(3):
        works.restarted()
        works.step()
    assert works.changes() == [("DESY-HH", "exclude")]


def test_asked_on_the_grid(works: Works) -> None:
    """Policies are asked at fixed moments, in order, with what was known then, whenever the steps fall."""
    for minutes in (3.3, 0.1, 12, 4.9):
        works.step(minutes)
    policy = works.policies[-1]
    assert policy.info["t0"] % TICK == 0
    assert policy.info["tick_s"] == TICK


def test_probes(works: Works) -> None:
    """What a policy asks for is sent, once, as a probe to that site."""
    fail(works)
    for _ in range(8):
        works.step()
    probes = [one for one in works.floor.records().values() if one.campaign_id == "probe"]
    assert {one.site for one in probes} == {"DESY-HH"}
    assert 1 <= len(probes) <= 2


def test_downtime(works: Works) -> None:
    """A site in a declared outage gets no routine job, and its policy knows of it."""
    works.mixes |= {lane: Mix((("good", 1),), 288, jitter=0) for lane in LANES}
    works.downtimes.append(Downtime("RAL", T0, T0, T0 + timedelta(hours=1)))
    works.restarted()
    for _ in range(6):
        works.step()
    assert {one.site for one in works.floor.records().values()} == {"DESY-HH"}
    said = [one for one in works.policies[-1].seen if one["record"] == "downtime"]
    assert [one["site"] for one in said] == ["RAL"]


def test_long_pause(works: Works) -> None:
    """After a night without the daemon each queue gets one job, not twenty."""
    works.mixes |= {lane: Mix((("good", 1),), 48, jitter=0) for lane in LANES}
    works.restarted()
    works.step()
    before = len(works.floor.records())
    works.step(10 * 60)
    assert len(works.floor.records()) - before == 2


def test_blacklist_that_cannot_be_written(works: Works) -> None:
    """A file that cannot be written is told, and the robots go on."""
    works.blacklist.parent.write_text("a file where a folder should be")
    fail(works)
    assert works.service.troubles is not None
    [(what, words)] = works.service.troubles
    assert (what, "cannot be written" in words) == ("blacklist", True)
    assert [one for one, _ in works.troubles()] == ["blacklist"]
    assert works.changes() == [("DESY-HH", "exclude")]
    works.blacklist.parent.unlink()
    works.step()
    assert works.service.troubles == frozenset()
    assert works.troubles() == []
    assert works.blacklist.exists()


def test_imported_records(works: Works) -> None:
    """Records that somebody else writes while the robots run are heard of with the next step, and decide."""
    works.step()
    first = Attempt(
        job="import-0",
        experiment="atlas",
        site="RAL",
        template="good",
        template_version="1",
        test_kind=TestKind.FUNCTIONAL,
        campaign_id="sam",
        attempt=1,
        engine="import",
        queue="",
        state=JobState.FAILED,
        t_final=works.now,
        t_observed=works.now,
    )
    foreign = [first, replace(first, job="import-1"), replace(first, job="import-2")]
    with works.floor.database.begin() as conn:
        records.add(conn, foreign)
        requests.ask(conn, requests.RECORDS, {}, works.now)
    works.step()
    works.step()
    assert works.changes() == [("RAL", "exclude")]
    assert len(works.policies) == 2


def test_a_trouble_keeps_its_beginning(works: Works) -> None:
    """What is wrong with a calendar is written down with when it began, over a restart too, and is gone when it is mended."""
    said = ["the downtimes of RAL cannot be read: d.ics: No such file or directory"]
    works.complaints = said
    works.restarted()
    works.step()
    began = works.now
    works.restarted()
    works.step()
    said.append("the downtimes of CERN: d.ics: an event has no start: it is left out")
    works.step()
    assert works.troubles() == [("downtimes", began)]
    said.clear()
    works.step()
    assert works.troubles() == []


def test_a_step_that_cannot_be_made(works: Works) -> None:
    """What ends every step with an error is told to whoever asks what is wrong, until a step ends well; nothing is forgotten meanwhile."""
    works.step()
    policy, began = works.policies[-1], works.now
    policy.fault = True
    works.ask("RAL", "wrong", 3)
    with works.floor.database.begin() as conn:
        robot_troubles.keep(conn, [("slurm", "it is down")], began)
    thread = RobotThread(works.service, lambda: works.now + TICKS, lambda *_: None, lambda _error: None)
    thread.start()
    eventually(lambda: len(works.troubles()) == 2, "the trouble is told")
    thread.stop()
    assert works.troubles() == [("slurm", began), ("robots", began + TICKS)]
    with works.floor.database.connect() as conn:
        assert "ZeroDivisionError in test_robots_service.py" in robot_troubles.read(conn)[1].words
    works.floor.until_done(works.now)
    works.step(15)
    assert (works.troubles(), works.changes()) == ([], [("RAL", "exclude")])


def test_stress_is_no_evidence(works: Works) -> None:
    """Records of stress tests never reach a policy."""
    stress = replace(recipe("exit 1"), test_kind="stress")
    works.floor.robot = replace(works.floor.robot, recipes={**works.floor.robot.recipes, "stress": stress})
    works.restarted()
    fail(works, template="stress")
    assert works.changes() == []
    assert works.policies[-1].seen == []
    with works.floor.database.connect() as conn:
        assert [one.state for one in records.read(conn)] == [JobState.FAILED] * 3
        assert meta.get(conn, LAST) is not None


def test_a_crash_before_the_blacklist_is_written(works: Works) -> None:
    """What was decided and is not in the files, because the robots ended in between, is there after their next step."""
    works.step()
    with works.floor.database.begin() as conn:
        verdicts.add(conn, [Change(works.now, "atlas", "RAL", "exclude", "nothing succeeds", "three-1")])
        site_orders.add(conn, SiteOrder("RAL", Kind.PAUSE, works.now, None, "Eva", team=True))
    works.restarted()
    works.step()
    assert list(json.loads(works.blacklist.read_text())["excluded"]["atlas"]) == ["RAL"]


def test_a_clock_that_was_wrong(works: Works) -> None:
    """After a step in a wrong year the robots send and decide as before: nobody has to restart them."""
    works.mixes |= {lane: Mix((("good", 1),), 48, jitter=0) for lane in LANES}
    works.restarted()
    works.step()
    asyncio.run(works.service.step(works.now + timedelta(days=365)))
    works.floor.until_done(works.now)
    works.step()
    before = len(works.floor.records())
    works.step(60)
    assert len(works.floor.records()) > before
    works.ask("RAL", "wrong", 3)
    asyncio.run(works.service.step(works.now))
    while works.floor.live():
        asyncio.run(works.service.step(works.now))
    works.step()
    assert works.changes() == [("RAL", "exclude")]


def test_what_a_restart_recalls(works: Works) -> None:
    """To a policy that is made anew its own jobs left before they ended, and those on their way have left; foreign records only ended."""
    works.ask("RAL", "good")
    works.step()
    asyncio.run(works.service.step(works.now))
    [ours] = works.floor.records().values()
    foreign = replace(ours, job="import-1")
    works.ask("RAL", "slow")
    asyncio.run(works.service.step(works.now))
    with works.floor.database.begin() as conn:
        records.add(conn, [foreign])
        [live] = jobs.live(conn)
        judges = replayed(works.plan, {"good": "atlas", "slow": "atlas"}, conn, works.now)
    for _ in judges["atlas"].until(works.now + TICKS):
        pass
    seen = Counter((one["engine_job_id"], one["state"]) for one in works.policies[-1].seen)
    assert seen == {
        (ours.job, "submitted"): 1,
        (ours.job, "success"): 1,
        (live.job, "submitted"): 1,
        ("import-1", "success"): 1,
    }


def test_a_step_that_died_forgets_no_routine(works: Works) -> None:
    """What was due when a step was cut short before it was planned is sent by the next one."""
    works.mixes |= {lane: Mix((("good", 1),), 48, jitter=0) for lane in LANES}
    works.step()
    before = len(works.floor.records())
    working = works.floor.robot
    works.floor.robot = replace(working, most="none")  # type: ignore[arg-type]  # the planning breaks
    works.restarted()
    with pytest.raises(TypeError):
        works.step(35)
    works.floor.robot = working
    works.restarted()
    works.step(0.1)
    assert len(works.floor.records()) - before == len(LANES)
