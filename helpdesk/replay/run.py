"""A replay from end to end: read the archive, find its time and its threads, play them, count."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from helpdesk.mailbox.threads import Group
from helpdesk.replay.archive import Archive, Facts
from helpdesk.replay.book import EPOCH, Book
from helpdesk.replay.clock import Clock, read_clock
from helpdesk.replay.grouping import groups, shared_by_use, subject_links
from helpdesk.replay.play import Player
from helpdesk.replay.reading import Counts, Reader
from helpdesk.replay.tally import Tally
from helpdesk.replay.terms import Terms

STEP = 500  # mails between two words about the progress


class Watch(Protocol):
    """Who waits for it."""

    def stage(self, name: str, total: int) -> None:
        """A part of the work begins: `read` (of so many octets, 0 where nobody knows), `thread`, `play` (of mails)."""

    def at(self, done: int) -> None:
        """So much of the stage is done."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """Everything that was found."""

    archive: Facts
    counts: Counts
    book: Book
    clock: Clock
    begin: datetime | None  # None: there is no mail in it
    end: datetime | None
    linked: int  # mails that only the subject rule put where they are
    tally: Tally


def replay(archive: Archive, terms: Terms, now: datetime, watch: Watch) -> Replayed:
    """Play an archive under these terms; `now` tells which dates lie in the future."""
    reader = _read(archive, terms, watch)
    book = reader.book
    watch.stage("thread", 0)
    clock = read_clock(book, now)
    shared = terms.board.shared or shared_by_use(book)
    links = subject_links(book, clock.times, shared)
    begin, end = (EPOCH + timedelta(seconds=of(clock.times, default=0)) for of in (min, max))
    tally = Tally(begin)
    player = Player(book, clock.times, book.ids.texts(), book.people.texts(), _at_once(terms), end)
    watch.stage("play", len(book))
    for group in _watched(groups(book, clock.times, links), watch):
        tally.add(player.play(group))
    empty = not len(book)
    return Replayed(
        archive.facts,
        reader.counts,
        book,
        clock,
        None if empty else begin,
        None if empty else end,
        len(links),
        tally,
    )


def _read(archive: Archive, terms: Terms, watch: Watch) -> Reader:
    reader = Reader(terms)
    watch.stage("read", archive.facts.total)
    for number, raw in enumerate(archive.mails()):
        reader.take(raw)
        if number % STEP == 0:
            watch.at(archive.done)
    watch.at(archive.done)
    return reader


def _watched(found: Iterator[Group], watch: Watch) -> Iterator[Group]:
    done = said = 0
    for group in found:
        yield group
        done += len(group.members)
        if done - said >= STEP:
            watch.at(done)
            said = done
    watch.at(done)


def _at_once(terms: Terms) -> Terms:
    """The assumed shifter does everything in one gesture: there is nothing to wait for until it settles."""
    return replace(terms, policy=replace(terms.policy, settle=timedelta(0)))
