"""Escalation as a second conversation: what a destination says, and when it is reminded (docs/mail.md section 3)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from helpdesk.model import ESCALATED, HUMAN_NATURES, Nature, Role, Stamp
from helpdesk.rules.draft import Draft, Pending, find_touches
from helpdesk.rules.facts import (
    MAX_NAGS,
    Destination,
    Fate,
    MessageFacts,
    Outgoing,
    Policy,
    ThreadFacts,
)
from helpdesk.rules.state import Talk, ThreadState

EXPERT_NEWS = frozenset({Nature.COMMENT, Nature.SOLVED, Nature.UNSOLVED})
"""A destination's machine that says more than "we have it"."""

MAX_TICKETS = 10
_WORDS = EXPERT_NEWS | HUMAN_NATURES
_NONE = Talk()


def hear(draft: Draft, message: MessageFacts) -> None:
    """A mail that is a destination's word: it was heard, it says "solved" or takes that back."""
    if message.nature not in _WORDS:
        return
    for where in _talking(draft, message):
        talk = replace(draft.talk(where), heard=draft.now, nags=0, nagged=None, patience=None)
        if message.nature is Nature.SOLVED and not talk.solved:
            talk = replace(talk, solved=True, untold=draft.now)
        elif message.nature is Nature.UNSOLVED:
            talk = replace(talk, solved=False, untold=None)
        draft.say(where, talk)


def _talking(draft: Draft, message: MessageFacts) -> list[str]:
    """Those of the message's destinations that the thread is or was with."""
    return [where for where in message.of if where in draft.state.registers or where in draft.state.talks]


def learn_tickets(draft: Draft) -> None:
    """Keep the numbers that the destinations gave; all mails are looked at, so that adopted ones teach too.

    A number that a user or the team named before comes back in the subject of the destination's mail, and is not its own.
    """
    others: set[str] = set()
    for message in draft.facts.messages:
        if not message.of and message.role not in {Role.EXPERT, Role.BOT}:
            others.update(map(ticket_key, message.tickets))
        teaches = message.nature in {*_WORDS, Nature.RECEIPT}
        numbers = [one for one in message.tickets if teaches and ticket_key(one) not in others]
        for where in _talking(draft, message) if numbers else ():
            talk = draft.talk(where)
            draft.say(where, replace(talk, tickets=united(talk.tickets, numbers)))


def told(draft: Draft) -> None:
    """A human of the team answered the user."""
    for where, talk in draft.state.talks.items():
        if talk.untold is not None:
            draft.say(where, replace(talk, untold=None))


def note_told(draft: Draft) -> None:
    """A mail with which a person told the user has left: what the destination said before he wanted it needs nobody any more."""
    mails = (m for m in draft.facts.mails if m.rule == "tell_user")
    said = max((m.planned or m.left for m in mails if m.left is not None), default=None)
    if said is None:
        return
    waiting = [talk.untold.at for talk in draft.state.talks.values() if talk.untold is not None]
    if waiting and said >= max(waiting):
        told(draft)
    comment = draft.state.expert_comment
    if comment is not None and said >= comment.at:
        draft.state = replace(draft.state, expert_comment=None)


