"""What `helpdesk check` finds about the robots without asking an engine: sites, data sets, downtimes, the blacklist's folder.

Everything that is said here would else be learned from failed jobs, or never.
"""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from helpdesk.errors import UsageError
from helpdesk.findings import Finding
from helpdesk.reports import pictures
from helpdesk.robots import datasets, kitchen, manning
from helpdesk.settings import Settings
from helpdesk.settings.robots import POPULAR, Dataset

SHOWN = 5
"""Sentences of one kind that are shown; a grid has hundreds of sites."""


def robot_findings(settings: Settings, now: datetime) -> Iterator[Finding]:
    """A finding a subject; nothing for a board without sites."""
    if not settings.site:
        return
    yield _sites(settings)
    yield from _datasets(settings)
    if settings.robots.blacklist_file is not None:
        yield _blacklist(settings.robots.blacklist_file)
    if settings.reports.enabled:
        yield _reports(settings)
    if any(site.downtime for site in settings.site):
        yield _downtimes(settings, now)


def _sites(settings: Settings) -> Finding:
    """Who gets no test jobs, and why; jobs that nobody gets."""
    lacks = list(_idle(settings))
    if lacks:
        return Finding(
            "sites", ok=True, what=_some(lacks), todo="see [[site.queue]], [[template]] and [robots] cocktail"
        )
    queues = len(kitchen.lanes(settings))
    return Finding("sites", ok=True, what=f"{_count(len(settings.site), 'site')}, {_count(queues, 'queue')}")


def _idle(settings: Settings) -> Iterator[str]:
    for site in settings.site:
        if not site.queue:
            yield f"{site.name} has no [[site.queue]]: it gets no test jobs"
    lanes, mixes = kitchen.lanes(settings), kitchen.mixes(settings)
    templates = {one.experiment for one in settings.template}
    for experiment in dict.fromkeys(one.experiment for one in lanes):
        if experiment not in templates:
            yield f"no [[template]] is for the experiment {experiment!r}: its queues get no test jobs"
        elif settings.robots.cocktail and not any(lane.experiment == experiment for lane in mixes):
            yield f"the cocktail {settings.robots.cocktail!r} has nothing for the experiment {experiment!r}"
    for template in settings.template:
        if template.experiment not in {one.experiment for one in lanes}:
            yield f"no queue is for the experiment {template.experiment!r} of the template {template.name!r}"
    if lanes and settings.robots.cocktail is None:
        yield "[robots] cocktail is not set: sites get no routine jobs, and no verdict but on what is sent by hand"


def _datasets(settings: Settings) -> Iterator[Finding]:
    """Each data set that a template reads by name."""
    used = {one.dataset for one in settings.template}
    for one in settings.dataset:
        if one.name in used or POPULAR in used:
            wanted = [template.payload for template in settings.template if template.dataset == one.name]
            yield _dataset(one, wanted, here=_is_here(settings))


def _is_here(settings: Settings) -> bool:
    """Whether jobs read where we look: on this machine."""
    return any(queue.engine == "local" for site in settings.site for queue in site.queue)


def _dataset(one: Dataset, wanted: Sequence[str], *, here: bool) -> Finding:
    name = f"data set {one.name}"
    make = "`helpdesk robots data` makes one; see [[dataset]] inputs"
    paths = [Path(place) for place in one.inputs if "://" not in place]
    if missing := [str(path) for path in paths if not os.access(path, os.R_OK)]:
        where = "" if here else " on this machine; do the nodes see it?"
        return Finding(name, ok=not here, what=f"{missing[0]} cannot be read{where}", todo=make)
    try:
        manifest = datasets.read_manifest(Path(one.inputs[0]), one.manifest)
    except UsageError as error:
        return Finding(
            name,
            ok=True,
            what=f"no right answers are known, so jobs are checked against physics alone: {error}",
            todo="[[dataset]] manifest says where the manifest lies",
        )
    if len(one.inputs) > 1:
        return Finding(name, ok=True, what=f"{len(one.inputs)} files: their answers cannot be checked")
    size = paths[0].stat().st_size if paths else manifest.size
    if size != manifest.size:
        what = f"{paths[0]} has {size:,} octets, its manifest says {manifest.size:,}"
        return Finding(name, ok=False, what=what, todo="make the data set again")
    if strange := [payload for payload in wanted if payload not in manifest.answers]:
        has = ", ".join(manifest.answers) or "none"
        what = f"it has no right answer for {strange[0]!r}, which a template runs on it (it has: {has})"
        return Finding(name, ok=False, what=what, todo="see [[template]] dataset")
    return Finding(
        name, ok=True, what=f"{manifest.events:,} events, answers for {', '.join(manifest.answers)}"
    )


def _blacklist(path: Path) -> Finding:
    """The nearest folder that is there must take files; a check makes none."""
    folder = next((one for one in path.absolute().parents if one.exists()), Path("/"))
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK) or path.is_dir():
        return Finding(
            "blacklist", ok=False, what=f"{path}: nobody may write there", todo="see [robots] blacklist_file"
        )
    return Finding("blacklist", ok=True, what=f"{path} and {path.with_suffix('.txt').name}")


def _reports(settings: Settings) -> Finding:
    """Who gets none, and whether they have pictures."""
    nobody = [site.name for site in settings.site if site.queue and not site.contacts]
    if nobody:
        what = _some([f"{name} has no contacts: nobody gets its weekly report" for name in nobody])
        return Finding("reports", ok=True, what=what, todo="see [[site]] contacts")
    if not pictures.available():
        what = "weekly, without pictures: matplotlib is not installed"
        return Finding("reports", ok=True, what=what, todo="pip install '.[reports]'")
    return Finding("reports", ok=True, what="weekly, with pictures")


def _downtimes(settings: Settings, now: datetime) -> Finding:
    """Every calendar is read once."""
    calendars = manning.downtimes(settings)
    calendars.refresh(now)
    if calendars.troubles:
        return Finding(
            "downtimes", ok=False, what=_some(list(calendars.troubles.values())), todo="see [[site]] downtime"
        )
    return Finding(
        "downtimes", ok=True, what=f"{_count(len(list(calendars.known(now))), 'downtime')} declared"
    )


def _some(sentences: Sequence[str]) -> str:
    more = f"; and {len(sentences) - SHOWN} more" if len(sentences) > SHOWN else ""
    return "; ".join(sentences[:SHOWN]) + more


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'s' if number != 1 else ''}"
