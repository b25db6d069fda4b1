"""A verdict in words."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from helpdesk.robots.verdict.back import Proof
from helpdesk.robots.verdict.common import Incident
from helpdesk.robots.verdict.tuning import Tuning
from helpdesk.robots.verdict.values import Planned, Score, Site

BAR = 40  # characters of the trace of the evidence


def clock(at: float) -> str:
    """A time as people write it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def excluded(score: Score, templates: Sequence[str]) -> str:
    """Why a site is put out."""
    only = next(iter(score.templates)) if len(score.templates) == 1 else score.scope
    where = "" if only is None else f", all in {templates[only]},"
    cause = max(score.causes, key=lambda x: score.causes[x])
    nodes = f", {len(score.nodes)} node{'s' if len(score.nodes) > 1 else ''}" if score.nodes else ""
    return (
        f"{score.failures} of {score.results} failed{where} since {clock(score.onset)}, mostly {cause}"
        f" ({score.causes[cause]}){nodes}; evidence {score.nats:.1f}"
    )


def phrase(score: Score, templates: Sequence[str]) -> str:
    """The same in a few words, for who reads a list."""
    if not score.failures:
        return ""
    only = next(iter(score.templates)) if len(score.templates) == 1 and len(templates) > 1 else score.scope
    where = "" if only is None else f", all in {templates[only]}"
    cause = max(score.causes, key=lambda x: score.causes[x])
    return f"{score.failures} of {score.results} failed{where}, mostly {cause}"


def proven(proof: Proof) -> str:
    """Why a site returns."""
    return f"it works again: the last {proof.successes} succeeded"


def downtime(planned: Planned) -> str:
    """Why a site is out by its own word."""
    return f"declared downtime until {clock(planned.end)}"


def explain(site: Site, templates: Sequence[str], tuning: Tuning, incidents: Iterable[Incident]) -> str:
    """Everything about a site's verdict, one thought a line."""
    score = site.score
    lines = [f"{site.name}: {_state(site)}; {_heard(site)}"]
    if site.why is not None:
        lines.append(f"since {clock(site.why.at)}: {site.why.reason} (policy {site.why.version})")
    if score.failures:
        why = excluded(score, templates)
        lines.append(
            f"evidence {score.nats:.1f} of {tuning.threshold:.1f}"
            + ("" if site.why is not None and site.why.reason == why else f": {why}")
        )
        if score.silent:
            lines.append(f"of these {score.silent} jobs of which nothing came in time")
        if score.nodes:
            worst = max(score.nodes, key=lambda x: score.nodes[x])
            lines.append(f"the worst node is {worst} with {score.nodes[worst]}")
        if score.example:
            lines.append(f"an example: job {score.example}")
    lines += [f"a failure of many sites goes on: {one.words(templates)}" for one in incidents]
    lines += [
        f"{clock(at)}  {nats:5.1f}  {'#' * min(round(2 * nats), BAR)}" for at, nats in list(site.trace)[-24:]
    ]
    return "\n".join(lines)


def _heard(site: Site) -> str:
    """How much a verdict stands on: fine with no results is another thing than fine with sixty."""
    if not site.results:
        return "no results in the last hours"
    bad = sum(one.failed for one in site.results)
    return f"{bad} bad of the last {len(site.results)} results, the newest from {clock(site.results[-1].at)}"


def _state(site: Site) -> str:
    if site.out:
        return f"excluded ({site.out})"
    return "suspect" if site.score.level >= 0.4 else "ok"
