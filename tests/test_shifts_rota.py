"""Who is on duty: at a moment, before and after it; covered time and gaps; and what is wrong, in sentences."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.shifts.names import Team
from helpdesk.shifts.rota import Rota, rota
from helpdesk.shifts.values import Expanded, Occurrence, Origin, Window
from tests.calendars import person, team

MONDAY = datetime(2026, 6, 8, tzinfo=UTC)
WEEK = Window(MONDAY, MONDAY + timedelta(days=7))
WHOLE = Window(MONDAY - timedelta(days=14), MONDAY + timedelta(days=21))
TEAM = team("Aiden", "Sergey", "Alden")


def at(hour: float) -> datetime:
    """So many hours after Monday 8 June 2026, 00:00 UTC."""
    return MONDAY + timedelta(hours=hour)


def of(*shifts: tuple[float, float, str], window: Window = WHOLE, known: Team = TEAM) -> Rota:
    """A rota of (start, end, summary), in hours after Monday."""
    found = tuple(Occurrence(at(start), at(end), summary) for start, end, summary in shifts)
    return rota(Expanded(found), window, known, "UTC", Origin(MONDAY))


def around_the_clock(first: int, last: int) -> Sequence[tuple[float, float, str]]:
    """Three shifts a day, for days counted from Monday."""
    names = ("Alden", "Aiden", "Sergey")
    return [
        (24 * d + 8 * n, 24 * d + 8 * n + 8, name) for d in range(first, last) for n, name in enumerate(names)
    ]


# -- at a moment -------------------------------------------------------------------------------------------------


def test_who_is_on_duty() -> None:
    """A shift begins with its first moment and ends before its last; before it and after it are its neighbours."""
    one = of(*around_the_clock(0, 2))
    for moment in (at(8), at(15.99)):
        assert [who.name for who in one.on_duty(moment)] == ["Aiden"]
        assert [shift.names for shift in one.previous(moment)] == [("Alden",)]
        assert [shift.names for shift in one.following(moment)] == [("Sergey",)]
    assert [who.name for who in one.on_duty(at(16))] == ["Sergey"]
    assert one.next_start(at(8)) == at(16)
    assert one.first_start(at(8)) == at(8)
    assert one.on_duty(at(8))[0].address == "aiden@example.org"


def test_a_gap_has_neighbours() -> None:
    """In a gap nobody is on duty; before is who began last, next who begins next; at the end there is nobody."""
    one = of((0, 8, "Alden"), (20, 24, "Sergey"))
    assert (one.on_duty(at(12)), one.current(at(12))) == ((), ())
    assert [shift.names for shift in one.previous(at(12))] == [("Alden",)]
    assert [shift.names for shift in one.following(at(12))] == [("Sergey",)]
    assert (one.following(at(24)), one.next_start(at(24)), one.first_start(at(21))) == ((), None, None)
    assert one.previous(at(-1)) == ()


def test_shared_shifts() -> None:
    """Two who share a shift are both on duty, whether one event names them or two events do."""
    for one in (
        of((0, 8, "Aiden / Sergey"), (8, 16, "Alden")),
        of((0, 8, "Aiden"), (0, 8, "Sergey"), (8, 16, "Alden")),
    ):
        assert [who.name for who in one.on_duty(at(1))] == ["Aiden", "Sergey"]
        assert one.overlaps(WEEK) == ()
        assert {name for shift in one.previous(at(9)) for name in shift.names} == {"Aiden", "Sergey"}


def test_a_hand_over_hour() -> None:
    """While two shifts overlap both are on duty, and the one before is the one that began first."""
    one = of((0, 9, "Alden"), (8, 16, "Aiden"))
    assert [who.name for who in one.on_duty(at(8.5))] == ["Alden", "Aiden"]
    assert [shift.names for shift in one.previous(at(8.5))] == [("Alden",)]
    (overlap,) = one.overlaps(WEEK)
    assert (overlap.start, overlap.end) == (at(8), at(9))


def test_an_unknown_name_covers_its_time() -> None:
    """A shift of somebody unknown is no gap, but nobody can be mailed."""
    one = of((0, 8, "Zorro"))
    assert one.on_duty(at(1)) == ()
    assert one.current(at(1))[0].names == ("Zorro?",)
    assert one.covered(Window(at(0), at(8))) == timedelta(hours=8)
    assert [shift.unknown for shift in one.unknown(WEEK)] == [("Zorro",)]


# -- covered time ------------------------------------------------------------------------------------------------


def test_covered_time() -> None:
    """Sixty covered minutes from a moment in a gap end an hour after the next shift begins; beyond the rota nobody knows."""
    one = of((0, 8, "Alden"), (20, 20.5, "Sergey"), (22, 30, "Aiden"))
    assert one.covered(Window(at(4), at(21))) == timedelta(hours=4.5)
    assert one.covered_for(at(1), timedelta(hours=1)) == at(2)
    assert one.covered_for(at(7.5), timedelta(hours=1)) == at(20.5)
    assert one.covered_for(at(12), timedelta(hours=1)) == at(22.5)
    assert one.covered_for(at(12), timedelta(hours=9)) is None


def test_nothing_is_known_outside_the_window() -> None:
    """Gaps and covered time are told of the rota's own window only."""
    one = of((0, 8, "Alden"), window=Window(at(-2), at(10)))
    assert one.gaps(Window(at(-100), at(100))) == (Window(at(-2), at(0)), Window(at(8), at(10)))
    assert one.gaps(Window(at(50), at(60))) == ()


