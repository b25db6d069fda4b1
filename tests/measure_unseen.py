"""Measure whose fault (docs/whose-fault.md) on mails in the style of real users, among them many whose site is called like a word.

Run it alone:  python -m tests.measure_unseen [--set blind] [--times 6] [--seed 1] [--misses]

Every form is sent several times, each time about other sites and errors, and the production cycle runs once.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from types import ModuleType

from helpdesk.robots.codes import table
from tests import fault_fourth, fault_third, fault_unseen
from tests.fault_cases import NOW, START
from tests.measure_fault import Told, told_of_everything, trouble, wilson
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.world import CONFIG, World


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail, and what is due: see `tests.fault_unseen`."""

    due: str
    site: str
    raw: bytes
    own: str


def phase_of(site: str, troubled: Mapping[str, str]) -> str:
    name, _, code = troubled[site].partition(":")
    return str(table(name)[code].phase)


def filled(of: ModuleType, form: str, rng: random.Random) -> tuple[str, str]:
    """A form with a site in it, and the site; an error of its test jobs, or of another phase."""
    kind = "any" if "{any}" in form else "word" if "{word}" in form else "site"
    choice = {"any": tuple(of.TROUBLED), "word": of.WORDS, "site": of.FORMAL}[kind]
    site = rng.choice(choice)
    mine = phase_of(site, of.TROUBLED)
    errors = of.ERRORS[mine]
    others = [one for phase, found in of.ERRORS.items() if phase != mine for one in found]
    text = form.replace("{any}", site).replace("{word}", site).replace("{site}", site)
    text = text.replace("{fine}", rng.choice(of.FINE)).replace("{error}", rng.choice(errors))
    return text.replace("{other}", rng.choice(others)), site


def mail(number: int, text: str) -> tuple[bytes, str]:
    subject, _, body = text.partition("\n\n")
    made, own = EmailMessage(policy=SMTP), f"<unseen{number}@measure.example>"
    made["From"], made["To"] = f"Ann Ash <ann{number}@users.example.com>", "dast@lists.example.org"
    made["Subject"], made["Message-ID"], made["Date"] = subject, own, NOW
    if subject.startswith("Re:"):
        made["In-Reply-To"] = f"<asked{number}@measure.example>"
    made.set_content(body)
    return made.as_bytes(), own


def written(of: ModuleType, times: int, rng: random.Random) -> list[Sent]:
    """Every form several times; what is written out in full, once."""
    made: list[Sent] = []
    for due, form in of.FORMS:
        for _ in range(times):
            text, site = filled(of, form, rng)
            made.append(Sent(due, site, *mail(len(made), text)))
    for due, text in of.PLAIN:
        kind, _, site = due.partition(" ")
        made.append(Sent(kind, site, *mail(len(made), text)))
    return made


def play(of: ModuleType, sent: Sequence[Sent], rng: random.Random) -> Told:
    """One run of the production cycle over everything."""
    with tempfile.TemporaryDirectory() as folder:
        server = MemoryServer()
        sites = "".join(f'[[site]]\nname = "{one}"\n' for one in (*of.TROUBLED, *of.FINE))
        world = World(server, lambda: MemoryMailbox(server), Path(folder), config=CONFIG + sites)
        world.tick()
        trouble(world, (), of.TROUBLED)
        for one in sent:
            world.human.deliver("INBOX", one.raw, START + timedelta(days=rng.random() * 20))
        world.now = NOW
        world.tick()
        told = told_of_everything(world)
        world.engine.dispose()
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", choices=("blind", "third", "fourth"), default="blind")
    parser.add_argument("--times", type=int, default=6, help="how often a form is sent")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--misses", action="store_true", help="show what was wrong")
    asked = parser.parse_args()
    say = print
    rng = random.Random(asked.seed)  # noqa: S311 -- cases, no secrets
    of = {"blind": fault_unseen, "third": fault_third, "fourth": fault_fourth}[asked.set]
    sent = written(of, asked.times, rng)
    told = play(of, sent, rng)
    count: Counter[str] = Counter()
    for one in sent:
        key = told.thread_of[one.own]
        labelled = key in told.labels
        about = {
            site
            for site in of.TROUBLED
            if any(line.startswith(f"{site} is out") for line in told.lines.get(key, ()))
        }
        lined = one.site in about
        wrong = about - ({one.site} if one.due in "Lln" else set())
        count.update({
            f"mails {one.due}": 1, "labels": labelled, "right labels": labelled and one.due == "L", "due labels": one.due == "L",
            f"labels on {one.due}": labelled, "lines": lined and one.due in "Ll", "due lines": one.due in "Ll",
            "wrong lines": len(wrong),
        })  # fmt: skip
        bad = labelled != (one.due == "L") or wrong or (one.due in "Ll" and not lined)
        if asked.misses and bad:
            say(
                f"--- due {one.due} for {one.site}: label {labelled}, lines about {about}; {told.why.get(key)}"
            )
            say(one.raw.decode().partition("\r\n\r\n")[2].replace("\r", ""))
    say(f"set {asked.set}, {len(sent)} mails, seed {asked.seed}: {dict(sorted(count.items()))}")
    say(f"  label precision {wilson(count['right labels'], count['labels'])}")
    say(f"        recall    {wilson(count['right labels'], count['due labels'])}")
    say(f"  line  precision {wilson(count['lines'], count['lines'] + count['wrong lines'])}")
    say(f"        recall    {wilson(count['lines'], count['due lines'])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