def united(tickets: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    """Ticket numbers in order, each in its first spelling; the newest of too many are kept."""
    spelled: dict[str, str] = {}
    for one in (*tickets, *more):
        spelled.setdefault(ticket_key(one), one)
    return tuple(spelled.values())[-MAX_TICKETS:]


def ticket_key(spelled: str) -> str:
    """What two spellings of a ticket number share: `[Ticket#0123]` and `Ticket #0123` are one, `DDM-12` is `ddm-12`."""
    found = re.search(r"[a-z][a-z0-9_]+-\d+", spelled.lower()) if "#" not in spelled else None
    return found[0] if found else "".join(re.findall(r"\d+", spelled)[-1:])


@dataclass(frozen=True, slots=True)
class Nag:
    """One thread that a destination is to be reminded of."""

    where: str
    due: datetime


def nags(facts: ThreadFacts, state: ThreadState, policy: Policy) -> Sequence[Nag]:
    """When each destination that the thread is with will have been silent for too long; nothing where it need not answer."""
    found = []
    for where, destination in _asked(state, policy):
        start, talk = _began(facts, state, destination), state.talks.get(where, _NONE)
        if start is None or talk.solved or talk.nags >= MAX_NAGS:
            continue
        since = max([start, *(stamp.at for stamp in (talk.heard, talk.nagged) if stamp is not None)])
        due = destination.hours.after(since, destination.nag_after)
        found.append(Nag(where, max(due, talk.patience or due)))
    return found


def _asked(state: ThreadState, policy: Policy) -> list[tuple[str, Destination]]:
    """The destinations that an open thread is escalated to by mail, in a fixed order."""
    present = {name for name, register in state.registers.items() if register.present}
    if not state.open or ESCALATED not in present:
        return []
    known = sorted(present & policy.destinations.keys())
    return [(where, policy.destinations[where]) for where in known if policy.destinations[where].mails]


def _began(facts: ThreadFacts, state: ThreadState, destination: Destination) -> datetime | None:
    """When the story was mailed; None while it was not.

    Where the row of that mail was lost, its copy in the thread proves it, and the clock starts with the label.
    """
    where = destination.label
    mail = _mail(facts.mails, "escalate", f"{where}:{state.episodes.get(where, 1)}")
    if mail is not None:
        return mail.left
    proven = any(m.nature is Nature.OWN and destination.address in m.audience for m in facts.messages)
    return state.registers[where].stamp.at if proven else None


def _mail(mails: Iterable[Outgoing], rule: str, occasion: str) -> Outgoing | None:
    return next((m for m in mails if (m.rule, m.occasion) == (rule, occasion)), None)


def reminded(state: ThreadState, where: str, now: Stamp) -> ThreadState:
    """The state of a thread that is in a reminder."""
    talk = state.talks.get(where, _NONE)
    return _with(state, where, replace(talk, nags=talk.nags + 1, nagged=now, patience=None))


def patient(state: ThreadState, where: str, until: datetime) -> ThreadState:
    """The state of a thread that fell due after the reminder of its day had gone."""
    return _with(state, where, replace(state.talks.get(where, _NONE), patience=until))


def _with(state: ThreadState, where: str, talk: Talk) -> ThreadState:
    return replace(state, talks={**state.talks, where: talk})


def watch_talks(draft: Draft) -> None:
    """What is pending with the destinations, and what only the shifter can settle.

    A reminder is one mail about many threads: the stage `speak` writes it, and counts it.
    """
    leaving = {m.occasion.rpartition(":")[0] for m in draft.mails if m.rule == "escalate"}
    waiting = [n for n in nags(draft.facts, draft.state, draft.policy) if n.where not in leaving]
    draft.pending += [Pending("nag", nag.due) for nag in waiting]
    for where in draft.wheres() if draft.on(ESCALATED) else ():
        destination = draft.policy.destinations.get(where)
        if destination is not None:
            _tell_the_shifter(draft, where, destination)


def _tell_the_shifter(draft: Draft, where: str, destination: Destination) -> None:
    talk = draft.talk(where)
    if destination.mails:
        occasion = f"{where}:{draft.state.episodes.get(where, 1)}"
        mail = _mail(draft.facts.mails, "escalate", occasion)
        if mail is not None and mail.fate is Fate.STUCK:
            draft.notes.append(f"the mail to {where} has not left")
        if talk.nags >= MAX_NAGS and not talk.solved:
            draft.notes.append(f"{where} has not answered {MAX_NAGS} reminders")
    elif not talk.tickets:
        hours = destination.hours
        due = hours.after(draft.state.registers[where].stamp.at, hours.working_day)
        if due > draft.now.at:
            draft.looks.append(due)
        else:
            draft.notes.append(f"no ticket number of {where} is known")


def due_nags(facts: ThreadFacts, policy: Policy, now: datetime) -> Sequence[Nag]:
    """The reminders that are due about a thread as it was decided; none while a human is at work on it."""
    if find_touches(facts, policy):
        return ()
    return [nag for nag in nags(facts, facts.state, policy) if nag.due <= now]


def to_tell(state: ThreadState) -> Sequence[str]:
    """The destinations that have solved a thread of which the user does not know it yet."""
    return [
        where
        for where, talk in sorted(state.talks.items())
        if talk.untold is not None
        and state.open
        and where in state.registers
        and state.registers[where].present
    ]
