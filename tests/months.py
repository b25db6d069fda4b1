"""Weeks of test jobs as a database has them: a simulated world becomes records, verdicts, incidents and the configuration of its sites."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from helpdesk.robots import central
from helpdesk.robots.codes import Lookup
from helpdesk.robots.judging import SiteInfo
from helpdesk.robots.record import JobState, Phase, Record, TestKind
from helpdesk.robots.verdict import VERSION, Verdicts, make_policy, words
from helpdesk.robots.world import Stream, World
from helpdesk.robots.world.stream import Probes
from helpdesk.store import incidents, records, verdicts
from helpdesk.store.verdicts import Change

RATE = 20_000.0  # events a second of the payloads, at a site of the middle


def configured(world: World, zone: str = "UTC") -> str:
    """The sites of a world as a configuration has them."""
    people = (
        '[[people]]\nname = "Dieter Dahl"\naddresses = ["dieter@desy.example.org"]\nroles = ["contact"]\n'
    )
    return people + "".join(
        f'[[site]]\nname = "{one.name}"\ntier = {one.tier}\nregion = "{one.region}"\ntimezone = "{zone}"\n'
        f'contacts = ["Dieter Dahl"]\n[[site.queue]]\nexperiment = "atlas"\nqueue = "{one.name}"\n'
        for one in world.places
    )


def play(world: World, conn: Connection) -> int:
    """Play a world to its end; how many records there are."""
    stream = Stream(world)
    policy = make_policy(world.info())
    probes = Probes(stream, "p")
    sites = {one.name: SiteInfo(one.region, one.se, one.tier, one.jobs_per_day) for one in world.places}
    now, found = world.t0, dict[str, Record]()
    while now < world.end:
        now += world.tick_s
        for _, _, told in sorted([*stream.until(now), *probes.until(now)]):
            policy.observe(told)
            if told["record"] == "job" and told["state"] != "submitted":
                one = record(told)
                found.setdefault(one.job, one)
        for site, template, number in policy.due_probes(now):
            probes.ask(site, template, number, now)
        decided = policy.decisions(now)
        verdicts.add(conn, [_change(policy, now, *one) for one in decided])
        incidents.keep(conn, list(central.found("atlas", policy, sites)), datetime.fromtimestamp(now, UTC))
    records.add(conn, sorted(found.values(), key=lambda one: (one.t_observed, one.job)))
    return len(found)


def record(told: Mapping[str, Any]) -> Record:
    """A record of a world as one of ours."""
    state = JobState(told["state"])
    code = "" if told["native_code"] is None else f"pilot:{told['native_code']}"
    meaning = Lookup().meaning(code)
    good = state is JobState.SUCCESS
    wall = told["wall_s"]
    return Record(
        job=str(told["engine_job_id"]),
        experiment="atlas",
        site=str(told["site"]),
        template=str(told["template"]),
        template_version=str(told["template_version"]),
        test_kind=TestKind.FUNCTIONAL,
        campaign_id=str(told["campaign_id"]),
        attempt=int(told["attempt"]),
        engine="slurm",
        queue=str(told["site"]),
        engine_job_id=str(told["engine_job_id"]).lstrip("j"),
        node=told["node"] or "",
        t_scheduled=_time(told["t_submitted"]),
        t_submitted=_time(told["t_submitted"]),
        t_started=_time(told["t_started"]),
        t_final=_time(told["t_final"]) or _time(told["t_observed"]),
        t_observed=_time(told["t_observed"]),
        wall_s=wall,
        events_processed=int(RATE * 1200) if good and wall else None,
        state=state,
        phase=None if good else Phase(told["phase"]) if told["phase"] in set(Phase) else None,
        error_class="" if good else str(told["error_class"] or ""),
        native_code="" if good else code,
        native_text="" if good else meaning.words,
        raw={} if good else {"log": f"copying input\npilot: {meaning.words}\nended"},
    )


def _change(policy: Verdicts, now: float, site: str, action: str, reason: str) -> Change:
    last = next(one for one in reversed(policy.history) if one.site == site)
    evidence: dict[str, Any] = {"cause": last.cause}
    if last.cause == "evidence":
        evidence["phrase"] = words.phrase(last.score, policy.templates)
    if last.score.failures:
        evidence["onset"] = last.score.onset
    return Change(datetime.fromtimestamp(now, UTC), "atlas", site, action, reason, VERSION, evidence=evidence)


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
