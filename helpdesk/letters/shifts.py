"""Mails that go out at their own times: the digest, the review of labels, the report of observe mode."""

from dataclasses import replace

from helpdesk.digest.build import digest as built
from helpdesk.digest.facts import Case, Now
from helpdesk.digest.mail import DigestMail
from helpdesk.digest.sorting import unanswered
from helpdesk.gathering import gather, label_review, observation
from helpdesk.letters.writing import Writing, facts
from helpdesk.model import URGENT
from helpdesk.observing import ObservedMail
from helpdesk.reviewing import ReviewMail
from helpdesk.store import handovers, stories
from helpdesk.thanks import only_thanks

MOST_READ = 10
"""Mails that are read for one digest: what broke in URGENT threads, and whether who reopened one only says thanks."""


def digest(writing: Writing) -> DigestMail:
    """To who is on duty: the board as it is when the mail is written."""
    board = writing.board
    with board.engine.connect() as conn:
        told = handovers.of_digest(conn, writing.row.message_id)
        now = gather(board, conn, writing.now, told)
    return built(replace(now, cases=_read(writing, now)))


def observed(writing: Writing) -> ObservedMail:
    """To shifters and admins: what the board would have done."""
    with writing.board.engine.connect() as conn:
        return observation(writing.board, conn, writing.row, writing.now)


def review(writing: Writing) -> ReviewMail:
    """To who is on duty as the week ends: the labels as they are when the mail is written."""
    with writing.board.engine.connect() as conn:
        said = label_review(writing.board, conn)
    return said or ReviewMail(
        "nothing to explain or retire", (), (), (), ("Everything is explained by now.",)
    )


def _read(writing: Writing, now: Now) -> tuple[Case, ...]:
    """The threads with what only their mails say, as far as it is shown."""
    left = MOST_READ
    cases = []
    for case in now.cases:
        state = case.facts.state
        register = state.registers.get(URGENT)
        urgent = register is not None and register.present
        if left and state.open and (urgent or state.reopened is not None):
            left -= 1
            cases.append(_understood(writing, case, urgent=urgent))
        else:
            cases.append(case)
    return tuple(cases)


def _understood(writing: Writing, case: Case, *, urgent: bool) -> Case:
    with writing.board.engine.connect() as conn:
        pages = {page.message_id: page for page in stories.read(conn, case.facts.key).pages}
    asked = [m for m in unanswered(case.facts) if m.message_id in pages]
    if not asked:
        return case
    if urgent:
        words = writing.words(next(iter(pages.values())))
        broken = [fact.text for fact in facts(words, writing.board.sites)[:2]]
        return replace(case, clue=", ".join(broken))
    return replace(case, thanks=only_thanks(writing.words(pages[asked[-1].message_id])))
