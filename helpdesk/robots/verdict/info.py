"""Reading `info`: every problem at once, in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from helpdesk.errors import UsageError


class InfoError(UsageError, ValueError):
    """What a policy was told about its sites is unusable; one sentence a problem."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a site beforehand; `expected` is jobs a day, None where nobody says."""

    name: str
    region: str | None
    se: str | None
    expected: float | None


@dataclass(frozen=True, slots=True)
class Briefing:
    """`info`, checked."""

    t0: float
    tick_s: float
    sites: tuple[Told, ...]
    templates: tuple[str, ...]
    max_excluded: float | None


def read(info: object) -> Briefing:
    """Check `info` and take what counts; raise InfoError."""
    if not isinstance(info, Mapping):
        raise InfoError(["info is no mapping"])
    problems: list[str] = []
    t0 = number(info.get("t0"))
    tick = number(info.get("tick_s"))
    if t0 is None:
        problems.append("info: t0 is no number of epoch seconds")
    if tick is None or tick <= 0:
        problems.append("info: tick_s is no positive number of seconds")
    names = _names(info, "sites", problems)
    templates = _names(info, "templates", problems)
    details = info.get("site", {})
    if not isinstance(details, Mapping):
        problems.append("info: site is no mapping of names to details")
        details = {}
    sites = tuple(_site(name, details.get(name, {}), problems) for name in names)
    share = info.get("max_excluded")
    at_most = number(share)
    if share is not None and (at_most is None or not 0 <= at_most <= 1):
        problems.append("info: max_excluded is no fraction between 0 and 1")
    if problems or t0 is None or tick is None:
        raise InfoError(problems)
    return Briefing(t0, tick, sites, templates, at_most)


def number(value: object) -> float | None:
    """A finite number, else None; True is none."""
    if type(value) is float or type(value) is int:
        return float(value) if isfinite(value) else None
    return None


def _names(info: Mapping[Any, Any], key: str, problems: list[str]) -> tuple[str, ...]:
    value = info.get(key)
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        problems.append(f"info: {key} is no list of names")
        return ()
    if not all(isinstance(one, str) and one for one in value):
        problems.append(f"info: {key} has something that is no name")
        return ()
    if len(set(value)) < len(value):
        problems.append(f"info: {key} names one of them twice")
    return tuple(dict.fromkeys(value))


def _site(name: str, details: object, problems: list[str]) -> Told:
    if not isinstance(details, Mapping):
        problems.append(f"info: the details of site {name} are no mapping")
        return Told(name, None, None, None)
    words = {}
    for key in ("region", "se"):
        value = details.get(key)
        if value is not None and not isinstance(value, str):
            problems.append(f"info: {key} of site {name} is no name")
        words[key] = value or None if isinstance(value, str) else None
    rate = details.get("expected_jobs_per_day")
    expected = number(rate)
    if rate is not None and (expected is None or expected < 0):
        problems.append(f"info: expected_jobs_per_day of site {name} is no number")
        expected = None
    return Told(name, words["region"], words["se"], expected)
