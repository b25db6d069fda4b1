"""What every part of obeying works with: the board, its database, and the names that a command may use."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from sqlalchemy import Connection, select

from helpdesk.actions import Action, Kind
from helpdesk.board import Board, Teammate
from helpdesk.commands import ABOUT_SITES, Command, Mistake, Verb
from helpdesk.commands.grammar import Known, understand
from helpdesk.commands.splitting import MAX_COMMANDS
from helpdesk.errors import UsageError
from helpdesk.model import Stamp
from helpdesk.obeying import places
from helpdesk.store import names
from helpdesk.store.commands import CommandMail
from helpdesk.store.core import THREAD

CONTACT = frozenset({"contact"})
_ANYBODY = frozenset({Verb.CONFIRM, Verb.HELP})
MAX_NEAR = 2000  # threads among which a misspelt id is looked for
_NOT_YOURS = Mistake(
    "contacts may say retest, out until DATE, pause, resume and loadtest, about their own sites, and help"
)
_LATE = Mistake(
    "it was not seen within 24 hours, so it is not carried out: please say it again if it still holds"
)
_TOO_MANY = Mistake(f"more than {MAX_COMMANDS} commands in a mail: this one and what follows was not read")


def is_confirmation(asked: Command | Mistake) -> bool:
    """Whether it brings a token back."""
    return isinstance(asked, Command) and asked.verb is Verb.CONFIRM


@dataclass(frozen=True, slots=True)
class Desk:
    """One cycle's work on command mails."""

    board: Board
    conn: Connection
    now: Stamp

    def person(self, mail: CommandMail) -> Teammate | None:
        """Who claims to have written a command mail."""
        return self.board.people.get(mail.author)

    def understood(self, mail: CommandMail, person: Teammate) -> Sequence[Command | Mistake]:
        """What each command of a mail asks for, as far as the person may ask."""
        known = Known(self.board.name, self.board.policy.kinds, self.board.sites)
        found: list[Command | Mistake] = [understand(item, known) for item in mail.items[:MAX_COMMANDS]]
        found += [_TOO_MANY] * (len(mail.items) - len(found))
        if mail.stale:
            return [one if is_confirmation(one) else _LATE for one in found]
        return [self._allowed(mail, person, one) for one in found]

    def _allowed(self, mail: CommandMail, person: Teammate, asked: Command | Mistake) -> Command | Mistake:
        """What the person may ask for; a command about a site with the site and the moment that are meant."""
        if not isinstance(asked, Command):
            return asked
        if asked.verb is Verb.LOADTEST:
            return places.under_load(self.board, self.conn, mail, person, asked)
        if asked.verb in ABOUT_SITES:
            return places.settled(self.board, self.conn, mail, person, asked)
        return _NOT_YOURS if person.roles <= CONTACT and asked.verb not in _ANYBODY else asked

    def thread(self, text: str) -> int:
        """The thread that an id means; UsageError, a sentence for the answer, with the id that looks most like it."""
        try:
            return names.find(self.conn, text, self.board.name)
        except UsageError as error:
            prefix = text.lower().removeprefix(f"{self.board.name.lower()}-")
            if "more than one" in str(error):
                raise
            near = self._near(prefix)
            hint = f"{near!r}?" if near is not None else "`helpdesk: status` lists those that want attention"
            raise UsageError(f"there is no thread {text!r}: {hint}") from error

    def _near(self, prefix: str) -> str | None:
        recent = select(THREAD.c.code).order_by(THREAD.c.open.desc(), THREAD.c.id.desc()).limit(MAX_NEAR)
        codes = {
            code[: max(len(prefix), names.SHORTEST)]: code for code in self.conn.execute(recent).scalars()
        }
        close = get_close_matches(prefix, codes, n=1, cutoff=0.7)
        return self.short(codes[close[0]]) if close else None

    def code(self, thread: int) -> str:
        """A thread's code."""
        return next(iter(names.codes(self.conn, [thread])), "")

    def short(self, code: str) -> str:
        """A thread's id as people are told it."""
        return names.short(self.conn, code)

    def mail(self, rule: str, occasion: str, to: str, reason: str, context: str) -> Action:
        """Name a mail about the board itself."""
        return Action(
            Kind.SEND_MAIL,
            0,
            "",
            rule,
            rule,
            reason,
            self.now,
            occasion=occasion,
            recipients=(to,),
            context=context,
        )
