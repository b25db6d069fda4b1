"""Every thread stands in one part of the digest, the first that fits, or in none and is counted.  Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from helpdesk.digest.facts import Case, Now
from helpdesk.model import HUMAN_NATURES, TAKEN, TEAM, URGENT, LabelKind
from helpdesk.rules.answers import is_answered, team_answers
from helpdesk.rules.attention import is_stranger, labels, reasons
from helpdesk.rules.facts import MessageFacts, ThreadFacts

FIRST, ANSWER, READ, TELL, SETTLE = 1, 2, 3, 4, 5
RESTING, THANKS, ELSEWHERE = 0, -1, -2
"""Counted under NOTHING TO DO; named under SINCE; closed, and nobody's business."""

TITLES: Final = {
    FIRST: "FIRST",
    ANSWER: "ANSWER (user spoke last, oldest first)",
    READ: "READ, NOT ANSWERED",
    TELL: "TELL THE USER",
    SETTLE: "ONLY YOU CAN SETTLE",
}
NO_LABEL = "answered, and no label says what comes next"
_AROUND_A_NUMBER: Final = re.compile(r"^\W*(?:ticket)?\W*|\W+$", re.IGNORECASE)
STARRED = "starred, and the team spoke last"
NOT_TOLD = "was closed while ESCALATED: the user was not told"


@dataclass(frozen=True, slots=True)
class Placed:
    """A thread in its part; `at` is what its age counts from and its order goes by."""

    case: Case
    part: int
    at: datetime
    says: str = ""  # instead of the subject
    note: str = ""


def placed(now: Now) -> tuple[Placed, ...]:
    """Every thread in its part, the oldest first."""
    found = [_place(case, now) for case in now.cases]
    return tuple(sorted(found, key=lambda one: (one.part, one.at, one.case.facts.code)))


def _place(case: Case, now: Now) -> Placed:
    facts, state = case.facts, case.facts.state
    if not state.open:
        return _closed(case, now)
    why, asked = reasons(facts, now.policy), unanswered(facts)
    if URGENT in labels(facts) or state.bounce is not None:
        return _first(case, asked, now)
    if asked and case.thanks and "reopened" in why and len(asked) == 1:
        return Placed(case, THANKS, asked[0].time)
    if asked and set(why) & {"unlabelled", "unread_reply", "reopened", "starred"}:
        unread = "unread_reply" in why or now.policy.ignore_unread
        return Placed(case, ANSWER if unread else READ, asked[0].time, note=_note(case, asked, now))
    told = [(talk.untold.at, where) for where, talk in state.talks.items() if talk.untold is not None]
    if told or state.expert_comment is not None:
        at = min(told)[0] if told else state.expert_comment.at if state.expert_comment else now.now
        return Placed(case, TELL, at, says=_wrote(facts, [where for _, where in sorted(told)], now))
    return _to_settle(case, now, why)


def _first(case: Case, asked: list[MessageFacts], now: Now) -> Placed:
    """What cannot wait: URGENT, and a user whom our mail did not reach."""
    state = case.facts.state
    if URGENT in labels(case.facts):
        return Placed(case, FIRST, state.registers[URGENT].stamp.at, note=_note(case, asked, now))
    return Placed(case, FIRST, now.now if state.bounce is None else state.bounce.at, note="our mail bounced")


def _closed(case: Case, now: Now) -> Placed:
    """A closed thread is somebody's business once, or while a mail about it waits."""
    state = case.facts.state
    at = now.now if state.since is None else state.since.at
    if state.closed_escalated and now.since < at:
        return Placed(case, TELL, at, says=NOT_TOLD)
    if case.mails:
        return Placed(case, SETTLE, at, says=case.mails[0])
    return Placed(case, ELSEWHERE, at)


def _to_settle(case: Case, now: Now, why: tuple[str, ...]) -> Placed:
    facts = case.facts
    says = [*case.mails, *case.notes]
    if not says and "starred" in why:
        says = [STARRED]
    elif not says and why:
        says = [NO_LABEL]
    at = max((m.time for m in facts.messages), default=now.now)
    if says:
        return Placed(case, SETTLE, at, says="; ".join(says))
    return Placed(case, RESTING, at)


def unanswered(facts: ThreadFacts) -> list[MessageFacts]:
    """The mails of people outside the team since the team answered last, oldest first."""
    people = [m for m in facts.messages if m.nature in HUMAN_NATURES]
    answers = team_answers(facts)
    others = [m for m in people if m.role not in TEAM or is_stranger(m)]
    asked = [m for m in others if not is_answered(m, answers)]
    return sorted(asked, key=lambda m: (m.time, m.key))


def _note(case: Case, asked: list[MessageFacts], now: Now) -> str:
    facts = case.facts
    found = []
    taken = facts.state.registers.get(TAKEN)
    if taken is not None and taken.present:
        who = taken.reason.removeprefix("taken by ")
        found.append(f"taken: {who}" if who != taken.reason else "taken")
    if facts.state.reopened is not None:
        found.append("reopened")
    if len(asked) > 1:
        found.append(f"{_ordinal(len(asked))} mail")
    answered = any(m.role in TEAM and m.nature in HUMAN_NATURES for m in facts.messages)
    if not found and asked and not answered and now.now - asked[0].time >= now.first_reply:
        found.append("no answer yet")
    return ", ".join(found)


def _ordinal(number: int) -> str:
    tens = number % 100
    ending = "th" if 11 <= tens <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _wrote(facts: ThreadFacts, solved: list[str], now: Now) -> str:
    """GGUS 48112 solved; or, if none says that it is, who wrote."""
    wheres = [label for label in labels(facts) if now.policy.kinds.get(label) is LabelKind.WHERE]
    who = " and ".join(_with_ticket(facts, where) for where in solved or wheres)
    return f"{who or 'an expert'} {'solved' if solved else 'wrote'}"


def _with_ticket(facts: ThreadFacts, where: str) -> str:
    talk = facts.state.talks.get(where)
    number = talk.tickets[-1] if talk is not None and talk.tickets else ""
    return f"{where} {_AROUND_A_NUMBER.sub('', number)}".strip()


def resting(found: Iterable[Placed]) -> list[Case]:
    """The threads that need nobody."""
    return [one.case for one in found if one.part == RESTING]
