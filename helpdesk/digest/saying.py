"""The sentences around the parts of a digest: whose shift it is, who is awake, what needs nobody, what happened.  Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from helpdesk.digest.facts import Case, Now
from helpdesk.digest.sorting import ANSWER, FIRST, READ, SETTLE, TELL, THANKS, Placed
from helpdesk.model import ESCALATED, FIXED, HUMAN_NATURES, TAKEN, URGENT, WAITING
from helpdesk.rules.attention import labels
from helpdesk.shifts.values import Shift
from helpdesk.shifts.wording import at, clock, day, listed

_DAY: Final = timedelta(days=1)
_STATES: Final = ((WAITING, "waiting"), (ESCALATED, "escalated"), (FIXED, "fixed"))
MAX_NAMES: Final = 8
MAX_LABELS: Final = 8


def age(length: timedelta) -> str:
    """10m, 1h10, 19h, 3d: never more than five characters up to 9999 days."""
    minutes = max(0, int(length.total_seconds() // 60))
    hours, days = minutes // 60, minutes // 1440
    if hours < 1:
        return f"{minutes}m"
    if hours < 10 and minutes % 60:
        return f"{hours}h{minutes % 60:02d}"
    return f"{hours}h" if hours < 48 else f"{days}d"


def title(now: Now) -> str:
    """Tue 9 Jun 06-14 UTC: the shift, or the moment if there is none."""
    zone = ZoneInfo(now.zone)
    running = () if now.rota is None else now.rota.current(now.now)
    local = now.now.astimezone(zone)
    if not running:
        return f"{at(now.now, zone)} {local:%Z}"
    start, end = max(one.start for one in running), min(one.end for one in running)
    name = f"{start.astimezone(zone):%Z}"
    if end - start < _DAY:
        return f"{day(start, zone)} {_hour(start, zone)}-{_hour(end, zone)} {name}"
    return f"{day(start, zone)} {_hour(start, zone)} - {day(end, zone)} {_hour(end, zone)} {name}"


def _hour(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%H%M}" if local.minute else f"{local:%H}"


def duty(now: Now) -> str:
    """You: Aiden. Before: Sergey. Next: Alden, 14:00."""
    rota, zone = now.rota, ZoneInfo(now.zone)
    if rota is None:
        return "You: every shifter, there is no shift calendar."
    running, before, following = rota.current(now.now), rota.previous(now.now), rota.following(now.now)
    you = _names(running) or "nobody is on duty"
    said = [f"You: {you}."]
    if before:
        said.append(f"Before: {_names(before)}.")
    if following:
        said.append(f"Next: {_names(following)}, {_moment(following[0].start, now)}.")
    else:
        said.append(f"Next: nobody is planned until {day(rota.window.end, zone)}.")
    return " ".join(said)


def _names(shifts: Sequence[Shift]) -> str:
    return listed(list(dict.fromkeys(name for one in shifts for name in one.names)), MAX_NAMES)


def _moment(moment: datetime, now: Now) -> str:
    """14:00, with the day if it is a day away."""
    zone = ZoneInfo(now.zone)
    return clock(moment, zone) if abs(moment - now.now) < _DAY else at(moment, zone)


def awake(now: Now) -> str:
    """Awake: Ganga till 16:00, DDM till 15:00; nothing for destinations without hours."""
    known = [one for one in now.policy.destinations.values() if one.hours.limited]
    till = [(one.label, closes) for one in known if (closes := one.hours.closes_at(now.now)) is not None]
    if not known:
        return ""
    shown = [f"{name} till {_moment(closes, now)}" for name, closes in till[:MAX_NAMES]]
    return f"Awake: {', '.join(shown) or 'no destination'}."


def counts(found: Iterable[Placed]) -> str:
    """4 to answer, 1 urgent."""
    by_part = Counter(one.part for one in found)
    urgent = sum(one.part == FIRST and URGENT in labels(one.case.facts) for one in found)
    told = (
        (by_part[ANSWER] + by_part[READ] + by_part[TELL], "to answer"),
        (urgent, "urgent"),
        (by_part[FIRST] - urgent, "bounced"),
    )
    settle = f"{by_part[SETTLE]} to settle" if by_part[SETTLE] else "nothing to do"
    return ", ".join(f"{number} {words}" for number, words in told if number) or settle


def resting(cases: Sequence[Case], now: Now) -> tuple[str, ...]:
    """Waiting 23 (2 close at 14:00), escalated 6, fixed 3, mc08 dataset problem 11: each thread once."""
    found: Counter[str] = Counter(_kept_by(case) for case in cases)
    words = dict(_STATES)
    remarks = {WAITING: _closing(cases, now), ESCALATED: _nagged(cases)}
    told = [f"{words[x]} {found.pop(x)}{remarks.get(x, '')}" for x, _ in _STATES if x in found]
    others = found.most_common()
    told += [f"{label} {number}" for label, number in sorted(others[:MAX_LABELS])]
    left = sum(number for _, number in others[MAX_LABELS:])
    left_out = (("other labels", left), ("older, not looked at", now.older))
    return (*told, *(f"{words} {number}" for words, number in left_out if number))


def _kept_by(case: Case) -> str:
    """Why nobody need do anything: its first state, else its first label."""
    present = [label for label in labels(case.facts) if label != TAKEN]
    for label, _ in _STATES:
        if label in present:
            return label
    if present:
        return present[0]
    machines = all(m.nature not in HUMAN_NATURES for m in case.facts.messages)
    return "from machines" if machines else "other"


def _closing(cases: Sequence[Case], now: Now) -> str:
    """How many of those that wait are closed as the next shift starts."""
    following = None if now.rota is None else now.rota.next_start(now.now)
    if following is None:
        return ""
    number = sum(
        _kept_by(case) == WAITING and case.closes is not None and case.closes <= following for case in cases
    )
    closes = "closes" if number == 1 else "close"
    return f" ({number} {closes} at {_moment(following, now)})" if number else ""


def _nagged(cases: Sequence[Case]) -> str:
    """How many of the escalated ones were asked about."""
    number = sum(
        _kept_by(case) == ESCALATED and any(talk.nags for talk in case.facts.state.talks.values())
        for case in cases
    )
    return f" ({number} nagged)" if number else ""


def since(now: Now) -> str:
    """22:00, with the day if that is a day ago."""
    return _moment(now.since, now)


def news(found: Iterable[Placed], now: Now) -> str:
    """New 9, closed 12, reopened 2 (thanks? x7m2q)."""
    reopened = [one for one in found if _reopened_since(one.case, now)]
    thanks = [now.names.get(one.case.facts.code, "") for one in found if one.part == THANKS]
    said = [f"new {now.new}", f"closed {now.closed}"]
    if reopened or thanks:
        hint = f" (thanks? {', '.join(thanks[:MAX_NAMES])})" if thanks else ""
        said.append(f"reopened {max(len(reopened), len(thanks))}{hint}")
    return ", ".join(said)


def _reopened_since(case: Case, now: Now) -> bool:
    state = case.facts.state
    return (
        state.open is True
        and state.rule in {"reopen", "reopened_by_hand", "bounce", "undo"}
        and state.since is not None
        and state.since.at > now.since
    )
