"""What the words of a mail are made from: its row, its thread's story, the mails themselves, and the board."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from helpdesk.board import Board
from helpdesk.clues import Clue, Sort, clues
from helpdesk.errors import MailboxRefusedError
from helpdesk.excerpts import excerpt
from helpdesk.mailbox.body import text_of
from helpdesk.mails import Fact, StoryLine
from helpdesk.model import TEAM, Role
from helpdesk.outbox import OutboxRow
from helpdesk.ports import Mailbox
from helpdesk.store.stories import Page, Story
from helpdesk.text import is_forward

MAX_BODY = 64 * 1024  # octets of a mail that are read for an excerpt
SHORT = 12  # lines of a mail that are quoted in a story
UNREADABLE = "(the mail could not be read)"

_COMMAND = re.compile(r"\s{0,8}helpdesk:", re.IGNORECASE)
_FACTS = {Sort.ERROR: 3, Sort.JOB: 2, Sort.SITE: 2, Sort.DATASET: 2, Sort.RELEASE: 1}


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
        return who(self.story.pages[0]) if self.story.pages else ""

    @property
    def newest(self) -> str:
        """The Message-ID of the thread's newest mail."""
        return self.story.pages[-1].message_id if self.story.pages else ""

    @property
    def context(self) -> Mapping[str, Any]:
        """What was kept with the row because the board does not know it."""
        kept = json.loads(self.row.context or "{}")
        return kept if isinstance(kept, dict) else {}

    def words(self, page: Page) -> str:
        """What the author says himself; "" if there is no mail (any more)."""
        if self.mailbox is None or not page.folder:
            return ""
        try:
            octets = self.mailbox.body(self.mailbox.select(page.folder), page.uid, MAX_BODY)
        except MailboxRefusedError:
            return UNREADABLE
        said = excerpt(text_of(octets, MAX_BODY), forwarded=is_forward(page.subject)).words
        return said if page.role not in TEAM else "\n".join(_uncommanded(said.split("\n"))).strip("\n")


def line(page: Page, words: str) -> StoryLine:
    """One mail of a thread, as an outsider is told of it: its first lines, and how many more there are."""
    lines = words.split("\n")
    left = sum(bool(one.strip()) for one in lines[SHORT:])
    return StoryLine(who(page), page.time, (*lines[:SHORT], *([f"[... {left} more lines]"] if left else [])))


def who(page: Page) -> str:
    """An author in words: others than the team with their address."""
    if page.role in TEAM:
        return f"{page.name or page.author} ({'expert' if page.role is Role.EXPERT else 'team'})"
    return f"{page.name} <{page.author}>" if page.name and page.name != page.author else page.author


def facts(words: str, sites: frozenset[str]) -> tuple[Fact, ...]:
    """What an expert asks first, word for word: error lines, jobs, sites, datasets, the release."""
    found = clues(words, sites=sites)
    chosen: list[Fact] = []
    for sort, few in _FACTS.items():
        mine = [Fact(sort.value, _shown(one)) for one in found if one.sort is sort]
        seen = " ".join(fact.text for fact in chosen)
        chosen += [fact for fact in mine if not _stands_in(fact.text, seen)][:few]
    return tuple(chosen)


def _stands_in(name: str, text: str) -> bool:
    """Whether a name was shown already, as a word of an error line."""
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text) is not None


def _shown(clue: Clue) -> str:
    """An error is its whole line; a name is itself."""
    return clue.line if clue.sort is Sort.ERROR else clue.text


def _uncommanded(lines: Iterable[str]) -> Iterator[str]:
    """Leave out what the team said to the board."""
    return (line for line in lines if not _COMMAND.match(line))
