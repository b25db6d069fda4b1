"""The files of the pages: index.html, and one for each site."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from jinja2 import DictLoader, Environment, StrictUndefined

from helpdesk.reports import pictures, wording
from helpdesk.reports.mail import Picture, SiteReportMail
from helpdesk.reports.outages import Cause
from helpdesk.reports.week import SiteWeek
from helpdesk.shifts.wording import at
from helpdesk.sitepages.grid import Cell, cells, headings, standing
from helpdesk.sitepages.public import public
from helpdesk.text import safe_text
from helpdesk.wrapping import when

_TEMPLATES = ("base", "index", "parts", "site")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_CAUSES = {
    Cause.YOURS: "its own test jobs",
    Cause.CENTRAL: "a failure of many sites",
    Cause.DOWNTIME: "a declared downtime",
    Cause.PERSON: "a person's decision",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One site: the running week, and the one before, which is over."""

    running: SiteWeek
    before: SiteWeek
    region: str = ""
    tier: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the grid."""

    site: str
    page: str
    tier: str
    now: str
    cells: tuple[Cell, ...]
    headline: str


@dataclass(frozen=True, slots=True)
class Outage:
    """One time out."""

    when: str
    experiment: str
    cause: str
    why: str


def pages(title: str, sites: Sequence[Told], now: datetime) -> Mapping[str, str]:
    """The text of every file, by its name."""
    names = _names([one.before.site for one in sites])
    known = [_public(one) for one in sites]
    index = (
        _environment()
        .get_template("index")
        .render(
            title=title,
            made=when(now),
            regions=_regions(known, names),
            headings=headings(known[0].running) if known else (),
        )
    )
    made = {"index.html": index}
    for one in known:
        page = _environment().get_template("site")
        made[names[one.before.site]] = page.render(title=title, made=when(now), **_site(one))
    return made


def _public(one: Told) -> Told:
    return Told(public(one.running), public(one.before), one.region, one.tier)


def _regions(sites: Sequence[Told], names: Mapping[str, str]) -> list[tuple[str, list[Line]]]:
    """The rows by region, those without one last."""
    found: dict[str, list[Line]] = {}
    for one in sorted(sites, key=lambda one: (one.region == "", one.region, one.before.site)):
        line = Line(
            one.before.site,
            names[one.before.site],
            "" if one.tier is None else f"T{one.tier}",
            standing(one.running),
            cells(one.running, one.before),
            wording.headline(one.before),
        )
        found.setdefault(one.region, []).append(line)
    return list(found.items())


def _site(one: Told) -> Mapping[str, object]:
    before, running = _mail(one.before), _mail(one.running)
    return {
        "site": one.before.site,
        "region": one.region,
        "now": running.now,
        "notes": running.notes,
        "headings": headings(one.running),
        "cells": cells(one.running, one.before),
        "weeks": [before, running],
        "outages": list(_outages(one)),
        "zone": one.before.week.zone,
        "pictures": [(picture, _inline(picture)) for picture in pictures.pictures(one.before)],
    }


def _mail(week: SiteWeek) -> SiteReportMail:
    return wording.mail(week)


def _outages(one: Told) -> Iterator[Outage]:
    """The latest first."""
    zone = ZoneInfo(one.before.week.zone)
    found = [*one.before.outages, *one.running.outages]
    for name, out in sorted(found, key=lambda pair: pair[1].start, reverse=True):
        goes_on = out.end >= one.running.now
        told = f"since {at(out.start, zone)}" if goes_on else wording.between(out.start, out.end, zone)
        yield Outage(told, name, _CAUSES[out.cause], out.turn.why)


def _inline(picture: Picture) -> str:
    return f"data:image/png;base64,{b64encode(picture.png).decode()}"


def _names(sites: Sequence[str]) -> Mapping[str, str]:
    """The file of each site: its name where that is a good name for a file, else with a hash that keeps two apart."""
    found = {}
    for name in sites:
        plain = _UNSAFE.sub("_", name)[:80]
        mark = (
            ""
            if plain == name
            else f"-{hashlib.sha256(name.encode(errors='backslashreplace')).hexdigest()[:8]}"
        )
        found[name] = f"site-{plain}{mark}.html"
    return found


@cache
def _environment() -> Environment:
    """Whatever an expression prints is cleaned and escaped."""
    here = files("helpdesk.sitepages")
    sources = {name: here.joinpath(f"{name}.html.j2").read_text(encoding="utf-8") for name in _TEMPLATES}
    return Environment(
        loader=DictLoader(sources),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: (
            safe_text(value, limit=200_000)
            if isinstance(value, str) and not hasattr(value, "__html__")
            else value
        ),
    )
