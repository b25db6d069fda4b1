"""How the lines above a quoted mail look in every language: addresses, years, times of day."""

import re

ADDRESS = re.compile(r"[<(\[\"][^\s<>()]{1,120}@[^\s<>()]{1,120}[>)\]\"]")  # in some brackets
MAILBOX = re.compile(r"[^\s<>@]@[^\s<>@]")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_CLOCK = re.compile(r"(?<!\d)\d{1,2}[:.]\d\d(?!\d)")
_DAY = re.compile(r"(?<!\d)\d{1,2}[./ -]{1,2}(?:\d{1,2}|[^\W\d_]{3,12})(?!\w)")


def dated(text: str) -> bool:
    """Whether a day, a year or a time of day stands in it; a version number may look so."""
    return any(found.search(text) for found in (_YEAR, _CLOCK, _DAY))


def timed(text: str) -> bool:
    """Whether a year and a time of day stand in it: no prose, hardly ever."""
    return _YEAR.search(text) is not None and _CLOCK.search(text) is not None
