"""From options to an exit code: servers, board and people are put together here, and taken apart again."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from helpdesk.demo.client import Client
from helpdesk.demo.clock import Clock
from helpdesk.demo.gallery import gallery, place
from helpdesk.demo.people import People
from helpdesk.demo.plain import Plain
from helpdesk.demo.screen import Screen
from helpdesk.demo.servers import account, servers
from helpdesk.demo.show import Show, Tempo
from helpdesk.demo.stage import stage
from helpdesk.demo.stop import Stop, StoppedError
from helpdesk.demo.story import SEED, START
from helpdesk.demo.telling import Display, Voice
from helpdesk.demo.turn import turn
from helpdesk.demo.verdict import Verdict, verdict
from helpdesk.mailbox.connect import connect

STOPPED = 128
"""Plus the number of the signal: 130 for Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the visitor wants; `pace` None: 1 for somebody who watches, else 0."""

    imap_port: int = 0
    smtp_port: int = 0
    pace: float | None = None
    seed: int = SEED
    stay: bool = False
    gallery: Path | None = None  # None: a file of its own among the temporary ones


def demo(options: Options) -> int:
    """Play the two weeks, then let the visitor go on; the exit code.

    0: everything was as promised.  1: something was not.  130: stopped before the end.  UsageError: a port cannot be had.
    """
    console = Console(markup=False, emoji=False, highlight=False)
    watched = console.is_terminal and not console.is_dumb_terminal
    found: Verdict | None = None
    lines: list[str] = []
    if options.gallery is not None:
        place(options.gallery)  # it is said now if it cannot be written
    with Stop() as stop:
        try:
            with stop.folder() as folder, _opened(options, folder, console, stop) as show:
                show.two_weeks(options.seed)
                found = verdict(show)
                page = place(options.gallery)
                lines = [*found.lines, f"Every mail that it sent, and why: {page}"]
                for line in lines:
                    show.say(Voice.NOTE, line)
                with _shown(show, page):
                    if watched or options.stay:
                        turn(show, stop)
        except StoppedError:
            if found is None:
                return STOPPED + stop.signal
    assert found is not None  # the story ended, or was stopped
    if watched:
        for line in lines:
            console.print(Text(line), soft_wrap=line is lines[-1])  # a path is copied whole
    return 0 if found.good else 1


@contextmanager
def _shown(show: Show, page: Path) -> Iterator[None]:
    """The gallery lies there while the visitor goes on, and has the mails of his turn too when it has ended."""
    stage = show.stage
    page.write_text(gallery(stage.letters(), stage.reasons), encoding="utf-8")
    try:
        yield
    finally:
        page.write_text(gallery(stage.letters(), stage.reasons), encoding="utf-8")


@contextmanager
def _opened(options: Options, folder: Path, console: Console, stop: Stop) -> Iterator[Show]:
    """Servers, board, people and a display."""
    watched = console.is_terminal and not console.is_dumb_terminal
    pace = options.pace if options.pace is not None else 1.0 if watched else 0.0
    clock = Clock(START)
    with ExitStack() as stack:
        up = stack.enter_context(servers(options.imap_port, options.smtp_port, clock))
        board = stack.enter_context(stage(folder, clock, up))
        hand = connect(account(up.imap_port))
        stack.callback(hand.close)
        display: Display = stack.enter_context(Screen(console)) if watched else Plain(console)
        yield Show(board, People(Client(hand), up.smtp_port), display, Tempo(pace, stop))
