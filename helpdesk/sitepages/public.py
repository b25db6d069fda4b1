"""What everybody may read of a week: what happened, and not which person decided what."""

from dataclasses import replace

from helpdesk.reports.outages import Span, Turn
from helpdesk.reports.week import SiteWeek

SOMEBODY = "a person"
DECIDED = "a person decided so"
HELD = "A person decided that it is paused, or kept in."


def public(week: SiteWeek) -> SiteWeek:
    """The week without names and words of people."""
    return replace(
        week,
        persons=(SOMEBODY,) if week.persons else (),
        holds=(HELD,) if week.holds else (),
        standing={name: turn and _turn(turn) for name, turn in week.standing.items()},
        outages=tuple((name, _span(one)) for name, one in week.outages),
    )


def _span(one: Span) -> Span:
    return replace(one, turn=_turn(one.turn))


def _turn(turn: Turn) -> Turn:
    by_robot = turn.by == "robot" and turn.cause != "pin"
    return turn if by_robot else replace(turn, by=SOMEBODY, why=DECIDED)
