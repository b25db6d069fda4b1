"""Which recurrence rules (RFC 5545 section 3.3.10) are those of shifts; pure.

The library computes every occurrence since DTSTART, one by one: a rule that repeats every second is 86,400 a day.
"""

from collections.abc import Mapping

MAX_A_DAY = 48
"""Occurrences of one event a day: half-hourly is more than any team hands over."""

_FREQUENCIES = {"HOURLY": 24, "DAILY": 1, "WEEKLY": 1, "MONTHLY": 1, "YEARLY": 1}
_CLOCK_PARTS = ("BYHOUR", "BYMINUTE", "BYSECOND")
_MAX_PARTS = 400  # BYYEARDAY may name every day of the year


def complaint(rule: str) -> str:
    """What is wrong with a rule, to stand after "its rule"; "" for one that can be followed."""
    parts = _parts(rule)
    frequency = parts.get("FREQ", "")
    if frequency in {"SECONDLY", "MINUTELY"}:
        return f"repeats every {frequency[:6].lower()}"
    if frequency not in _FREQUENCIES:
        return "has no frequency that RFC 5545 knows"
    if not _positive(parts.get("INTERVAL", "1")):
        return "has an interval that is no positive number"
    if any(len(value.split(",")) > _MAX_PARTS for value in parts.values()):
        return "has a list that is too long"
    if _a_day(frequency, parts) > MAX_A_DAY:
        return f"repeats more than {MAX_A_DAY} times a day"
    return ""


def _parts(rule: str) -> Mapping[str, str]:
    pairs = (part.partition("=") for part in rule.upper().split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _positive(text: str) -> bool:
    return text.isdecimal() and int(text[:9]) > 0 and len(text) < 9


def _a_day(frequency: str, parts: Mapping[str, str]) -> int:
    """At most so many occurrences; an hourly rule's BYHOUR only takes hours away."""
    count = _FREQUENCIES[frequency]
    for name in _CLOCK_PARTS:
        if not (frequency == "HOURLY" and name == "BYHOUR"):
            count *= len(parts.get(name, "0").split(","))
    return count
