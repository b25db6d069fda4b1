"""What the words of a mail are made from: its row, its thread's story, the mails themselves, and the board."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from helpdesk.board import Board
from helpdesk.errors import MailboxRefusedError
from helpdesk.mailbox.body import text_of
from helpdesk.mails import StoryLine
from helpdesk.outbox import OutboxRow
from helpdesk.ports import Mailbox
from helpdesk.store.stories import Page, Story

MAX_BODY = 64 * 1024  # octets of a mail that are read for an excerpt
EXCERPT = 12  # lines


@dataclass(frozen=True, slots=True)
class Writing:
    """One mail that is about to be written; without a mailbox (alarms) nothing is quoted."""

    board: Board
    mailbox: Mailbox | None
    row: OutboxRow
    story: Story  # empty for a mail about the board itself
    short: str  # the thread's short id, "" without a thread
    now: datetime

    @property
    def user(self) -> str:
        """Who asked."""
        return self.story.pages[0].author if self.story.pages else ""

    def line(self, page: Page) -> StoryLine:
        """One mail of the thread, as an outsider is told of it."""
        return StoryLine(page.author, page.time, tuple(self.excerpt(page)))

    def excerpt(self, page: Page) -> Sequence[str]:
        """The first lines that the author wrote, without what is quoted; nothing if the mail cannot be read."""
        if self.mailbox is None or not page.folder:
            return ()
        try:
            octets = self.mailbox.body(self.mailbox.select(page.folder), page.uid, MAX_BODY)
        except MailboxRefusedError:
            return ("(the mail could not be read)",)
        lines = [line.rstrip() for line in text_of(octets, MAX_BODY).splitlines()]
        own = [line for line in lines if line and not line.startswith(">")]
        return own[:EXCERPT]
