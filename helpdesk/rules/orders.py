"""What a person of the team asked for by mail (docs/mail.md section 4): a touch that settles at once.

An order counts from the cycle that saw its mail, however long the proof took.  So whatever a human did before it is settled first, and
what changed after it stays: a label that was set or removed since, and above all what a user has written since.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from helpdesk.actions import Action, Kind
from helpdesk.model import ESCALATED, HUMAN_NATURES, TAKEN, WAITING, Role, Stamp
from helpdesk.rules.draft import Draft
from helpdesk.rules.facts import OPEN_KINDS, Ask, MessageFacts, Order, Told, asker
from helpdesk.rules.settle import clear_markers, merge, set_label
from helpdesk.rules.state import Register
from helpdesk.rules.talks import EXPERT_NEWS, united

COMMAND = "command"
_ANSWERS = HUMAN_NATURES | EXPERT_NEWS


class _RefusedError(Exception):
    """The order is not carried out, and why; it never leaves this module."""


def obey(draft: Draft) -> None:
    """Carry out the orders, in the order in which they were given."""
    for order in sorted(draft.facts.orders, key=lambda one: (one.stamp, one.id)):
        merge(draft, [t for t in draft.touches if t.stamp.cycle <= order.stamp.cycle])
        try:
            says = _ACTS[order.ask](draft, order)
        except _RefusedError as refusal:
            draft.told.append(Told(order.id, done=False, says=str(refusal)))
            continue
        draft.told.append(Told(order.id, done=True, says=says))
        touched = draft.state.touched
        draft.state = replace(draft.state, touched=max(touched or order.stamp, order.stamp))
        if order.ask is not Ask.TELL:
            clear_markers(draft, order.stamp)
        if draft.state.lies:
            draft.open(COMMAND, _reason(order), order.stamp, human=True)


def _reason(order: Order) -> str:
    return f"{order.by} said so by mail"


def _close(draft: Draft, order: Order) -> str:
    if draft.state.open is False:
        return "it was closed already"
    later = wrote_since(draft.facts.messages, order, (Role.USER, Role.EXPERT))
    if later is not None:
        raise _RefusedError(said_since(later))
    since = draft.state.since
    if since is not None and since.cycle > order.stamp.cycle:
        raise _RefusedError(f"it was opened since, at {_time(since.at)}: {draft.state.reason}")
    draft.close("close", _reason(order), order.stamp, human=True)
    return "closed"


def _reopen(draft: Draft, order: Order) -> str:
    if draft.state.open is not False:
        return "it was open already"
    since = draft.state.since
    if since is not None and since.cycle > order.stamp.cycle:
        raise _RefusedError(f"it was closed since, at {_time(since.at)}: {draft.state.reason}")
    draft.open("reopened_by_hand", _reason(order), order.stamp, human=True)
    return "open again"


def _add(draft: Draft, order: Order) -> str:
    label = order.label
    if label == WAITING:
        _nobody_wrote(draft, order)
    was = draft.on(label)
    _put(draft, order, label)
    if label == TAKEN:
        return f"taken by {order.by}"
    return f"it was {label} already" if was else f"{label} is set"


def _remove(draft: Draft, order: Order) -> str:
    label = order.label
    if not draft.on(label):
        return f"it was not {label}"
    _nobody_changed(draft, order, label)
    set_label(draft, label, Register(False, order.stamp, True, COMMAND, _reason(order)))
    draft.pair((), (label,), COMMAND, human=True)
    return f"{label} is removed"


def _escalate(draft: Draft, order: Order) -> str:
    where = order.label
    was = draft.on(where)
    _put(draft, order, where)
    _put(draft, order, ESCALATED)
    known = _number(draft, order)
    destination = draft.policy.destinations.get(where)
    if was:
        return f"it is with {where} already{known}"
    if destination is None or not destination.mails:
        return f"it is with {where}{known}: the board mails nothing there"
    due = draft.state.registers[where].stamp.at + draft.policy.escalation_grace
    return f"it goes to {where}{known} at {_time(max(due, draft.now.at))}"


def _number(draft: Draft, order: Order) -> str:
    """Keep the ticket's number that a person names."""
    if not order.ticket:
        return ""
    spelled = f"#{order.ticket}" if order.ticket.isdigit() else order.ticket
    talk = draft.talk(order.label)
    draft.say(order.label, replace(talk, tickets=united(talk.tickets, (spelled,))))
    return f" as {spelled}"


