"""The mails of obeying: a question, an answer to each command, and a word to who confirms twice."""

import json
import re
from datetime import datetime

from helpdesk.actions import Action
from helpdesk.board import Teammate
from helpdesk.commands import Item
from helpdesk.obeying.desk import Desk
from helpdesk.obeying.work import Work
from helpdesk.store.commands import CommandMail, State

MAX_SAID = 40  # lines about one command
_THREAD = re.compile(r"[0-9a-z]{5,10}: ")
_GONE = "the time to confirm it is over, so it was not carried out: please say it again"
_DONE = "this was carried out already, and its answer was mailed"


def question(desk: Desk, mail: CommandMail, person: Teammate, until: datetime) -> Action:
    """Ask the person whether it was he, at the address that is configured."""
    context = {
        "name": person.name,
        "claimed": mail.author,
        "received": mail.mailed.isoformat(),
        "commands": [line for item in mail.items for line in item.quoted],
        "until": until.isoformat(),
    }
    reason = f"somebody wrote in the name of {person.name}"
    return desk.mail("confirm", mail.key, person.address, reason, json.dumps(context))


def answer(desk: Desk, work: Work) -> list[Action]:
    """Say what became of each command; to whom it is proven, else to the address that is configured."""
    outcomes = [_outcome(work, number, item) for number, item in enumerate(work.mail.items)]
    threads = sorted(set(work.shorts.values()))
    to = work.mail.author if work.mail.authentic else work.person.address
    context = {
        "name": work.person.name,
        "received": work.mail.mailed.isoformat(),
        "outcomes": outcomes,
        "thread": threads[0] if len(threads) == 1 else "",
        "site": work.sites[0] if len(set(work.sites)) == 1 else "",
        "answers": work.mail.message_id,
        "proven": work.proven,
    }
    return [
        desk.mail("command", work.mail.key, to, f"{work.person.name} wrote commands", json.dumps(context))
    ]


def again(desk: Desk, mail: CommandMail, person: Teammate) -> Action:
    """Say once that a token is used up; it is the same mail however often it is asked for."""
    says = _GONE if mail.state in {State.EXPIRED, State.REFUSED} else _DONE
    outcomes = [{"command": list(item.quoted), "done": says == _DONE, "says": [says]} for item in mail.items]
    context = {
        "name": person.name,
        "received": mail.mailed.isoformat(),
        "outcomes": outcomes,
        "thread": "",
        "answers": mail.message_id,
        "proven": False,
    }
    reason = f"{person.name} confirmed it again"
    return desk.mail("command", f"{mail.key}:again", person.address, reason, json.dumps(context))


def _outcome(work: Work, number: int, item: Item) -> dict[str, object]:
    mine = [work.told[where] for where in sorted(work.told) if where.startswith(f"{number:02}:")]
    lines = [line for done, says in mine for line in _sentence(says, done=done).split("\n")]
    return {
        "command": list(item.quoted),
        "done": all(done for done, _ in mine),
        "says": lines[:MAX_SAID],
    }


def _sentence(says: str, *, done: bool) -> str:
    """A refusal is a sentence; what was done begins with its thread."""
    return says if done or _THREAD.match(says) else says[:1].upper() + says[1:]
