"""What the board remembers of a thread beside its mail (docs/decisions.md section 1)."""

from dataclasses import dataclass, field
from datetime import datetime

from helpdesk.model import Stamp


@dataclass(frozen=True, slots=True)
class Register:
    """The last decision about one label: is it on, since when, and who said so."""

    present: bool
    stamp: Stamp
    human: bool
    rule: str
    reason: str
    team_rule: str = ""  # the name of the [[rule]] that set it


@dataclass(frozen=True, slots=True)
class Moving:
    """A close or a reopen that is not finished, and the registers that a cancelled close brings back."""

    to_open: bool
    stamp: Stamp
    rule: str
    human: (
        bool  # it completes a human's own act: never braked, other people's harmless touches do not cancel it
    )
    reason: str
    registers: dict[str, Register] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Talk:
    """The conversation with one destination about a thread (docs/mail.md section 3)."""

    heard: Stamp | None = None  # when it last said more than "we have it"
    solved: bool = False  # it says so
    untold: Stamp | None = None  # solved since then, and the user does not know yet
    tickets: tuple[str, ...] = ()  # its numbers for the thread, as it spells them
    nags: int = 0  # reminders since it was heard
    nagged: Stamp | None = None  # the last of them
    patience: datetime | None = None  # no reminder before: today's mail to it has gone without this thread


@dataclass(frozen=True, slots=True)
class ThreadState:
    """Everything that was decided about a thread; `open` is None until it lay in the inbox or the archive."""

    open: bool | None = None
    since: Stamp | None = None
    rule: str = ""
    reason: str = ""
    registers: dict[str, Register] = field(default_factory=dict)
    moving: Moving | None = None
    lies: bool = False
    reopened: Stamp | None = None
    expert_comment: Stamp | None = None
    bounce: Stamp | None = None
    touched: Stamp | None = None  # the latest touch of a human, settled or not
    interrupted: Stamp | None = (
        None  # a mail came into a human's archiving, and the thread was kept open for it
    )
    closed_escalated: bool = False  # closed while ESCALATED: the digest says once "user not told"
    bot_star: int | None = None  # the message that we starred
    star_refused: bool = False  # a human removed our star
    refused: frozenset[str] = frozenset()  # "label\trule": added by that rule, removed by a human
    episodes: dict[str, int] = field(default_factory=dict)  # how many times URGENT and each where began
    talks: dict[str, Talk] = field(default_factory=dict)  # by where
    mailed: frozenset[str] = frozenset()  # "rule\toccasion" that counts as mailed
    decided: int = 0  # the last cycle that decided this thread
    undecided: frozenset[int] = (
        frozenset()
    )  # messages up to that cycle that were not: a brake kept their thread
