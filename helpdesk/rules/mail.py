"""What mail does to a thread, at once (docs/decisions.md section 3)."""

from dataclasses import replace

from helpdesk.bits import PLACE, STAR
from helpdesk.model import HUMAN_NATURES, TAKEN, TEAM, WAITING, Nature, Place, Role
from helpdesk.rules.answers import is_internal, users
from helpdesk.rules.draft import Draft, Touch, living
from helpdesk.rules.facts import MACHINES, OPEN_KINDS, MessageFacts
from helpdesk.rules.state import Register
from helpdesk.rules.talks import EXPERT_NEWS, hear, learn_tickets, told


def read_mail(draft: Draft) -> None:
    """Apply every message that was not decided yet, in order of observation."""
    news = [m for m in draft.facts.messages if draft.is_new(m) and not m.adopted]
    for message in sorted(news, key=lambda m: (m.cycle, m.time, m.key)):
        if draft.state.open is None:
            _first(draft)
        _apply(draft, message)
    if draft.state.open is None:
        _first(draft)
    learn_tickets(draft)


def _first(draft: Draft) -> None:
    """A thread is open as soon as one of its mails lies in the inbox."""
    places = {c.known.place for c in living(draft.facts)}
    if Place.INBOX in places:
        draft.state = replace(draft.state, open=True, since=draft.now, rule="new", reason="a new thread")
    elif Place.ARCHIVE in places:
        draft.state = replace(
            draft.state, open=False, since=draft.now, rule="close", reason="first seen in the archive"
        )


def _apply(draft: Draft, message: MessageFacts) -> None:
    if message.nature is not Nature.OWN:
        _team_rules(draft, message)
    hear(draft, message)
    if message.nature in EXPERT_NEWS or (message.role is Role.EXPERT and message.nature in HUMAN_NATURES):
        _reopen(draft, message, "an expert wrote")
        draft.state = replace(draft.state, expert_comment=draft.now)
    elif message.nature in HUMAN_NATURES and message.role in TEAM:
        _team_answer(draft, message)
    elif message.nature in HUMAN_NATURES:
        _user_mail(draft, message)
    elif message.nature is Nature.BOUNCE and message.of_ours:
        _reopen(draft, message, "a mail of ours bounced", rule="bounce")
        draft.state = replace(draft.state, bounce=draft.now)


def _user_mail(draft: Draft, message: MessageFacts) -> None:
    older = [t for t in draft.touches if t.bit == WAITING and t.on and _newer(message, t)]
    register = draft.register(WAITING)
    if older or (register is not None and register.present):
        reason = "the user replied"
        draft.write(WAITING, Register(False, draft.now, False, "user_replied", reason))
    draft.accept(older)
    _reopen(draft, message, "a user wrote", lifted=bool(older) or register is not None)


def _team_answer(draft: Draft, message: MessageFacts) -> None:
    if is_internal(message, users(draft.facts.messages)):
        return  # it stands in the thread, and is no answer to the user
    state = draft.state
    since = state.since
    late = message.date is not None and since is not None and message.date > since.at
    if state.open is False and late:
        _reopen(draft, message, "the team wrote after the close")
    elif state.lies:
        draft.open("reopen", "the team wrote")
    if message.trusted:
        news = (
            draft.state.reopened if state.open is False else None
        )  # what this mail reopened, somebody must look at
        draft.state = replace(draft.state, reopened=news, expert_comment=None, bounce=None)
        draft.drop([TAKEN], "taken", "the team answered")
        told(draft)


def _reopen(
    draft: Draft, message: MessageFacts, reason: str, *, rule: str = "reopen", lifted: bool = False
) -> None:
    """Bring the whole thread back if it is closed, closing, or being archived by a human who did not see this mail."""
    archived = [t for t in draft.touches if t.bit == PLACE and not t.on and _newer(message, t)]
    closed = draft.state.open is False
    if not closed and not archived:
        if draft.state.lies:
            draft.open(rule, reason)
        return
    if closed and not _arrived_after_close(draft, message):
        return
    draft.accept(archived)
    draft.open(rule, reason)
    if lifted:
        draft.drop([WAITING], "user_replied", "the user replied")
    if closed:
        draft.state = replace(draft.state, reopened=draft.now)
    else:
        draft.state = replace(draft.state, interrupted=draft.now)


def _arrived_after_close(draft: Draft, message: MessageFacts) -> bool:
    """In the inbox: yes.  First seen in the archive: only a mail younger than the close (no imported history).

    By the mail server's clock or its author's: one of them may be slow.
    """
    places = {c.known.place for c in draft.facts.copies if c.message == message.key}
    since = draft.state.since
    if places != {Place.ARCHIVE} or since is None:
        return True
    return message.time > since.at or (message.date is not None and message.date > since.at)


def _newer(message: MessageFacts, touch: Touch) -> bool:
    """Order of observation; in one cycle the mail is newer unless the touch is on that very mail."""
    if touch.stamp.cycle != message.cycle:
        return touch.stamp.cycle < message.cycle
    return touch.copy.message != message.key


def _team_rules(draft: Draft, message: MessageFacts) -> None:
    """[[rule]]: add and remove labels, star; never a state because of a machine, never what a human removed."""
    for hit in message.hits:
        if hit.shadow:
            continue
        reason = f"team rule {hit.rule!r}"
        adding, going = (_allowed(draft, message, labels) for labels in (hit.add, hit.remove))
        for label in adding:
            if f"{label}\t{hit.rule}" not in draft.state.refused and not draft.on(label):
                draft.write(label, Register(True, draft.now, False, "new", reason, hit.rule))
        going = [label for label in going if draft.on(label)]
        draft.drop(going, "new", reason)
        draft.pair(adding, going, "new", human=False)
        if (
            hit.star
            and draft.state.bot_star is None
            and not draft.state.star_refused
            and not _starred(draft, message)
        ):
            draft.state = replace(draft.state, bot_star=message.key)


def _starred(draft: Draft, message: MessageFacts) -> bool:
    """A star that is there already is a human's, and will never be the bot's to clear."""
    return any(STAR in c.known.bits for c in draft.facts.copies if c.message == message.key)


def _allowed(draft: Draft, message: MessageFacts, labels: tuple[str, ...]) -> list[str]:
    """A machine's mail changes no state, and no "to where": that would escalate."""
    machine = message.nature in MACHINES
    return [label for label in labels if not (machine and draft.kind(label) in OPEN_KINDS)]
