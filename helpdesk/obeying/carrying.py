"""From a command to what is done: an order for a thread, or, where no thread changes, the thing itself."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from helpdesk import asking
from helpdesk.actions import Kind
from helpdesk.commands import ABOUT_SITES, READING, Command, Mistake, Verb, changes
from helpdesk.errors import UsageError
from helpdesk.mailids import Reason, loop_token, message_id
from helpdesk.model import Role
from helpdesk.obeying import looking, places
from helpdesk.obeying.desk import CONTACT, Desk
from helpdesk.obeying.work import Work, place
from helpdesk.outbox import State as MailState
from helpdesk.rules.facts import Ask, Order, Told
from helpdesk.rules.orders import said_since, wrote_since
from helpdesk.store import commands, journal, messages, threads, wrongs
from helpdesk.store import outbox as rows
from helpdesk.store.commands import CommandMail, State

ORDERS: Mapping[Verb, Ask] = {
    Verb.CLOSE: Ask.CLOSE,
    Verb.REOPEN: Ask.REOPEN,
    Verb.LABEL: Ask.ADD,
    Verb.UNLABEL: Ask.REMOVE,
    Verb.ESCALATE: Ask.ESCALATE,
    Verb.TELL: Ask.TELL,
}
"""What the rules carry out, thread by thread."""

WHICH = "which thread? Give its id, as in `helpdesk: close x7m2q`"
OBSERVES = "the board only observes; it would be: "


def carry(desk: Desk, mail: CommandMail) -> Work | None:
    """Begin, or go on, with a command mail; None if it was carried out before this database knew of it."""
    person = desk.person(mail)
    if person is None or _was_answered(desk, mail):
        state = State.REFUSED if person is None else State.ANSWERED
        commands.save(desk.conn, replace(mail, state=state))
        return None
    asked = desk.understood(mail, person)
    work = Work(mail, person, dict(mail.told), proven=mail.authentic or any(map(changes, asked)))
    for number, one in enumerate(asked):
        if isinstance(one, Mistake):
            work.told.setdefault(place(number), (False, one.problem))
        elif one.verb in ORDERS:
            _order(desk, work, number, one)
        elif one.verb in READING:
            work.questions.append((place(number), one))
        elif one.verb is not Verb.CONFIRM and place(number) not in work.told:
            work.told[place(number)] = _at_once(desk, work, one)
    return work


def _was_answered(desk: Desk, mail: CommandMail) -> bool:
    """Whether our answer exists: as a row, or as a copy in the mailbox that outlived the row (a restored backup)."""
    board = desk.board
    domain = board.sending.sender.rpartition("@")[2]
    own = message_id(Reason(board.name, "", "command", mail.key), domain, board.sending.secret)
    return rows.exists(desk.conn, own) or messages.came_home(desk.conn, loop_token(own))


def _order(desk: Desk, work: Work, number: int, asked: Command) -> None:
    """One order a thread; a thread that does not exist is told, and the others go on."""
    mail = work.mail
    for index, text in enumerate(asked.threads or ("",)):
        where = place(number, index)
        if where in work.told:
            continue
        try:
            thread = _thread(desk, mail, text)
        except UsageError as error:
            work.told[where] = (False, str(error))
            continue
        order = Order(
            id=work.order_id(where),
            ask=ORDERS[asked.verb],
            by=work.person.name,
            stamp=mail.stamp,
            mailed=mail.mailed,
            label=asked.label,
            ticket=asked.ticket,
            words=asked.words,
            read=frozenset(mail.refs),
        )
        work.orders.append((thread, order))
        work.shorts[order.id] = desk.short(desk.code(thread))


def _thread(desk: Desk, mail: CommandMail, text: str) -> int:
    """The thread that is named, else the one that the mail is about."""
    if text:
        return desk.thread(text)
    thread = _meant(desk, mail)
    if thread is None:
        raise UsageError(WHICH)
    return thread


def _meant(desk: Desk, mail: CommandMail) -> int | None:
    """The thread that the mail is in, or answers; or that an answer of ours was about, which it answers."""
    thread = commands.thread_of(desk.conn, mail.refs)
    if thread is not None:
        return thread
    answered = (row for row in rows.by_token(desk.conn, mail.ours) if row.rule == "command")
    shorts = (json.loads(row.context or "{}").get("thread") for row in answered)
    return next((desk.thread(str(short)) for short in shorts if short), None)


def settle(desk: Desk, work: Work, told: Mapping[str, Told]) -> None:
    """Take in what the rules said of the orders; what a brake kept from them is asked for again in the next cycle."""
    for thread, order in work.orders:
        one = told.get(order.id)
        if one is None:
            continue
        short = work.shorts[order.id]
        done = one.done and not desk.board.observes
        says = one.says if done or not one.done else f"{OBSERVES}{one.says}"
        if done and order.ask is Ask.TELL:
            done, says = _left(desk, thread, order, says)
        work.told[work.where(order)] = (done, f"{short}: {says}")
        line = work.mail.items[int(work.where(order)[:2])].quoted[0]
        _enter(desk, work, thread, journal.COMMAND, (line, f"{work.person.name}: {says}"))
    for where, asked in work.questions:
        work.told[where] = _at_once(desk, work, asked)


def _left(desk: Desk, thread: int, order: Order, says: str) -> tuple[bool, str]:
    """Whether the mail to the user may go, or a cap holds it."""
    row = rows.of_reason(desk.conn, thread, "tell_user", order.id)
    if row is not None and row.state is MailState.HELD:
        return False, f"the mail is held: {row.last_answer}"
    return True, says


def _enter(desk: Desk, work: Work, thread: int, kind: str, what: tuple[str, str]) -> None:
    """Write a line of the thread's story."""
    said = journal.Said(thread, desk.code(thread), kind, what[0], what[1], work.mail.message_id)
    journal.say(desk.conn, said, desk.now)


