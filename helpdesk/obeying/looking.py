"""What `status` and `help` say: nothing is changed by them."""

from collections.abc import Iterator

from sqlalchemy import select

from helpdesk.obeying.desk import Desk
from helpdesk.rules.attention import labels, reasons, state_name
from helpdesk.rules.facts import ThreadFacts
from helpdesk.store import journal, stories, threads
from helpdesk.store.core import THREAD
from helpdesk.text import safe_text

MAX_THREADS = 20
MAX_STORY = 10
SUBJECT = 48

HELP = """\
T is a thread's id; left out, it is the thread that your mail answers.
  close T            reopen T          undo T
  label T NAME       unlabel T NAME
  waiting T          urgent T          fixed T          taken T
  escalate T TO [TICKET]
  tell user T        the user hears the last answer, or who has it
  tell user T: words
  note T: words      for the team; the words end with helpdesk: end
  status T           status            help
  wrong N            a plan of the daily report was wrong
One command a line, at the top of the mail, each after "helpdesk:"."""


SITES_HELP = """\
S is a site's name; left out, it is the site that your mail answers.
  retest S               a job of each template now, once an hour
  out S until 18 Jun     no jobs until then; also: out S 3 days
  pause S                no test jobs for a week; also: until DATE
  resume S               ends both
  loadtest S jobs=100    puts it under load; also: ramp=1,2,4 rate=60/h
  loadtest stop          ends it"""


def board(desk: Desk) -> str:
    """How many threads stand where, and those that want somebody, the oldest first."""
    found = list(_open(desk))
    wanted = [(facts, why) for facts in found if (why := reasons(facts, desk.board.policy))]
    states: dict[str, int] = {}
    for facts in found:
        states[state_name(facts)] = states.get(state_name(facts), 0) + 1
    counts = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in sorted(states.items()))
    are, want = ("thread is" if len(found) == 1 else "threads are"), ("wants" if len(wanted) == 1 else "want")
    lines = [f"{len(found)} {are} open" + (f": {counts}" if counts else "")]
    lines.append(f"{len(wanted)} {want} attention" + (":" if wanted else ""))
    lines += [_line(desk, facts, why) for facts, why in wanted[:MAX_THREADS]]
    if len(wanted) > MAX_THREADS:
        lines.append(f"  ... and {len(wanted) - MAX_THREADS} more")
    return "\n".join(lines)


def _open(desk: Desk) -> Iterator[ThreadFacts]:
    query = select(THREAD.c.id).where(THREAD.c.open).order_by(THREAD.c.last_activity_at, THREAD.c.id)
    keys = desk.conn.execute(query).scalars().all()
    return threads.load(desk.conn, keys, desk.board.dialect)


def _line(desk: Desk, facts: ThreadFacts, why: tuple[str, ...]) -> str:
    subject = safe_text(stories.read(desk.conn, facts.key).subject, limit=SUBJECT)
    reason = ", ".join(one.replace("_", " ") for one in why)
    return f"  {desk.short(facts.code)}  {subject}  ({reason})"


def thread(desk: Desk, key: int) -> str:
    """One thread: where it stands, and the last lines of its story."""
    facts = next(iter(threads.load(desk.conn, [key], desk.board.dialect)))
    story = stories.read(desk.conn, key)
    why = ", ".join(one.replace("_", " ") for one in reasons(facts, desk.board.policy))
    lines = [
        f"{desk.short(facts.code)}  {safe_text(story.subject, limit=SUBJECT)}",
        f"  {state_name(facts).replace('_', ' ')}; labels: {', '.join(labels(facts)) or 'none'}",
        f"  attention: {why or 'none'}",
    ]
    if facts.messages:
        last = facts.messages[-1]
        lines.append(
            f"  last mail: {last.author}, {last.time:%Y-%m-%d %H:%M} UTC ({len(facts.messages)} in all)"
        )
    for entry in journal.of_thread(desk.conn, key)[-MAX_STORY:]:
        words = safe_text(f"{entry.kind} {entry.what.lstrip(chr(92))}: {entry.reason}")
        lines.append(f"  {entry.at:%m-%d %H:%M}  {words}")
    return "\n".join(lines)
