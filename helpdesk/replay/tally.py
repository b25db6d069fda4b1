"""The figures of a replay, added up thread by thread; of a thread itself nothing is kept but what is listed."""

import heapq
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from helpdesk.actions import Kind
from helpdesk.caps import Caps, capped
from helpdesk.model import Role
from helpdesk.outbox import OutboxRow
from helpdesk.posting import KINDS
from helpdesk.replay.desk import Act, Turn
from helpdesk.replay.play import Answer, Story

LISTED = 10  # of the largest threads, of who answers first
REFUSED = 100  # of the mails that named several present roots
MONTH = timedelta(days=30)
AUTO_CLOSE = "auto_close"
DAY = timedelta(days=1)

SIZES = (1, 2, 5, 10, 20, 50, 100, 500)
"""Threads with up to so many mails are counted together."""

HOURS = (1, 2, 4, 8, 24, 48, 168, 720)
"""First answers within so many hours are counted together."""


@dataclass(slots=True)
class Answers:
    """How long askers waited for the first mail of somebody."""

    seconds: "array[int]" = field(default_factory=lambda: array("q"))
    by: Counter[str] = field(default_factory=Counter)

    def add(self, answer: Answer | None) -> None:
        """One question's answer, if there was one."""
        if answer is not None:
            self.seconds.append(answer.after // timedelta(seconds=1))
            self.by[answer.by] += 1


@dataclass(slots=True)
class Month:
    """One month, or the first thirty days."""

    messages: int = 0
    threads: int = 0
    auto_closes: int = 0
    reopens: int = 0
    mails: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Large:
    """A thread that is worth naming."""

    messages: int
    code: str
    rows: Sequence[int] = field(compare=False)
    begun: datetime = field(compare=False)
    ended: datetime = field(compare=False)


@dataclass(slots=True)
class Tally:
    """Everything that is counted."""

    begin: datetime
    threads: int = 0
    machines_only: int = 0
    questions: int = 0
    raised: int = 0
    sizes: Counter[int] = field(default_factory=Counter)
    answers: Answers = field(default_factory=Answers)
    team_answers: Answers = field(default_factory=Answers)
    states: Counter[str] = field(default_factory=Counter)
    acts: Counter[tuple[str, str]] = field(default_factory=Counter)
    first_acts: Counter[tuple[str, str]] = field(default_factory=Counter)
    closes: Counter[str] = field(default_factory=Counter)
    reopens: Counter[str] = field(default_factory=Counter)
    auto_closed_threads: int = 0
    undone_closes: "array[int]" = field(default_factory=lambda: array("q"))  # seconds until it was reopened
    refused: int = 0
    refused_rows: list[int] = field(default_factory=list)
    months: dict[str, Month] = field(default_factory=dict)
    first_month: Month = field(default_factory=Month)
    large: list[Large] = field(default_factory=list)
    mails: list[tuple[str, Act]] = field(default_factory=list)

    def add(self, story: Story) -> None:
        """Count one thread."""
        self.threads += 1
        self.sizes[_upper(SIZES, len(story.rows))] += 1
        self.machines_only += not story.human
        self.states[story.state] += 1
        self.raised += story.raised
        self.refused += len(story.refused)
        self.refused_rows += story.refused[: REFUSED - len(self.refused_rows)]
        if story.question:
            self.questions += 1
            self.answers.add(story.answer)
            self.team_answers.add(story.team_answer)
        large = Large(len(story.rows), story.code, story.rows, story.times[0], story.times[-1])
        (heapq.heappush if len(self.large) < LISTED else heapq.heappushpop)(self.large, large)
        self._months(story.times)
        self._acts(story)
        self._turns(story)

    def month(self, at: datetime) -> list[Month]:
        """Where something at this time is counted."""
        name = f"{at.year:04}-{at.month:02}"
        found = self.months.get(name)
        if found is None:
            found = self.months[name] = Month()
        return [found, self.first_month] if at < self.begin + MONTH else [found]

    def _months(self, times: Sequence[datetime]) -> None:
        for at in times:
            for month in self.month(at):
                month.messages += 1
        for month in self.month(times[0]):
            month.threads += 1

    def _acts(self, story: Story) -> None:
        for act in story.acts:
            self.acts[act.rule, act.kind] += 1
            if act.at < self.begin + MONTH:
                self.first_acts[act.rule, act.kind] += 1
            if act.kind is Kind.SEND_MAIL:
                self.mails.append((story.code, act))
                for month in self.month(act.at):
                    month.mails += 1

    def _turns(self, story: Story) -> None:
        closed: Turn | None = None
        for turn in story.turns:
            if not turn.is_open:
                closed = turn
                self.closes[turn.rule] += 1
                for month in self.month(turn.at):
                    month.auto_closes += turn.rule == AUTO_CLOSE
                continue
            self.reopens[_who(turn.by)] += 1
            for month in self.month(turn.at):
                month.reopens += 1
            if closed is not None and closed.rule == AUTO_CLOSE:
                self.undone_closes.append((turn.at - closed.at) // timedelta(seconds=1))
        self.auto_closed_threads += any(not t.is_open and t.rule == AUTO_CLOSE for t in story.turns)


def _upper(bounds: Sequence[int], number: float) -> int:
    """The bound of a bucket; 0 for what is above all of them."""
    return next((bound for bound in bounds if number <= bound), 0)


def _who(by: Role | None) -> str:
    if by is None:
        return "nobody"
    return by.value if by in {Role.USER, Role.EXPERT} else "team"


def answered_within(answers: Answers) -> Counter[int]:
    """How many answers fall under each of `HOURS`; 0 for what took longer."""
    return Counter(_upper(HOURS, seconds / 3600) for seconds in answers.seconds)


def quantile(numbers: Sequence[int], share: float) -> float | None:
    """The smallest number that is not less than this share of all; None of nothing."""
    if not numbers:
        return None
    rank = -(-len(numbers) * share // 1)
    return float(sorted(numbers)[max(0, int(rank) - 1)])


def held_by_caps(mails: Sequence[tuple[str, Act]], caps: Caps) -> Counter[str]:
    """How many mails of each rule the caps of the board would have held back (helpdesk.caps)."""
    held: Counter[str] = Counter()
    recent: list[OutboxRow] = []
    for number, (code, act) in enumerate(sorted(mails, key=lambda mail: mail[1].at)):
        recent = [row for row in recent if row.planned_at > act.at - DAY]
        row = OutboxRow(
            number, f"<{number}>", code, act.rule, "", KINDS.get(act.rule, act.rule), act.recipients, act.at
        )
        if capped(row, recent, caps, act.at) is not None:
            held[act.rule] += 1
        else:
            recent.append(row)
    return held
