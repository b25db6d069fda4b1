"""What the user is told of auto-close, where a board wants that: in time, once after each mail, and no clock moves by it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from helpdesk.model import WAITING, Nature, Role
from helpdesk.rules.decide import Decision
from helpdesk.rules.facts import Policy, ThreadFacts
from tests.threads import DAY, HOUR, POLICY, SECOND, START, Mail, decided, msg, opened, stamp, thread

WEEK = 7 * DAY
WARNS = replace(POLICY, close_warning=2 * DAY)
TELLS = replace(POLICY, close_notice=True)
TOLD = replace(WARNS, close_notice=True)
ANN = ("ann@user.example",)


def waiting(*more: Mail, first: Mail | None = None) -> ThreadFacts:
    return thread((first or msg()).in_inbox(WAITING), *more, state=opened(WAITING))


def at(facts: ThreadFacts, after: timedelta, policy: Policy, held: tuple[str, ...] = ()) -> Decision:
    return decided(facts, stamp(9, after), policy, held)


def mails(decision: Decision) -> list[tuple[str, str, str, tuple[str, ...]]]:
    found = [a for a in decision.actions if a.kind == "send_mail"]
    return [(a.what, a.rule, a.occasion, a.recipients) for a in found]


def id_of(facts: ThreadFacts) -> str:
    return max(facts.messages, key=lambda m: m.time).message_id


@pytest.mark.parametrize("after", [5 * DAY, 6 * DAY, WEEK, WEEK + DAY])
def test_off_by_itself(after: timedelta) -> None:
    """A board that asks for no such mails sends none [i3: no need to contact users]."""
    assert mails(at(waiting(), after, POLICY)) == []


def test_a_warning_in_time() -> None:
    """Two days before it closes, to the second, the user is told when that will be."""
    facts = waiting()
    before, then = at(facts, 5 * DAY - SECOND, WARNS), at(facts, 5 * DAY, WARNS)
    assert mails(before) == []
    assert before.due == START + 5 * DAY
    assert mails(then) == [("warning", "auto_close", f"warning:{id_of(facts)}", ANN)]
    assert json.loads(then.actions[0].context) == {
        "since": START.isoformat(),
        "closes": (START + WEEK).isoformat(),
    }
    assert then.due == START + WEEK


def test_a_warning_once() -> None:
    """A warning comes once, and again only after another human mail."""
    first = at(waiting(), 5 * DAY, WARNS).state
    again = replace(waiting(), state=first)
    assert mails(at(again, 6 * DAY, WARNS)) == []
    more = waiting(replace(msg(), role=Role.SHIFTER).after(DAY).in_inbox(WAITING))
    assert [what for what, *_ in mails(at(replace(more, state=first), 6 * DAY, WARNS))] == ["warning"]


def test_it_moves_no_clock() -> None:
    """Our own mail in the thread postpones nothing."""
    own = msg().by(Nature.OWN).after(5 * DAY).in_inbox(WAITING)
    assert at(waiting(own), WEEK, TOLD).state.open is False


def test_no_warning_when_it_is_too_late() -> None:
    """A thread that is closed now is closed, and nobody is warned of what has happened."""
    assert mails(at(waiting(), WEEK, WARNS)) == []
    assert at(waiting(), WEEK, WARNS).state.open is False


def test_a_notice_with_the_close() -> None:
    """The user is told of the close in the decision that closes."""
    facts = waiting()
    decision = at(facts, WEEK, TELLS)
    assert decision.state.open is False
    assert mails(decision) == [("notice", "auto_close", f"notice:{id_of(facts)}", ANN)]


@pytest.mark.parametrize("after", [5 * DAY, WEEK])
def test_nobody_to_tell(after: timedelta) -> None:
    """Where no user ever wrote, nobody is told, and the thread is closed all the same."""
    facts = waiting(first=replace(msg(), role=Role.SHIFTER))
    decision = at(facts, after, TOLD)
    assert mails(decision) == []
    assert decision.state.open is (after < WEEK)


@pytest.mark.parametrize("after", [5 * DAY, WEEK])
def test_not_while_it_is_held(after: timedelta) -> None:
    """A brake on auto-close keeps its mails too."""
    decision = at(waiting(), after, TOLD, ("auto_close",))
    assert mails(decision) == []
    assert decision.state.open


def test_not_before_it_settles() -> None:
    """A thread that somebody touched a moment ago is neither closed nor is its user told so."""
    facts = waiting()
    facts = replace(facts, state=replace(facts.state, touched=stamp(8, WEEK - HOUR)))
    assert [what for what, *_ in mails(at(facts, WEEK, TOLD))] == ["notice"]
    later = replace(facts, state=replace(facts.state, touched=stamp(8, WEEK - SECOND)))
    assert mails(at(later, WEEK, TELLS)) == []
