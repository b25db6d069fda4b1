"""A site's week as JSON (docs/json.md): the figures behind the words."""

from collections.abc import Mapping
from typing import Any

from helpdesk.report import utc
from helpdesk.reports.causes import Cluster
from helpdesk.reports.counting import Count
from helpdesk.reports.nodes import Nodes
from helpdesk.reports.outages import Span
from helpdesk.reports.rates import wilson
from helpdesk.reports.week import Row, SiteWeek


def document(week: SiteWeek, subject: str, text: str) -> Mapping[str, Any]:
    """One report."""
    return {
        "site": week.site,
        "week": week.week.name,
        "zone": week.week.zone,
        "start": utc(week.week.start),
        "end": utc(week.week.end),
        "now": utc(week.now),
        "over": week.is_over,
        "green": week.is_green,
        "untested": week.untested,
        "to_fix": [_cluster(one) for one in week.fixes],
        "other_failures": [_cluster(one) for one in week.clusters if not one.is_to_fix],
        "experiments": [_row(row, week) for row in week.rows],
        "outages": [_span(experiment, one) for experiment, one in week.outages],
        "holds": list(week.holds),
        "late": week.late,
        "foreign": week.foreign,
        "subject": subject,
        "text": text,
    }


def _row(row: Row, week: SiteWeek) -> Mapping[str, Any]:
    turn = week.standing[row.experiment]
    out = turn is not None and turn.out
    return {
        "experiment": row.experiment,
        "out_since": utc(turn.at) if turn is not None and out else None,
        "why": turn.why if turn is not None and out else "",
        "this": _count(row.this),
        "last": _count(row.last),
        "events_per_core_second": row.speed,
        "last_events_per_core_second": row.last_speed,
        "peers": {
            "number": len(row.peers),
            "success": row.peer_share,
            "events_per_core_second": row.peer_speed,
        },
        "hours_out": {
            cause.value: round(spent.total_seconds() / 3600, 3) for cause, spent in row.hours.items()
        },
        "going": row.going,
    }


def _count(count: Count) -> Mapping[str, Any]:
    low, high = wilson(count.good, count.ended)
    return {
        "good": count.good,
        "failed": count.bad,
        "central": count.central,
        "down": count.down,
        "others": count.others,
        "cancelled": count.cancelled,
        "success": count.share if count.ended else None,
        "interval": [round(low, 4), round(high, 4)] if count.ended else None,
    }


def _cluster(one: Cluster) -> Mapping[str, Any]:
    return {
        "phase": one.way[0],
        "code": one.way[1],
        "words": one.words,
        "failed": one.failed,
        "ended": one.ended,
        "experiments": list(one.experiments),
        "job_hours": round(one.hours, 3),
        "first": utc(one.first),
        "last": utc(one.last),
        "jobs_since": one.since,
        "took_out": one.took_out,
        "nodes": None if one.nodes is None else _nodes(one.nodes),
        "only": one.only or None,
        "job": one.example.job if one.example else None,
        "log": list(one.example.log) if one.example else [],
    }


def _nodes(nodes: Nodes) -> Mapping[str, Any]:
    return {
        "names": list(nodes.names),
        "failed": nodes.failed,
        "jobs": nodes.jobs,
        "others": nodes.others,
        "others_failed": nodes.others_failed,
        "others_jobs": nodes.others_jobs,
    }


def _span(experiment: str, one: Span) -> Mapping[str, Any]:
    return {
        "experiment": experiment,
        "start": utc(one.start),
        "end": utc(one.end),
        "cause": one.cause.value,
        "by": one.turn.by,
        "why": one.turn.why,
    }