TIMES = st.lists(
    st.tuples(st.integers(-50, 200), st.integers(1, 60), st.sampled_from(["Aiden", "Sergey", "Alden", "Zorro"])),
    max_size=12,
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(TIMES, st.integers(-60, 150), st.integers(0, 100))
def test_shifts_and_gaps_are_all_of_time(times: list[tuple[int, int, str]], begin: int, length: int) -> None:
    """Every moment of a window is in exactly one of: a shift that runs, a gap; and the lengths add up."""
    one = of(*((start, start + hours, name) for start, hours, name in times))
    window = Window(at(begin), at(begin + length))
    gaps = one.gaps(window)
    for hour in range(begin, begin + length):
        for moment in (at(hour), at(hour + 0.5)):
            in_gap = [gap for gap in gaps if gap.start <= moment < gap.end]
            assert len(in_gap) == (0 if one.current(moment) else 1)
    assert one.covered(window) + sum((gap.end - gap.start for gap in gaps), timedelta(0)) == timedelta(
        hours=length
    )
    assert all(before.end < after.start for before, after in pairwise(gaps))


@settings(max_examples=50, deadline=None)
@given(TIMES)
def test_overlaps_are_what_several_turns_cover(times: list[tuple[int, int, str]]) -> None:
    """A moment is in an overlap exactly when shifts with different times run at it, and the overlap names them."""
    one = of(*((start, start + hours, name) for start, hours, name in times))
    overlaps = one.overlaps(WHOLE)
    for hour in range(-50, 260):
        turns = {(shift.start, shift.end) for shift in one.current(at(hour))}
        there = [overlap for overlap in overlaps if overlap.start <= at(hour) < overlap.end]
        assert len(there) == (1 if len(turns) > 1 else 0)
        assert all(set(one.current(at(hour))) <= set(overlap.shifts) for overlap in there)


@settings(max_examples=50, deadline=None)
@given(TIMES, st.integers(-60, 260), st.integers(1, 80))
def test_covered_for_is_the_inverse_of_covered(
    times: list[tuple[int, int, str]], start: int, hours: int
) -> None:
    """The moment by which so much is covered is the first one for which `covered` says so."""
    one = of(*((begin, begin + length, name) for begin, length, name in times))
    end = one.covered_for(at(start), timedelta(hours=hours))
    if end is None:
        assert one.covered(Window(at(start), WHOLE.end)) < timedelta(hours=hours)
    else:
        assert one.covered(Window(at(start), end)) == timedelta(hours=hours)
        assert one.covered(Window(at(start), end - timedelta(minutes=1))) < timedelta(hours=hours)


# -- what is wrong -----------------------------------------------------------------------------------------------


def test_nothing_is_wrong() -> None:
    """A rota without gaps, overlaps and unknown names has nothing to tell."""
    assert of(*around_the_clock(-14, 21)).problems(at(9)) == ()


def test_gaps_are_told() -> None:
    """A gap is told with its day and hours, in the zone that is asked for; the past and the far future are not."""
    shifts = [one for one in around_the_clock(-14, 21) if one[0] not in {-16, 16, 300}]
    assert of(*shifts).problems(at(9)) == ("nobody has a shift Mon 8 Jun 16:00-00:00",)
    assert of(*shifts).problems(at(9), zone="America/Chicago") == (
        "nobody has a shift Mon 8 Jun 11:00-19:00",
    )


def test_the_same_gap_every_night_is_one_sentence() -> None:
    """Nights that nobody covers on purpose are one line, a weekend another."""
    days = [(24 * d + 8, 24 * d + 18, "Aiden") for d in range(-14, 21) if d % 7 < 5]
    assert of(*days).problems(at(9)) == (
        "nobody has a shift Mon 8 Jun 18:00-08:00, nor at these hours on 3 more days until Thu 11 Jun",
        "nobody has a shift Fri 12 Jun 18:00 - Mon 15 Jun 08:00",
    )


def test_the_end_of_the_calendar_is_told() -> None:
    """Where nothing is planned any more, or nothing yet, or nothing at all, the sentence says just that."""
    assert of(*around_the_clock(-14, 2)).problems(at(9)) == ("nobody has a shift from Wed 10 Jun 00:00 on",)
    assert of(*around_the_clock(3, 21)).problems(at(9)) == ("nobody has a shift until Thu 11 Jun 00:00",)
    assert of().problems(at(9)) == ("nobody has a shift from Mon 25 May to Mon 29 Jun",)


def test_a_minute_is_no_gap() -> None:
    """A day that ends at 23:59 leaves no gap, and a minute too much is no overlap."""
    almost = [(start, end - 1 / 60, name) for start, end, name in around_the_clock(-14, 21)]
    longer = [(start, end + 1 / 60, name) for start, end, name in around_the_clock(-14, 21)]
    assert (of(*almost).problems(at(9)), of(*longer).problems(at(9))) == ((), ())


def test_unknown_names_are_told() -> None:
    """An unknown name is one sentence with its first shift, how many more, and who may be meant."""
    wrong = [(s, e, "Sergei" if n == "Sergey" else n) for s, e, n in around_the_clock(-14, 21)]
    assert of(*wrong).problems(at(0)) == (
        '"Sergei" is nobody in [[people]] (Mon 8 Jun 16:00-00:00 and 6 more shifts): did you mean Sergey?',
    )


def test_overlaps_are_told() -> None:
    """Overlaps of the same people are one sentence; somebody who has two shifts at once is told as that."""
    extra = [(24 * d + 15, 24 * d + 17, "Aiden") for d in range(2)]
    told = of(*around_the_clock(-14, 21), *extra).problems(at(9))
    assert told == ("Aiden and Sergey overlap: Mon 8 Jun 15:00-17:00 and 1 more time",)
    double = of(*around_the_clock(-14, 21), (9, 10, "Aiden")).problems(at(9))
    assert double == ("Aiden has several shifts at once: Mon 8 Jun 09:00-10:00",)


def test_very_many_names_are_not_all_told() -> None:
    """A sentence about dozens of people names some."""
    crowd = [(8, 16 + number / 60, f"Zorro{number}") for number in range(40)]
    (*_, told) = of(*around_the_clock(-14, 21), *crowd).problems(at(9))
    assert told == "Aiden, Sergey, Zorro0?, Zorro10?, Zorro11? and 37 more overlap: Mon 8 Jun 08:00-16:39"


def test_a_shift_without_the_role_is_told() -> None:
    """Somebody of the team who is no shifter has shifts all the same, and the board says what is missing."""
    gil = person("Gil", shifter=False)
    known = Team.of([*TEAM.people, gil], "dast")
    shifts = [(s, e, "Gil" if s == 16 else n) for s, e, n in around_the_clock(-14, 21)]
    assert of(*shifts, known=known).problems(at(9)) == (
        "Gil has a shift (Mon 8 Jun 16:00-00:00) without the role shifter in [[people]]",
    )
    assert of(*shifts, known=known).on_duty(at(17)) == (gil,)


def test_trouble_with_the_calendar_is_told_first() -> None:
    """That a copy is used is told with its age and the reason, before what the calendar left out."""
    one = of(*around_the_clock(-14, 21))
    origin = Origin(
        at(-50),
        timedelta(hours=50),
        "cal.example.org: no answer for 10 s",
        ('"Bomb" repeats: it is left out',),
    )
    assert Rota(one.window, one.shifts, one.team, "UTC", origin).problems(at(9)) == (
        "the calendar cannot be read (cal.example.org: no answer for 10 s): a copy of Fri 5 Jun 22:00 is used, 2 days old",
        '"Bomb" repeats: it is left out',
    )
