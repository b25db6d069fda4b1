"""Observe mode's daily report: what the board would have done, in plans that people can call wrong by number.  Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

from helpdesk.actions import Kind
from helpdesk.digest.columns import MARGIN, WIDTH, cut, folded
from helpdesk.model import Place
from helpdesk.shifts.wording import at, counted, day
from helpdesk.text import safe_text

MOST = 60
"""Plans of a report that have numbers; who has more to judge looks at `helpdesk plan`."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One action that would have been done, as the journal has it."""

    id: str
    at: datetime
    thread: str  # its id, "" for a mail about several
    kind: str
    what: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What one rule would have done to one thread at one time."""

    number: int
    thread: str  # the short id
    at: str
    does: str  # "close it, remove WAITING"
    why: str  # "no human mail for 7 days (auto_close)"
    about: str  # "Ann: All jobs fail"
    link: str = ""  # Message-ID of the thread's newest mail


@dataclass(frozen=True, slots=True)
class Judged:
    """A plan of an earlier report, or of this one, that somebody called wrong."""

    number: int
    thread: str
    by: str
    words: str


@dataclass(frozen=True, slots=True)
class ObservedMail:
    """To shifters and admins, once a day."""

    kind: ClassVar[str] = "observed"

    day: str  # "Tue 9 Jun"
    since: str  # "Mon 8 Jun 07:00"
    counts: str  # "7 plans, 2 of them mails"
    plans: tuple[Plan, ...]
    more: int  # plans that got no number
    judged: tuple[Judged, ...]
    lines: tuple[str, ...]


def grouped(actions: Iterable[Planned]) -> Sequence[Sequence[Planned]]:
    """Actions in plans, in order of time: what one rule wanted of one thread at one moment."""
    plans: dict[tuple[datetime, str, str], list[Planned]] = {}
    for one in sorted(actions, key=lambda one: (one.at, one.thread, one.rule, one.kind, one.what, one.id)):
        plans.setdefault((one.at, one.thread, one.rule), []).append(one)
    return list(plans.values())


def plan(number: int, actions: Sequence[Planned], name: str, about: str, zone: ZoneInfo, link: str) -> Plan:
    """One numbered plan in words."""
    first = actions[0]
    does = ", ".join(dict.fromkeys(_does(one) for one in sorted(actions, key=_order)))
    return Plan(
        number,
        name,
        at(first.at, zone),
        does,
        f"{safe_text(first.reason)} ({first.rule})",
        safe_text(about),
        link,
    )


def _order(one: Planned) -> tuple[bool, str]:
    """The move says most."""
    return one.kind != Kind.MOVE, one.kind


def _does(one: Planned) -> str:
    what = safe_text(one.what.removeprefix("\\"))
    words = {
        Kind.ADD_LABEL: f"add {what}",
        Kind.REMOVE_LABEL: f"remove {what}",
        Kind.STAR: "star it",
        Kind.UNSTAR: "take the star off",
        Kind.MOVE: "close it" if one.what == Place.ARCHIVE else "reopen it",
        Kind.SEND_MAIL: f"send mail ({what})",
    }
    return words[Kind(one.kind)]


def report(
    now: datetime, since: datetime, zone: ZoneInfo, plans: Sequence[Plan], more: int, judged: Sequence[Judged]
) -> ObservedMail:
    """The whole mail."""
    mails = sum("send mail" in one.does for one in plans)
    counts = counted(len(plans) + more, "plan") if plans else "nothing"
    counts += f", {mails} of them with mail" if mails else ""
    start = at(since, zone)
    said = ObservedMail(day(now, zone), start, counts, tuple(plans), more, tuple(judged), ())
    return ObservedMail(said.day, start, counts, said.plans, more, said.judged, tuple(_lines(said)))


def _lines(said: ObservedMail) -> list[str]:
    start = f'This board only looks (act = "observe"). Since {said.since} it would have done'
    lines = folded(f"{start} this:" if said.plans else f"{start} nothing.", then="")
    width = len(str(len(said.plans)))
    name = max((len(one.thread) for one in said.plans), default=0)
    for one in said.plans:
        head = f"{MARGIN}{one.number:>{width}}  {one.thread:<{name}}  "
        margin = " " * len(head)
        lines += ["", *folded(f"{one.does} ({one.about})" if one.about else one.does, head, margin)]
        lines += folded(f"{one.at}: {one.why}", margin, margin)
    if said.more:
        lines += ["", f"{MARGIN}... and {said.more} more: helpdesk plan"]
    if said.judged:
        lines += ["", "SAID TO BE WRONG"]
        for mark in said.judged:
            words = f"{mark.number} ({mark.thread}), {mark.by}: {mark.words or 'no reason given'}"
            lines += folded(cut(words, 4 * WIDTH), MARGIN, MARGIN * 2)
    if said.plans:
        ask = 'Reply "helpdesk: wrong 1: why" for each plan that would have been wrong. When they are right, set act = "act".'
        lines += ["", *folded(ask, then="")]
    return lines
