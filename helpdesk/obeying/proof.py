"""Who wrote a command mail, and whether that is certain enough.

A mail that lies in Sent, or that a trusted server vouches for, is obeyed.  Anything else is asked about, at the first configured
address of the person that it names.  What nobody has proven to have asked for causes few mails, whatever arrives.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from helpdesk.actions import Action
from helpdesk.board import Teammate
from helpdesk.commands import Command, Mistake, Verb, changes
from helpdesk.mailids import confirms
from helpdesk.obeying import answering
from helpdesk.obeying.desk import Desk, is_confirmation
from helpdesk.obeying.work import place
from helpdesk.store import commands
from helpdesk.store.commands import CommandMail, State

GOOD_FOR = timedelta(hours=24)
"""How long a question waits for its confirmation."""

UNPROVEN_PER_DAY = 3
"""Mails to a person in 24 hours that nobody has proven to have asked for."""

_KEY = 16  # characters of a token that say which command mail it is about
_UNKNOWN = "this token is not known here"

Asked = Sequence[Command | Mistake]


def judge(desk: Desk) -> list[Action]:
    """Look at every command mail that is new; the questions to be mailed."""
    for mail in commands.in_states(desk.conn, (State.ASKED,)):
        if desk.now.at >= (mail.unproven_at or mail.stamp.at) + GOOD_FOR:
            commands.save(desk.conn, replace(mail, state=State.EXPIRED))
    fresh = commands.in_states(desk.conn, (State.NEW,))
    return [action for mail in sorted(fresh, key=_order) for action in _judge(desk, mail)]


def _order(mail: CommandMail) -> tuple[bool, int]:
    """What asks comes before what confirms it: after a restored backup both may be new."""
    return any(item.line.lower().startswith("confirm") for item in mail.items), mail.id


def _judge(desk: Desk, mail: CommandMail) -> Iterable[Action]:
    person = desk.person(mail)
    if person is None:  # not any more
        commands.save(desk.conn, replace(mail, state=State.REFUSED))
        return ()
    asked = desk.understood(mail, person)
    told, actions = _confirmations(desk, person, asked)
    others = [one for one in asked if not is_confirmation(one)]
    mail = replace(mail, person=person.address, told=told)
    mail = _stands(desk, mail, others)
    commands.save(desk.conn, mail)
    if mail.state is State.ASKED:
        actions.append(answering.question(desk, mail, person, desk.now.at + GOOD_FOR))
    return actions


def _stands(desk: Desk, mail: CommandMail, others: Asked) -> CommandMail:
    """What happens with all but confirmations."""
    if not others:
        failed = mail.authentic and any(not done for done, _ in mail.told.values())
        return replace(mail, state=State.CONFIRMED if failed else State.ANSWERED)
    if mail.authentic:
        return replace(mail, state=State.CONFIRMED)
    if mail.stale or not _may_be_mailed(desk, mail):
        return replace(mail, state=State.REFUSED)
    state = State.ASKED if any(map(changes, others)) else State.CONFIRMED
    return replace(mail, state=state, unproven_at=desk.now.at)


def _may_be_mailed(desk: Desk, mail: CommandMail) -> bool:
    since = desk.now.at - timedelta(hours=24)
    return commands.unproven(desk.conn, mail.person, since) < UNPROVEN_PER_DAY


def _confirmations(
    desk: Desk, person: Teammate, asked: Asked
) -> tuple[dict[str, tuple[bool, str]], list[Action]]:
    """What the tokens in a mail confirm; forged and foreign ones confirm nothing, and are told to nobody in doubt."""
    told: dict[str, tuple[bool, str]] = {}
    actions: list[Action] = []
    for number, one in enumerate(asked):
        if not isinstance(one, Command) or one.verb is not Verb.CONFIRM:
            continue
        meant = commands.by_key(desk.conn, one.what[:_KEY])
        secret = desk.board.sending.secret
        mine = meant is not None and meant.person == person.address
        if meant is None or not mine or not confirms(one.what, meant.key, person.address, secret):
            told[place(number)] = (False, _UNKNOWN)
            continue
        told[place(number)] = (True, "confirmed")
        if meant.state is State.ASKED:
            commands.save(desk.conn, replace(meant, state=State.CONFIRMED, unproven_at=None))
        else:
            actions.append(answering.again(desk, meant, person))
    return told, actions
