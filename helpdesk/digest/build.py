"""A digest from its facts, on one screen.  Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

from helpdesk.digest import columns, saying, sites
from helpdesk.digest.facts import Case, Now, Told
from helpdesk.digest.mail import DigestMail, DigestPart, DigestRow, HandoverWords
from helpdesk.digest.saying import age
from helpdesk.digest.sorting import (
    ANSWER,
    FIRST,
    READ,
    SETTLE,
    TELL,
    THANKS,
    TITLES,
    Placed,
    placed,
    resting,
)
from helpdesk.model import URGENT
from helpdesk.rules.attention import labels
from helpdesk.shifts.wording import at, clock
from helpdesk.text import safe_text

MOST: Final = 30
"""Rows of a part; a digest of hundreds is read by nobody."""

MOST_WORDS: Final = 30  # lines of a hand-over
MAX_SAID: Final = 120  # characters of a note; `helpdesk show` tells all of it
WORDS_OPEN: Final = "other words open the next digest."


def digest(now: Now) -> DigestMail:
    """Everything in its part, in words, and the text in columns."""
    found = placed(now)
    parts = tuple(part for number in TITLES if (part := _part(number, found, now)) is not None)
    said = DigestMail(
        title=saying.title(now),
        counts=saying.counts(found),
        duty=saying.duty(now),
        awake=saying.awake(now),
        handovers=tuple(_handover(one, now) for one in now.handovers),
        parts=parts,
        resting=saying.resting(resting(found), now),
        since=saying.since(now),
        news=saying.news(found, now),
        sites="" if now.sites is None else safe_text(sites.summary(now.sites), limit=400),
        site_lines=_sites(now),
        hints=_hints(found, now),
        lines=(),
    )
    return replace(said, lines=tuple(_lines(said)))


def _sites(now: Now) -> tuple[str, ...]:
    """What is to be said of each site."""
    found = () if now.sites is None else sites.lines(now.sites, now.now, ZoneInfo(now.zone))
    return tuple(safe_text(one, limit=400) for one in found)


def listed(now: Now) -> Sequence[Case]:
    """The threads that a digest names: what is shown of them is worth looking up."""
    found = placed(now)
    shown = [[one.case for one in found if one.part == part][:MOST] for part in (*TITLES, THANKS)]
    return [case for cases in shown for case in cases]


def _part(number: int, found: Iterable[Placed], now: Now) -> DigestPart | None:
    rows = [_row(one, now) for one in found if one.part == number]
    if number == SETTLE:
        board = (*now.board, *(f"calendar: {one}" for one in now.problems))
        rows += [DigestRow("", "", "", safe_text(one, limit=300)) for one in board]
    if not rows:
        return None
    return DigestPart(number, TITLES[number], tuple(rows[:MOST]), max(0, len(rows) - MOST))


def _row(one: Placed, now: Now) -> DigestRow:
    case, length = one.case, age(now.now - one.at)
    name = now.names.get(case.facts.code, case.facts.code)
    if one.part in {TELL, SETTLE}:
        about = f" ({_who(case.user)}: {_subject(case, now)})" if case.user else ""
        mark = length if one.part == TELL else ""
        return DigestRow(name, mark, "", f"{safe_text(one.says)}{about}", below=_below(case), link=case.link)
    mark = length
    if one.part == FIRST:
        mark = f"{'URGENT' if URGENT in labels(case.facts) else 'bounce'} {length}"
    clue = (safe_text(case.clue),) if case.clue and one.part == FIRST else ()
    below = (*clue, *_below(case))
    return DigestRow(name, mark, _who(case.user), _subject(case, now), safe_text(one.note), below, case.link)


def _below(case: Case) -> tuple[str, ...]:
    """Whose fault it may be, and the team's last note, a line each."""
    said = (case.said,) if case.said else ()
    return tuple(safe_text(one, limit=MAX_SAID) for one in (*case.fault, *said))


def _who(name: str) -> str:
    """How a row calls somebody: by the first word of the name."""
    clean = safe_text(name.partition("@")[0] if "@" in name else name)
    first = clean.split(" ", 1)[0].strip('",;')
    return columns.cut(first if len(first) > 1 else clean, columns.MAX_WHO)


def _subject(case: Case, now: Now) -> str:
    """The subject without the list's name."""
    clean = safe_text(case.subject)
    tag = rf"\s*\[{re.escape(now.tag)}\]\s*" if now.tag else r"(?!)"
    return re.sub(f"^{tag}", "", clean, flags=re.IGNORECASE) or "(no subject)"


def _handover(one: Told, now: Now) -> HandoverWords:
    zone = ZoneInfo(now.zone)
    same = abs(now.now - one.at).total_seconds() < 86_400
    when = clock(one.at, zone) if same else at(one.at, zone)
    return HandoverWords(safe_text(one.author), when, one.verified, one.words)


def _hints(found: Sequence[Placed], now: Now) -> tuple[str, ...]:
    """Commands that fit what is listed."""
    commands = (("close", (THANKS, READ, ANSWER, FIRST)), ("tell user", (TELL,)))
    hints = []
    for command, parts in commands:
        names = [
            now.names.get(one.case.facts.code, "")
            for part in parts
            for one in found
            if one.part == part and one.case.facts.state.open
        ]
        hints += [f"helpdesk: {command} {name}" for name in names[:1] if name]
    return tuple(hints)


# -- the text ------------------------------------------------------------------------------------------------------


def _lines(said: DigestMail) -> list[str]:
    """The whole text; a shift with nothing to do is three lines."""
    rest = ", ".join(said.resting) or ("nothing else is open" if said.parts else "nothing is open")
    since = f"SINCE {said.since}  "
    if not said.parts and not said.handovers and not said.site_lines:
        left = columns.WIDTH - len(since)
        found = [
            *(columns.cut(line, columns.WIDTH) for line in (said.duty, f"NOTHING TO DO: {rest}")),
            since + columns.cut(said.news, left),
        ]
        return [*found, *(columns.folded(said.sites, "SITES  ") if said.sites else ())]
    lines = [*columns.folded(said.duty), *(columns.folded(said.awake) if said.awake else []), ""]
    for one in said.handovers:
        doubt = "" if one.verified else ", unverified"
        lines += [columns.cut(f"HAND-OVER ({one.author} {one.when}{doubt})", columns.WIDTH)]
        lines += columns.quoted(one.words, MOST_WORDS)
    name = max((len(row.thread) for part in said.parts for row in part.rows), default=0) or 5
    for part in said.parts:
        lines += [f"{part.number} {part.title}", *columns.rows(part.rows, name)]
        lines += (
            [f"{columns.MARGIN}... and {part.more} more: helpdesk threads --attention"] if part.more else []
        )
    lines += columns.folded(f"NOTHING TO DO: {rest}")
    lines += columns.folded(said.news, since)
    lines += columns.folded(said.sites, "SITES  ") if said.sites else []
    lines += [line for one in said.site_lines for line in columns.two_lines(one)]
    answers = ", ".join(f'"{hint}"' for hint in said.hints)
    lines += [
        "",
        *columns.folded(f"Reply {answers}; {WORDS_OPEN}" if answers else f"Reply: {WORDS_OPEN}", then=""),
    ]
    return lines
