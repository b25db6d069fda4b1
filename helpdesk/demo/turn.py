"""The visitor's turn: the servers stay up, the board looks every second, and its time goes on with ours."""

import select
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from helpdesk import clients
from helpdesk.demo.cast import LOGIN, PASSWORD, SHIFTERS
from helpdesk.demo.servers import HOST
from helpdesk.demo.show import Show
from helpdesk.demo.stage import Stage
from helpdesk.demo.stop import Stop
from helpdesk.demo.telling import Voice
from helpdesk.errors import HelpdeskError
from helpdesk.report import Report

POLL_SECONDS = 1.0
ROBOTS_SECONDS = 3.0

NEOMUTTRC = "neomuttrc"
MINE = """
# The visitor of the demo.
set imap_pass = "{password}"
set smtp_authenticators = ""
set from = "{shifter.address}"
set realname = "{shifter.name}"
set move = no
set quit = yes
set mail_check = 1
set timeout = 1
"""


def instructions(stage: Stage) -> Sequence[str]:
    """How to connect, and what to try; written for a person who has a second terminal.

    Each command is short enough for one line, which can be copied: in the board's folder none needs `-c`.
    """
    servers, me = stage.servers, started_as()
    return (
        "YOUR TURN: the servers stay up. Enter or Ctrl-C ends.",
        "In another terminal, a user answers a closed thread:",
        f"  {me} demo --reply {servers.smtp_port}",
        "Ask the board (threads, show, ledger, undo, robots records):",
        f"  cd {shlex.quote(str(stage.folder))}",
        f"  {me} threads",
        "neomutt, there (,w labels a mail WAITING, A archives it):",
        f"  neomutt -F {NEOMUTTRC}",
        f"Thunderbird: {SHIFTERS[0].address}, no encryption; its tags (user.js):",
        f"  {me} clients thunderbird",
        f"  IMAP {HOST}, port {servers.imap_port}, user {LOGIN}, password {PASSWORD}",
        f"  SMTP {HOST}, port {servers.smtp_port}, no authentication",
    )


def started_as() -> str:
    """The command of this program, to be typed in another terminal, wherever that is."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m helpdesk"
    found = shutil.which(program.name)
    if found is not None and Path(found).resolve() == program.resolve():
        return program.name
    return shlex.quote(str(program.absolute()))


def turn(show: Show, stop: Stop) -> None:
    """Go on until somebody ends it, by Enter or (StoppedError) by a signal."""
    stage = show.stage
    _write_neomuttrc(stage)
    show.display.turn(instructions(stage))
    began, start, trouble = time.monotonic(), stage.clock.now, ""
    tested = began
    while not _ended():
        stage.clock.reach(start + timedelta(seconds=time.monotonic() - began))
        try:
            _tell(show, show.runs())
            if time.monotonic() - tested > ROBOTS_SECONDS and stage.robots.arrived():
                tested = time.monotonic()
                show.tests()
        except HelpdeskError as error:  # whatever the visitor did to the mailbox, the next look may go well
            if str(error) != trouble:
                trouble = str(error)
                show.say(Voice.NOTE, f"the board starts again: {trouble}")
            stage.restart()
        stop.wait(POLL_SECONDS, show.display.refresh)


def _tell(show: Show, report: Report) -> None:
    """Say that something was seen, where the board does nothing about it, or waits until the thread is untouched."""
    seen = {name: report.observed[name] for name in ("new", "changed", "gone") if report.observed[name]}
    if seen and not report.actions:
        show.say(Voice.PERSON, "seen: " + ", ".join(f"{count} {name}" for name, count in seen.items()))


def _ended() -> bool:
    """Whether somebody at the keyboard pressed Enter."""
    pressed = sys.stdin.isatty() and bool(select.select([sys.stdin], [], [], 0)[0])
    if pressed:
        sys.stdin.readline()  # else the shell would get it
    return pressed


def _write_neomuttrc(stage: Stage) -> None:
    mine = MINE.format(password=PASSWORD, shifter=SHIFTERS[0])
    (stage.folder / NEOMUTTRC).write_text(clients.neomutt(stage.settings) + mine, encoding="utf-8")
