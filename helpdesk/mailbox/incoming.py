"""A mail that the board did not know to be where it is, and what was found out about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from helpdesk.blame.facts import Mention
from helpdesk.errors import deadly
from helpdesk.mailbox.hearing import NOTHING, Said
from helpdesk.store.flags import Seen
from helpdesk.store.messages import NewMessage
from helpdesk.store.suspects import again_after


@dataclass(slots=True)
class Incoming:
    """One mail in one folder that the board did not know to be there."""

    uid: int
    guid: str
    flags: frozenset[str]
    seen: Seen
    message: int | None = None  # the message that it is, if its server id is known
    new: NewMessage | None = None  # else what the store will hold of it
    why: str = ""  # else why it cannot be read
    strikes: int = 0  # connections that it has ended
    again: timedelta | None = None  # in how long it is tried again; None: never
    own: tuple[str, ...] = ()  # the tokens by which it is a mail of ours
    adopted: bool = False  # it was there before the board: history
    when: datetime | None = None  # INTERNALDATE
    said: Said = NOTHING  # to the board
    named: tuple[Mention, ...] = ()  # what its author names himself

    def condemn(self, strikes: int) -> None:
        """Nothing more is asked of it for a while."""
        self.why, self.strikes, self.again = deadly(strikes), strikes, again_after(strikes)
