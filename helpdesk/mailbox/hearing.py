"""What people say to the board by mail: commands and hand-overs (docs/mail.md sections 4 and 5).

Only mail of `[[people]]` that a human wrote is looked at (`listens`), so nobody else's mail costs a fetch more.  What is found is neither
believed nor done here: `helpdesk.obeying` asks for proof.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from helpdesk.commands import Item
from helpdesk.commands.splitting import MAX_COMMANDS, command_of, split
from helpdesk.excerpts import own_words
from helpdesk.mailbox.authors import AuthorPolicy, proven
from helpdesk.mailbox.spoken import spoken
from helpdesk.mailids import command_key
from helpdesk.model import TEAM, Author, Header
from helpdesk.store.commands import Heard
from helpdesk.store.handovers import Handover

MAX_REFS = 20
FEW = 6  # words
SHOWN = 5  # lines
FRESH = timedelta(hours=24)
DIGESTS = frozenset({"digest", "board"})
"""The kinds of our mails whose answer is a hand-over."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A human mail of one of the people, and which mails of ours it answers."""

    header: Header
    who: Author
    time: datetime  # when it came
    kinds: Mapping[str, str]  # token of a mail of ours -> its kind
    threads: Sequence[str]  # an id in each thread that those mails are about


@dataclass(frozen=True, slots=True)
class Said:
    """What a mail says to the board; `alone`: it is nobody's issue, wherever its copies lie."""

    command: Heard | None
    handover: Handover | None
    alone: bool


NOTHING = Said(None, None, alone=False)


def listens(header: Header, who: Author, policy: AuthorPolicy, *, adopted: bool) -> bool:
    """Whether a human mail may say something to the board; of old mail, which is history, what is to the board alone."""
    return who.address in policy.people and (not adopted or _to_the_board_alone(header, policy))


def history(said: Said, header: Header, ours: Sequence[str]) -> Said:
    """What was said before the board: nobody's issue either, and nothing is done about it.

    Which mails of ours were digests is not known any more: an answer to nothing but mails of ours is one of theirs.
    """
    answers_us = bool(header.references) and len(ours) == len(header.references)
    return replace(NOTHING, alone=said.alone or answers_us)


def hear(letter: Letter, raw: bytes, policy: AuthorPolicy) -> Said:
    """Read what the beginning of the whole mail says to the board."""
    told = spoken(raw)
    said = split(told.text)
    private = _to_the_board_alone(letter.header, policy)
    sure = proven(letter.header, letter.who, policy) and not told.below_a_quote
    handover = None
    if private and DIGESTS & set(letter.kinds.values()) and letter.who.role in TEAM:
        handover = _handover(letter, said.rest, policy, sure=sure)
    command = _command(letter, said.items, sure=sure) if said.items else None
    if command is not None and private and handover is None and len(said.items) <= MAX_COMMANDS:
        command = replace(command, items=(*command.items, *_unread(said.rest)))  # the key stays
    return Said(command, handover, alone=private and (command is not None or handover is not None))


def _fresh(letter: Letter) -> bool:
    """Whether it was written about when it came: whoever got a signed mail can send it again, with another Message-ID if that is not signed."""
    if letter.who.via == "sent":
        return True
    date = letter.header.date
    return date is not None and abs(letter.time - date) <= FRESH


def _to_the_board_alone(header: Header, policy: AuthorPolicy) -> bool:
    """Addressed to the board and, if to anybody else, to the team: to no list, no user and no destination."""
    to = header.recipients
    return any(map(policy.is_board, to)) and all(policy.is_board(one) or one in policy.people for one in to)


def _command(letter: Letter, items: tuple[Item, ...], *, sure: bool) -> Heard:
    header, author = letter.header, letter.who.address
    said = json.dumps([[item.line, item.words] for item in items])
    ids = (header.message_id, *letter.threads, *reversed(header.references))
    return Heard(
        key=command_key(header.message_id, author, said),
        message_id=header.message_id,
        author=author,
        items=items,
        refs=tuple(dict.fromkeys(ids))[:MAX_REFS],
        ours=tuple(letter.kinds),
        authentic=sure,
        fresh=_fresh(letter),
        mailed=letter.time,
    )


def _unread(rest: str) -> tuple[Item, ...]:
    """What stands below the commands, and nobody will read: its author is told, unless it is a mere greeting."""
    lines = own_words(rest).split("\n")
    more = any(command_of(line) is not None for line in lines)
    few = len(" ".join(lines).split()) < FEW
    return () if few and not more else (Item("", tuple(lines[:SHOWN])),)


def _handover(letter: Letter, rest: str, policy: AuthorPolicy, *, sure: bool) -> Handover | None:
    words = tuple(own_words(rest).split("\n"))
    name = policy.names.get(letter.who.address, letter.who.address)
    if not any(words):
        return None
    return Handover(letter.header.message_id, name, letter.time, words, verified=sure)
