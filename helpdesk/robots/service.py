"""The robots of a board at work: what is due is sent, what comes back is judged, who is out is written down.

One step does all of it.  Everything that a step must remember is in the database; policies are made anew at a start, from the records of
the last weeks (`helpdesk.robots.judging`).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from helpdesk.robots import blacklist, central
from helpdesk.robots.judging import MEMORY, TICK, Asked, Downtime, Judge, excluded
from helpdesk.robots.loading import LoadTests
from helpdesk.robots.plan import Plan, replayed
from helpdesk.robots.protocol import Policy
from helpdesk.robots.robot import Robot, Turned
from helpdesk.robots.ruling import Opinions, news, outage
from helpdesk.robots.schedule import Intent, Lane, asked, routine
from helpdesk.robots.serving import said
from helpdesk.robots.turn import Turns
from helpdesk.robots.verdict import Verdicts, words
from helpdesk.store import boardmails, incidents, meta, requests, robot_troubles, site_orders, verdicts
from helpdesk.store.incidents import Part
from helpdesk.store.requests import Request
from helpdesk.store.site_orders import Ruling, SiteOrder
from helpdesk.store.verdicts import Change

LAST = "robots.turn"
REQUEST = requests.ROBOTS
MANUAL = "manual"
"""The campaign of what the team asks for by hand."""


class Service:
    """One board's robots; its methods run one at a time.  `patience`: the seconds that a step waits for engines (`Turns`)."""

    def __init__(self, robot: Robot, plan: Plan, patience: float | None = None) -> None:
        self._robot = robot
        self._turns = Turns(robot, patience)
        self._loads = LoadTests(robot, plan.load)
        self._plan = plan
        self._judges: dict[str, Judge] | None = None
        self._wishes: list[Intent] = []  # asked for by policies, not sent yet
        self._declared: set[Downtime] = set()
        self._orders: Sequence[SiteOrder] | None = None  # of people, in force
        self._rulings: Mapping[str, Ruling] = {}
        self._opinions = Opinions()
        self._found: list[Part] | None = None  # the failures of many sites, as they were written last
        self._written = (
            False  # whether the blacklist's files say what the rows say; a crash may have come between
        )
        self._unwritten = ""  # why they could not be written
        self.troubles: frozenset[tuple[str, str]] | None = None  # what is wrong, and in words

    async def step(self, now: datetime) -> Turned:
        """Look, judge, send."""
        try:
            return await self._step(now)
        except BaseException:
            self._judges = None  # it may have missed what happened meanwhile: the records tell it all
            raise

    def began(self, now: datetime) -> None:
        """A daemon begins: from now on somebody should look."""
        with self._robot.database.begin() as conn:
            robot_troubles.started(conn, now)

    def broke(self, error: Exception, now: datetime) -> None:
        """A step ended with an error: whoever asks what is wrong learns it, until one ends well."""
        with self._robot.database.begin() as conn:
            known = {one.what: one.words for one in robot_troubles.read(conn)}
            self.troubles = frozenset(
                {**known, robot_troubles.STEP: f"a step cannot be made: {said(error)}"}.items()
            )
            robot_troubles.keep(conn, self.troubles, now)

    async def _step(self, now: datetime) -> Turned:
        self._read_anew(now)
        judges = self._ready(now)
        open_ = self._rule(judges, now)
        with self._robot.database.connect() as conn:
            due = self._due(conn, now)
        intents = [*due, *(intent for one in open_ for intent in self._requested(one)), *self._wishes]
        refused = await self._loads.step(now)
        turned = await self._turns.turn([one for one in intents if self._may_go(one)], now)
        turned.troubles += [one for one in refused if one[0] not in dict(turned.troubles)]
        self._close(open_, turned, now)
        self._feed(judges, turned)
        told = [one for mine in judges.values() for one in mine.until(now)]
        self._wishes = [intent for one in told for intent in self._probes(one)]
        self._decide(told, judges, now)
        self._find_incidents(judges, now)
        self._note(turned, now)
        return turned

    @property
    def busy(self) -> bool:
        """Whether a load test runs, which wants to be looked at more often."""
        return self._loads.busy

    @property
    def asked(self) -> bool:
        """Whether policies want probes that the next step sends."""
        return bool(self._wishes)

    def policy(self, experiment: str) -> Policy | None:
        """Who judges for an experiment; None before the first step, or without one."""
        mine = (self._judges or {}).get(experiment)
        return None if mine is None else mine.policy

    # -- what is sent

    def _due(self, conn: Connection, now: datetime) -> list[Intent]:
        """Routine since the last step; a first step, or one after a long pause, makes up for nothing."""
        text = meta.get(conn, LAST)
        last = now - timedelta(seconds=TICK) if text is None else datetime.fromisoformat(text)
        down = {one.site for one in self._declared if one.severity == "outage" and one.start <= now < one.end}
        due = [intent for lane, mix in self._plan.mixes.items() for intent in routine(lane, mix, last, now)]
        return [one for one in due if one.lane.site not in down]

    def _may_go(self, intent: Intent) -> bool:
        """A site that is paused gets nothing but what the team asks for by hand."""
        ruling = self._rulings.get(intent.lane.site)
        return ruling is None or ruling.pause is None or intent.campaign == MANUAL

    def _requested(self, one: Request) -> list[Intent]:
        """What somebody asked for: each time the same jobs."""
        return [
            intent
            for lane in self._lanes(str(one.args["site"]), str(one.args["template"]))
            for intent in asked(
                lane, str(one.args["template"]), int(one.args["count"]), str(one.args["campaign"]), one.at
            )
        ]

    def _close(self, open_: Sequence[Request], turned: Turned, now: datetime) -> None:
        """What has all its jobs on their way is done; what found no room for all of them is asked for again, after a restart too."""
        kept = {one.job for one in turned.kept}
        done = [one for one in open_ if not any(x.job in kept for x in self._requested(one))]
        with self._robot.database.begin() as conn:
            meta.put(conn, LAST, now.isoformat())  # what was due until now is planned
            requests.done(conn, done, now)

    def _probes(self, told: Asked) -> list[Intent]:
        return [
            intent
            for site, template, count in told.wishes
            for lane in self._lanes(site, template)[:1]
            for intent in asked(lane, template, count, "probe", told.at)
        ]

    def _lanes(self, site: str, template: str) -> list[Lane]:
        recipe = self._robot.recipes.get(template)
        return [
            one
            for one in self._plan.lanes
            if one.site == site and recipe is not None and one.experiment == recipe.experiment
        ]

    # -- what is decided

    def _ready(self, now: datetime) -> dict[str, Judge]:
        """The judges, made from the records when they are asked for first; what they ask for then was asked for already.

        Judges who were asked about the future know better than to be asked about now: the clock was wrong, and they are made anew.
        """
        ahead = now.timestamp() + TICK
        if self._judges is None or any(one.asked > ahead for one in self._judges.values()):
            templates = {name: recipe.experiment for name, recipe in self._robot.recipes.items()}
            with self._robot.database.connect() as conn:
                self._judges = replayed(self._plan, templates, conn, now)
                out = site_orders.outages(conn, now - MEMORY)
            self._declared = {*self._plan.downtimes(now), *map(outage, out)}
            self._catch_up(self._judges, now)
        return self._judges

    def _read_anew(self, now: datetime) -> None:
        """Records that were imported meanwhile: judges are made anew, as at a start."""
        with self._robot.database.begin() as conn:
            if told := requests.open_requests(conn, requests.RECORDS):
                requests.done(conn, told, now)
                self._judges = None

    def _catch_up(self, judges: Mapping[str, Judge], now: datetime) -> None:
        """What the policies say of the past is their opinion; where another stands, that is a change of now."""
        for name, mine in judges.items():
            told = [one for asked_ in mine.until(now) for one in asked_.decisions]
            out = excluded((site, action) for site, action, _ in told)
            why = {site: reason for site, _, reason in told}
            for site in {one.site for one in self._plan.lanes if one.experiment == name}:
                action = "exclude" if site in out else "include"
                reason = why.get(site, "nothing is known against it any more")
                self._opinions.hear(self._change(now, mine, (site, action, reason)))

    def _change(self, at: datetime, mine: Judge, said: tuple[str, str, str]) -> Change:
        """A decision of a policy, (site, action, reason), as a row."""
        site, action, reason = said
        evidence = _evidence(mine.policy, site)
        return Change(at, mine.experiment, site, action, reason, self._plan.version, evidence=evidence)

    def _rule(self, judges: Mapping[str, Judge], now: datetime) -> Sequence[Request]:
        """Learn what people decided about sites, and make it true; policies hear of downtimes, and who is out by hand is down.

        What people ask for is read in the same transaction: who ends a pause and asks for a test in one breath gets both.
        """
        with self._robot.database.begin() as conn:
            orders = site_orders.in_force(conn, now)
            out, open_ = site_orders.outages(conn, now - MEMORY), requests.open_requests(conn, REQUEST)
            if orders != self._orders:
                self._orders, self._rulings = orders, site_orders.rulings(orders)
                _tell_the_board(conn)
            standing = verdicts.latest(conn)
        down = {*self._plan.downtimes(now), *map(outage, out)}
        for one in news(down, self._declared):
            for mine in judges.values():
                mine.declared(one)
        self._declared = down
        self._write(self._opinions.overdue(standing, self._rulings, now), now)
        return open_

    def _feed(self, judges: Mapping[str, Judge], turned: Turned) -> None:
        for job in turned.submitted:
            if job.experiment in judges:
                judges[job.experiment].submitted(job)
        for record in turned.records:
            if record.experiment in judges:
                judges[record.experiment].ended(record)

    def _decide(self, told: Sequence[Asked], judges: Mapping[str, Judge], now: datetime) -> None:
        """A policy's word is its opinion, and a change where no person decided otherwise."""
        changes = [
            self._change(one.at, judges[one.experiment], decision)
            for one in told
            for decision in one.decisions
        ]
        for one in changes:
            self._opinions.hear(one)
        self._write([one for one in changes if one.site not in self._rulings], now)

    def _find_incidents(self, judges: Mapping[str, Judge], now: datetime) -> None:
        """Write down which failures many sites have in common, where that is news; at a start it always may be."""
        found = [
            one for name, mine in judges.items() for one in central.found(name, mine.policy, self._plan.sites)
        ]
        if found == self._found:
            return
        with self._robot.database.begin() as conn:
            if incidents.keep(conn, found, now):
                _tell_the_board(conn)
        self._found = found

    def _note(self, turned: Turned, now: datetime) -> None:
        """Write down what is wrong, where that is news."""
        found = dict(turned.troubles)
        if self._unwritten:
            found["blacklist"] = self._unwritten
        if complaints := "; ".join(self._plan.complaints()):
            found["downtimes"] = complaints
        troubles = frozenset(found.items())
        if troubles != self.troubles:
            with self._robot.database.begin() as conn:
                robot_troubles.keep(conn, troubles, now)
            self.troubles = troubles

    def _write(self, changes: Sequence[Change], now: datetime) -> None:
        """The rows, then the files; a file that cannot be written does not stop the robots."""
        with self._robot.database.begin() as conn:
            verdicts.add(conn, changes)
            if changes:
                _tell_the_board(conn)
            latest = verdicts.latest(conn)
            knows = bool(latest) or meta.last_cycle(conn) is not None
        path = self._plan.blacklist
        if path is None or not (changes or not self._written or not path.exists()):
            return
        if not knows and path.exists():
            return  # the database was lost: what people decided comes back with the first look at the mailbox
        self._written = False
        try:
            blacklist.write(path, latest, now.astimezone(UTC))
            self._written, self._unwritten = True, ""
        except OSError as error:
            self._unwritten = f"the blacklist cannot be written: {path}: {error.strerror}"


def _tell_the_board(conn: Connection) -> None:
    """The digest in the folder `Board` and the mails about sites are looked at again."""
    boardmails.due(conn)
    requests.ring(conn)


def _evidence(policy: Policy, site: str) -> dict[str, object]:
    """Why a policy changed its mind, where it keeps that: the cause, the reason in a few words, and the account in words."""
    if not isinstance(policy, Verdicts):
        return {}
    last = next((one for one in reversed(policy.history) if one.site == site), None)
    account: dict[str, object] = {"account": policy.explain(site)}
    if last is None:
        return account
    said = words.phrase(last.score, policy.templates) if last.cause == "evidence" else ""
    onset = {"onset": last.score.onset, "classes": dict(last.score.causes)} if last.score.failures else {}
    return {"cause": last.cause, **({"phrase": said} if said else {}), **onset, **account}
