"""A load test as the JSON document of docs/json.md."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from helpdesk.robots.load.compare import Comparison
from helpdesk.robots.load.estimates import Estimate
from helpdesk.robots.load.knee import Knee
from helpdesk.robots.load.limits import limits
from helpdesk.robots.load.steps import Point
from helpdesk.robots.load.telling import Told, headline
from helpdesk.robots.load.values import Kind, LoadTest


def document(told: Told) -> Mapping[str, Any]:
    """The JSON document of docs/json.md."""
    return {**heading(told.test), **_numbers(told), "limits": list(limits(told.test, told.figures))}


def heading(test: LoadTest) -> Mapping[str, Any]:
    """What was asked, and how far it is."""
    shape, lane = test.shape, test.lane
    return {
        "id": test.id,
        "site": lane.site,
        "experiment": lane.experiment,
        "engine": lane.engine,
        "queue": lane.queue,
        "template": test.template,
        "template_version": test.version,
        "model": shape.kind.value,
        "concurrency": list(shape.steps),
        "per_hour": shape.per_hour or None,
        "arrivals": None if shape.kind is not Kind.OPEN else ("even" if shape.even else "poisson"),
        "max_jobs": test.most,
        "max_hours": test.hours,
        "by": test.by,
        "asked": _utc(test.asked),
        "state": test.state.value,
        "began": _utc(test.began),
        "ended": _utc(test.ended),
        "reason": test.reason or None,
    }


def _numbers(told: Told) -> Mapping[str, Any]:
    found = told.figures
    rate, at_once = headline(told.test, found)
    return {
        "jobs": {"ended": found.jobs, "succeeded": found.succeeded, "cut_off": found.cut_off},
        "seconds": found.seconds,
        "events": found.events,
        "events_per_second": _figure(found.rate),
        "best": {"events_per_second": _figure(rate), "concurrency": at_once} if at_once else None,
        "events_per_second_of_a_running_job": _figure(found.rate_running),
        "knee": None if found.knee is None else _knee(found.knee),
        "steps": [_step(one) for one in found.points],
        "latency_seconds": {f"{level:g}": _figure(one) for level, one in found.latency},
        "waiting_seconds": _figure(found.waiting),
        "running_seconds": _figure(found.running),
        "late_seconds": _figure(found.late),
        "cpu_efficiency": _figure(found.efficiency),
        "stage_in_bytes_per_second": _figure(found.stage_in),
        "success": _figure(found.success),
        "failures": [
            {
                "phase": one.phase or None,
                "error_class": one.error_class,
                "native_code": one.native_code,
                "count": one.count,
                "nodes": dict(one.nodes),
                "example": {"job": one.example, "engine_job_id": one.engine_job_id, "words": one.words},
            }
            for one in found.failures
        ],
        "nodes": [{"node": one.name, "jobs": one.jobs, "failed": one.failed} for one in found.nodes],
        "last": None if told.last is None else {"id": told.last.of, **_beside(told.last)},
        "peers": None if told.peers is None else {"sites": told.peers.peers, **_beside(told.peers)},
    }


def _step(one: Point) -> Mapping[str, Any]:
    return {
        "concurrency": one.concurrency,
        "held": one.held,
        "seconds": one.seconds,
        "jobs": one.jobs,
        "failed": one.failed,
        "events_per_second": _figure(one.rate),
        "latency_seconds": _figure(one.latency),
    }


def _knee(knee: Knee) -> Mapping[str, Any]:
    return {
        "jobs": knee.jobs,
        "low": knee.low,
        "high": knee.high,
        "tested": knee.tested,
        "curve": knee.curve,
        "falling": knee.falling,
        "at_or_below_first_step": knee.below,
    }


def _beside(one: Comparison) -> Mapping[str, Any]:
    return {"events_per_second": one.rate, "ratio": _figure(one.change), "differs": one.differs}


def _figure(found: Estimate | None) -> Mapping[str, Any] | None:
    if found is None or math.isinf(found.value):
        return None
    return {"value": found.value, "low": found.low, "high": found.high, "n": found.n}


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
