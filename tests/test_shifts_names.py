"""Names in a calendar: whoever writes them in whatever way, the right person has the shift, or nobody."""

import pytest

from helpdesk.shifts.names import NAMELESS, hint, read, shift, words
from helpdesk.shifts.values import Attendee, Occurrence
from tests.calendars import JUNE, team

TEAM = team(
    "Ann Archer", "Ann Baker", "Aiden", "Sergey Ivanov", "Jürgen Müller", "Jean-Paul Ødegård", "Doris Day"
)


@pytest.mark.parametrize(
    ("summary", "names"),
    [
        ("Aiden", ["Aiden"]),
        ("AIDEN", ["Aiden"]),
        ("DAST shift: Aiden", ["Aiden"]),
        ("Shift Aiden", ["Aiden"]),
        ("Aiden's shift", ["Aiden"]),
        ("Aiden (early)", ["Aiden"]),
        ("Aiden - ATLAS support", ["Aiden"]),
        ("06-14 Aiden", ["Aiden"]),
        ("Tuesday 14h: Aiden", ["Aiden"]),
        ("Aiden / Sergey", ["Aiden", "Sergey Ivanov"]),
        ("Sergey, Aiden", ["Sergey Ivanov", "Aiden"]),
        ("Aiden & Sergey", ["Aiden", "Sergey Ivanov"]),
        ("Aiden und Sergey", ["Aiden", "Sergey Ivanov"]),
        ("Aiden+Sergey+Aiden", ["Aiden", "Sergey Ivanov"]),
        ("Ann Archer", ["Ann Archer"]),
        ("Archer, Ann", ["Ann Archer"]),
        ("Archer, Ann / Baker, Ann", ["Ann Archer", "Ann Baker"]),
        ("A. Archer", ["Ann Archer"]),
        ("Ann A.", ["Ann Archer"]),
        ("Ann Archer ATLAS", ["Ann Archer"]),
        ("Juergen", ["Jürgen Müller"]),
        ("MULLER", ["Jürgen Müller"]),
        ("ju\u0308rgen", ["Jürgen Müller"]),
        ("Jean Paul Odegaard", ["Jean-Paul Ødegård"]),
        ("sergey@example.org", ["Sergey Ivanov"]),
        ("S. Ivanov <SERGEY@example.org>", ["Sergey Ivanov"]),
        ("Doris day shift", ["Doris Day"]),
        ("Aiden, day shift", ["Aiden"]),
        ("Day", ["Doris Day"]),
    ],
)
def test_who_is_meant(summary: str, names: list[str]) -> None:
    """Case, accents, order, initials, labels, hours and words of the trade do not hide who has the shift."""
    people, unknown = read(summary, TEAM)
    assert ([person.name for person in people], list(unknown)) == (names, [])


@pytest.mark.parametrize(
    ("summary", "names", "unknown", "remark"),
    [
        ("Adien", [], ["Adien"], "did you mean Aiden?"),
        ("Sergei", [], ["Sergei"], "did you mean Sergey Ivanov?"),
        ("Ann", [], ["Ann"], "it may be Ann Archer or Ann Baker"),
        ("Ann Cooper", [], ["Ann Cooper"], ""),
        ("Zorro", [], ["Zorro"], ""),
        ("DAST shift: Zorro", [], ["Zorro"], ""),
        ("Aiden / Zorro", ["Aiden"], ["Zorro"], ""),
        ("Shift A", [], ["Shift A"], ""),
        ("Busy", [], ["Busy"], ""),
    ],
)
def test_nobody_is_guessed(summary: str, names: list[str], unknown: list[str], remark: str) -> None:
    """A name that fits nobody, or two people, is nobody's, and the sentence about it says who may be meant."""
    people, strange = read(summary, TEAM)
    assert ([person.name for person in people], list(strange)) == (names, unknown)
    assert hint(strange[0], TEAM) == remark


def _shift(summary: str, *attendees: Attendee) -> tuple[str, ...]:
    return shift(Occurrence(JUNE.start, JUNE.end, summary, attendees), TEAM).names


def test_attendees_count_where_the_summary_names_nobody() -> None:
    """Who is invited has the shift, by address or by name, unless the summary names people."""
    ann, team_list = Attendee("A. A.", "ann@example.org"), Attendee("The team", "team@example.org")
    assert _shift("Support", ann, team_list) == ("Ann Archer", "Ann Baker")  # both have that address here
    assert _shift("On call", Attendee("Ivanov, Sergey", "")) == ("Sergey Ivanov",)
    assert _shift("Aiden", ann) == ("Aiden",)
    assert _shift("Support", team_list) == ("Support?",)


def test_a_shift_of_nobody() -> None:
    """A shift without any name has its summary for a name, so that it can be found."""
    assert _shift("On call") == ("On call?",)
    assert _shift("zorro@example.org") == ("zorro@example.org?",)
    assert _shift("") == (f"{NAMELESS}?",)


def test_a_long_summary_is_cut() -> None:
    """Hundreds of names in one summary are not all looked at."""
    people, unknown = read("/".join(["x"] * 90 + ["Aiden"]), TEAM)
    assert (list(people), list(unknown)) == ([], ["x"])


def test_words_are_folded() -> None:
    """What is compared has neither case nor accents nor signs."""
    assert words("Łukasz O'Neil-Ødegård's") == ("lukasz", "o", "neil", "odegard")