def _put(draft: Draft, order: Order, label: str) -> None:
    """Set a label; on a closed thread only one that opens it."""
    _nobody_changed(draft, order, label)
    taken = label == TAKEN
    if draft.on(label) and not taken:
        return
    if draft.state.open is False:
        if draft.kind(label) not in OPEN_KINDS:
            raise _RefusedError("it is closed: reopen it first")
        reason = f"{order.by} set {label} on a closed thread"
        draft.open("reopened_by_hand", reason, order.stamp, human=True)
    reason = f"taken by {order.by}" if taken else _reason(order)
    set_label(draft, label, Register(True, order.stamp, True, COMMAND, reason))


def _tell(draft: Draft, order: Order) -> str:
    """Pass on the words, else what the destination answered until then, else that it was passed on."""
    user = asker(draft.facts)
    if user is None:
        raise _RefusedError("there is no user to tell")
    _nobody_wrote(draft, order)
    answer = None if order.words else _answer(draft, order.stamp)
    where = next(iter(draft.wheres()), "")
    if not order.words and answer is None and not where:
        raise _RefusedError("there is nothing to tell: give the words, or escalate it first")
    context = {
        "by": order.by,
        "where": where,
        "words": list(order.words),
        "answer": "" if answer is None else answer.message_id,
    }
    draft.mails.append(_note(draft, order, user.author, json.dumps(context)))
    if order.words:
        return f"this goes to {user.author}"
    if answer is not None:
        return f"the answer of {answer.author} of {_time(answer.time)} goes to {user.author}"
    return f"{user.author} hears that it was passed to {where}"


def _note(draft: Draft, order: Order, to: str, context: str) -> Action:
    facts = draft.facts
    return Action(
        Kind.SEND_MAIL,
        facts.key,
        facts.code,
        "note",
        "tell_user",
        _reason(order),
        order.stamp,
        occasion=order.id,
        recipients=(to,),
        human=True,
        context=context,
    )


def _answer(draft: Draft, until: Stamp) -> MessageFacts | None:
    """The last thing that a destination itself had said when the order was given."""
    said = (m for m in draft.facts.messages if m.of and m.nature in _ANSWERS and m.cycle <= until.cycle)
    return max(said, key=lambda m: (m.time, m.key), default=None)


def _nobody_wrote(draft: Draft, order: Order) -> None:
    """Refuse what a user's mail that came after the order would have changed."""
    later = wrote_since(draft.facts.messages, order, (Role.USER,))
    if later is not None:
        raise _RefusedError(said_since(later))


def said_since(message: MessageFacts) -> str:
    """Say that somebody wrote."""
    who = "the user" if message.role is Role.USER else message.author or "an expert"
    return f"{who} wrote at {_time(message.time)}"


def wrote_since(
    messages: Iterable[MessageFacts], order: Order, roles: Collection[Role]
) -> MessageFacts | None:
    """The last mail of these roles that whoever gave the order cannot have read, or may not have."""
    later = (m for m in messages if m.role in roles and _later(m, order))
    return max(later, key=lambda m: (m.time, m.key), default=None)


def _later(message: MessageFacts, order: Order) -> bool:
    if message.nature not in _ANSWERS or message.adopted or message.message_id in order.read:
        return False
    if message.cycle != order.stamp.cycle:
        return message.cycle > order.stamp.cycle
    return message.time >= order.mailed  # mail servers keep whole seconds: in doubt the user wrote last


def _nobody_changed(draft: Draft, order: Order, label: str) -> None:
    """Refuse what was decided differently after the order."""
    register = draft.register(label)
    if register is not None and register.stamp.cycle > order.stamp.cycle:
        word = "set" if register.present else "removed"
        raise _RefusedError(f"{label} was {word} since, at {_time(register.stamp.at)}: {register.reason}")


def _time(moment: datetime) -> str:
    return f"{moment:%H:%M} UTC on {moment.day} {moment:%b}"


_ACTS: Mapping[Ask, Callable[[Draft, Order], str]] = {
    Ask.CLOSE: _close,
    Ask.REOPEN: _reopen,
    Ask.ADD: _add,
    Ask.REMOVE: _remove,
    Ask.ESCALATE: _escalate,
    Ask.TELL: _tell,
}
