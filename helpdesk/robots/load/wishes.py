"""A load test as a command by mail asks for it, and whether this person may have it.  Pure and total."""

from dataclasses import dataclass

from helpdesk.errors import UsageError
from helpdesk.robots.load.asking import Wish, per_hour_of, shape, steps_of
from helpdesk.robots.load.values import LoadTest
from helpdesk.robots.schedule import Lane

PLACE = ("template", "experiment", "queue")
OPTIONS = ("jobs", "concurrency", "ramp", "rate", "hours", *PLACE)


@dataclass(frozen=True, slots=True)
class LoadDesk:
    """What can be tested, and how much of it a contact may ask for."""

    places: tuple[tuple[Lane, str], ...] = ()  # each queue with each template that fits it
    most: int = 200  # jobs
    hours: float = 4.0
    per_day: int = 1


def wish(text: str) -> tuple[Wish, tuple[str | None, ...]]:
    """The wish in `jobs=200 ramp=1,2,4`, and the template, experiment and queue; UsageError: what makes no sense."""
    said: dict[str, str] = {}
    for word in text.split():
        key, _, value = word.partition("=")
        if key.lower() not in OPTIONS or not value:
            raise UsageError(
                f"{word!r} is not understood: there are {', '.join(f'{one}=' for one in OPTIONS)}"
            )
        said[key.lower()] = value
    found = Wish(
        jobs=_whole(said, "jobs"),
        concurrency=_whole(said, "concurrency"),
        ramp=steps_of(said["ramp"]) if "ramp" in said else None,
        per_hour=per_hour_of(said["rate"]) if "rate" in said else None,
        hours=_hours(said.get("hours")),
    )
    shape(found)
    return found, tuple(said.get(one) for one in PLACE)


def refused(test: LoadTest, desk: LoadDesk, today: int) -> str:
    """Why a contact may not have it; "" if he may."""
    if test.most > desk.most:
        return f"a contact's test has at most {desk.most} jobs"
    if test.hours > desk.hours:
        return f"a contact's test takes at most {desk.hours:g} hours"
    if today >= desk.per_day:
        times = "one test" if desk.per_day == 1 else f"{desk.per_day} tests"
        return f"a contact starts at most {times} in 24 hours"
    return ""


def _whole(said: dict[str, str], key: str) -> int | None:
    value = said.get(key)
    if value is None:
        return None
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:9]) <= 100_000 or len(value) > 6:
        raise UsageError(f"there is no number from 1 to 100000 in {key}={value[:20]}")
    return int(value)


def _hours(value: str | None) -> float | None:
    if value is None:
        return None
    try:
        found = float(value)
    except ValueError:
        found = 0.0
    if not 0 < found <= 168:
        raise UsageError(f"there is no number above 0, at most 168, in hours={value[:20]}")
    return found
