"""A thread of the archive played through: who asked, who answered when, and what the board would have done.

An archive has no labels, so a shifter is assumed: who of the team answers a user sets WAITING with the answer, and nobody
archives or labels anything else.  Without a configuration nobody is known: the first person of a thread is its user, and
whoever else writes is its team.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from helpdesk.mailbox.threads import Group, thread_code
from helpdesk.model import HUMAN_NATURES, TEAM, Place, Role
from helpdesk.replay.book import EPOCH, NATURES, OF_OURS, ROLES, SENT, TRUSTED, Book, moment
from helpdesk.replay.desk import ROOM, Act, Desk, Turn
from helpdesk.replay.terms import Terms
from helpdesk.rules.facts import MessageFacts

WAITS_FOR_THE_USER = frozenset({Role.SHIFTER, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Answer:
    """The first mail of somebody else."""

    after: timedelta
    by: str


@dataclass(frozen=True, slots=True)
class Story:
    """What became of one thread."""

    code: str
    rows: Sequence[int]  # in the order in which they came
    times: Sequence[datetime]  # at which they came
    human: bool  # not only machines
    question: bool  # it began with a user's mail
    answer: Answer | None  # of anybody but the asker
    team_answer: Answer | None
    acts: Sequence[Act]
    turns: Sequence[Turn]
    state: str
    refused: Sequence[int]  # rows
    raised: int  # answers that were dated before what they answer


@dataclass(frozen=True, slots=True)
class Player:
    """Plays threads under the same terms up to the end of the archive."""

    book: Book
    times: Sequence[int]
    ids: Sequence[str]
    people: Sequence[str]
    terms: Terms
    end: datetime

    def play(self, group: Group) -> Story:
        """One thread, from its first mail to the end of the archive."""
        times, raised = self._times(group)
        rows = sorted(group.members, key=lambda row: (times[row], row))
        roles = self._roles(rows)
        desk = Desk(self.terms.policy, thread_code(group.root))
        asked = False
        mails = [
            self._message(row, times[row], roles[row], number * ROOM) for number, row in enumerate(rows, 1)
        ]
        for mail in mails:
            human = mail.nature in HUMAN_NATURES
            waiting = self.terms.waiting and asked and human and mail.role in WAITS_FOR_THE_USER
            place = Place.SENT if self.book.marks[mail.key] & SENT else Place.INBOX
            desk.receive(mail, place, waiting=waiting)
            asked = asked or (human and mail.role is Role.USER)
        desk.pass_until(self.end)
        humans = [mail for mail in mails if mail.nature in HUMAN_NATURES]
        question = bool(humans) and humans[0].role not in TEAM
        return Story(
            desk.code,
            rows,
            [mail.time for mail in mails],
            bool(humans),
            question,
            self._answer(humans) if question else None,
            self._answer(humans, TEAM) if question else None,
            desk.acts,
            desk.turns,
            desk.state,
            group.refused,
            raised,
        )

    def _times(self, group: Group) -> tuple[Mapping[int, datetime], int]:
        """An answer came no earlier than what it answers, whatever its clock said."""
        rows = {self.ids[self.book.id[row]]: row for row in reversed(group.members)}
        times: dict[int, int] = {}
        raised = 0
        for member in group.members:
            way = [member]
            while (above := rows.get(group.parents[way[-1]])) is not None and above not in times:
                way.append(above)
            floor = self.times[way[-1]] if above is None else times[above]
            for row in reversed(way):
                raised += self.times[row] < floor and row not in times
                floor = times[row] = max(floor, self.times[row])
        return {row: EPOCH + timedelta(seconds=time) for row, time in times.items()}, raised

    def _roles(self, rows: Sequence[int]) -> Mapping[int, Role]:
        book = self.book
        if self.terms.team_known:
            return {row: ROLES[book.role[row]] for row in rows}
        asker = next((book.author[row] for row in rows if self._asks(row)), None)
        return {
            row: Role.USER if book.author[row] == asker and not book.marks[row] & SENT else Role.SHIFTER
            for row in rows
        }

    def _asks(self, row: int) -> bool:
        return NATURES[self.book.nature[row]] in HUMAN_NATURES and not self.book.marks[row] & SENT

    def _message(self, row: int, time: datetime, role: Role, cycle: int) -> MessageFacts:
        book = self.book
        name = self.people[book.author[row]]
        return MessageFacts(
            key=row,
            message_id=self.ids[book.id[row]],
            author=name if "@" in name else "",
            role=role,
            trusted=bool(book.marks[row] & TRUSTED),
            nature=NATURES[book.nature[row]],
            time=time,
            date=moment(book.date[row]),
            cycle=cycle,
            hits=book.hits.get(row, ()),
            of_ours=bool(book.marks[row] & OF_OURS),
        )

    def _answer(self, humans: Sequence[MessageFacts], roles: frozenset[Role] | None = None) -> Answer | None:
        """The first human mail of anybody but the asker, or of these roles."""
        book, asked = self.book, humans[0]
        for mail in humans:
            other = book.author[mail.key] != book.author[asked.key] if roles is None else mail.role in roles
            if other:
                return Answer(mail.time - asked.time, self.people[book.author[mail.key]])
        return None