def _at_once(desk: Desk, work: Work, asked: Command) -> tuple[bool, str]:
    try:
        return True, _ACTS[asked.verb](desk, work, asked)
    except UsageError as error:
        return False, str(error)


def _note(desk: Desk, work: Work, asked: Command) -> str:
    """The words stand in the thread's story."""
    thread = _thread(desk, work.mail, "".join(asked.threads))
    _enter(desk, work, thread, journal.NOTE, (work.person.name, "\n".join(asked.words)))
    return f"{desk.short(desk.code(thread))}: noted"


def _undo(desk: Desk, work: Work, asked: Command) -> str:
    """As `helpdesk undo`, but no mail can be taken back by mail, and nothing that was done after it was said."""
    until = work.mail.stamp.at
    entry = next(iter(journal.find(desk.conn, asked.what.lower())), None) if asked.what else None
    if entry is not None and entry.id.startswith(asked.what.lower()) and len(asked.what) == len(entry.id):
        if entry.kind == Kind.SEND_MAIL:
            raise UsageError(
                "a mail cannot be taken back by mail: `helpdesk undo` can, while it has not left"
            )
        _nobody_wrote(desk, work, entry.thread or 0)
        undone = [asking.undo_action(desk.conn, entry.id, desk.now.at)]
    else:
        thread = _thread(desk, work.mail, asked.what)
        _nobody_wrote(desk, work, thread)
        code = desk.code(thread)
        undone = list(asking.undo_thread(desk.conn, desk.board.name, code, desk.now.at, until=until))
    short = desk.short(undone[0].thread)
    return f"{short}: taken back: {', '.join(f'{one.kind} {one.what}' for one in undone)}"


def _nobody_wrote(desk: Desk, work: Work, thread: int) -> None:
    """Refuse what would take back the answer to a mail that the person has not seen."""
    mail = work.mail
    order = Order(mail.key, Ask.CLOSE, work.person.name, mail.stamp, mail.mailed, read=frozenset(mail.refs))
    for facts in threads.load(desk.conn, [thread], desk.board.dialect):
        later = wrote_since(facts.messages, order, (Role.USER, Role.EXPERT))
        if later is not None:
            raise UsageError(said_since(later))


def _wrong(desk: Desk, work: Work, asked: Command) -> str:
    """A plan of observe mode's report was wrong: of the report that the mail answers, else of the newest."""
    answered = [row.message_id for row in rows.by_token(desk.conn, work.mail.ours) if row.rule == wrongs.RULE]
    words = "\n".join(asked.words)
    report = answered[0] if answered else ""
    wrongs.mark(desk.conn, wrongs.Mark(report, int(asked.what), work.person.name, work.mail.mailed, words))
    return f"plan {asked.what} is marked as wrong"


def _status(desk: Desk, work: Work, asked: Command) -> str:
    about = _meant(desk, work.mail)
    if not asked.threads:
        return looking.board(desk) if about is None else looking.thread(desk, about)
    found = [looking.thread(desk, desk.thread(text)) for text in asked.threads]
    return "\n\n".join(found)


def _help(_desk: Desk, work: Work, _asked: Command) -> str:
    return looking.SITES_HELP if work.person.roles <= CONTACT else f"{looking.HELP}\n\n{looking.SITES_HELP}"


def _site(desk: Desk, work: Work, asked: Command) -> str:
    """What the robots are told; an answer to our answer is about the same site."""
    work.sites.append(asked.site)
    return places.act(desk.board, desk.conn, work.person, asked, desk.now.at)


_ACTS: Mapping[Verb, Callable[[Desk, Work, Command], str]] = {
    Verb.NOTE: _note,
    Verb.UNDO: _undo,
    Verb.WRONG: _wrong,
    Verb.STATUS: _status,
    Verb.HELP: _help,
    **dict.fromkeys(ABOUT_SITES, _site),
}
