"""Measure whose fault (docs/whose-fault.md) on a real list: its mails as distractors, seeded cases among them.

Run it alone:  python -m tests.measure_fault MBOX [--cases 100] [--seed 1] [--hard 20] [--forms held] [--misses] [--echoes 0]

MBOX (mboxrd, or that packed with xz) is delivered to a memory mailbox of a board whose sites are in trouble all the time, and the production
cycle runs once.  The cases are built of openings of the list's own mails, with sentences put in.  The commonest words of the list that look like
names (two capitals) are sites in trouble, too: they are named everywhere, and never meant.  A label on a mail of the list is wrong; a line about a site that
it does not name in earnest cannot come up, because what counts there are the sites of the cases.
"""

import argparse
import lzma
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from math import sqrt
from pathlib import Path

from sqlalchemy import select

from helpdesk import blaming
from helpdesk.blame.reading import own_lines
from helpdesk.clues import Sort, clues
from helpdesk.mailbox.body import text_of
from helpdesk.mailbox.parse import UnparseableError, parse_header
from helpdesk.model import SITE_TROUBLE
from helpdesk.robots.codes import table
from helpdesk.robots.record import JobState, Record, TestKind
from helpdesk.store import mentions, records, verdicts
from helpdesk.store.core import MESSAGE, THREAD
from helpdesk.store.threads import unpack_state
from helpdesk.store.verdicts import Change
from tests.fault_cases import FINE, NOW, START, STRANGE, TROUBLED, Author, Case
from tests.fault_forms import HELD, ROBOTS_SAY, TUNED
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.world import CONFIG, World

_POSTMARK = re.compile(rb"(?:\A|(?<=\n\n))From [^\n]*\n")
_NAME = re.compile(r"\b[A-Z][A-Za-z]*[A-Z][A-Za-z]*\b")


def mails_of(path: Path) -> Iterator[bytes]:
    """The mails of an mboxrd file, packed or not."""
    data = path.read_bytes()
    data = lzma.decompress(data) if path.suffix == ".xz" else data
    for part in _POSTMARK.split(data)[1:]:
        yield re.sub(rb"(?m)^>(>*From )", rb"\1", part).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def openings_of(mails: Sequence[bytes], names: Sequence[str]) -> list[str]:
    """The own words of mails that answer nothing and name no site, as material for cases."""
    taken = re.compile("|".join(rf"\b{re.escape(one)}\b" for one in (*names, *TROUBLED, *FINE)))
    found = []
    for mail in mails:
        try:
            header = parse_header(mail)
        except UnparseableError:
            continue
        if header.references:
            continue
        text = "\n".join(own_lines(text_of(mail, 64 * 1024), header.sender_name)).strip()
        broken = any(one.sort is Sort.ERROR for one in clues(text))  # its thread has the same error, rightly
        if 80 < len(text) < 1500 and not broken and not taken.search(text):
            found.append(text)
    return found


def hard_names(mails: Sequence[bytes], number: int) -> list[str]:
    """The commonest words of the list that could be names of sites."""
    seen: Counter[str] = Counter()
    for mail in mails:
        seen.update(set(_NAME.findall(text_of(mail, 8 * 1024))))
    ours = re.compile("|".join(map(re.escape, (*TROUBLED, *FINE))))
    said = " ".join(map(str, (TUNED, HELD, STRANGE)))  # what our own sentences say is no name
    return [name for name, _ in seen.most_common() if name not in said and not ours.search(name)][:number]


def configured(hard: Sequence[str]) -> str:
    """A board with these sites; two dozen others are fine."""
    return CONFIG + "".join(f'[[site]]\nname = "{name}"\n' for name in (*TROUBLED, *FINE, *hard))


def trouble(world: World, hard: Sequence[str], troubled: Mapping[str, str] = TROUBLED) -> None:
    """Everything that is to be out is out all the time, with failures; of words of the list, of every phase."""
    codes = (
        "payload:12",
        "payload:11",
        "pilot:1137",
        "pilot:1377",
        "pilot:1099",
        "payload:50",
        "pilot:1212",
        "pilot:1317",
    )
    rows, changes = [], []
    for site, mine in [
        *((site, (code,)) for site, code in troubled.items()),
        *((site, codes) for site in hard),
    ]:
        changes.append(
            Change(START, "atlas", site, "exclude", "they fail", "1", evidence={"cause": "evidence"})
        )
        for number in range(4 * len(mine)):
            name, _, code = mine[number % len(mine)].partition(":")
            means = table(name)[code]
            at = START - timedelta(minutes=number + 1)
            rows.append(
                Record(
                    f"{site}-{number}", "atlas", site, "t", "1", TestKind.FUNCTIONAL, "routine", 1, "local", "q", t_scheduled=at,
                    t_final=at, t_observed=at, state=JobState.FAILED, phase=means.phase, error_class=means.error_class,
                    native_code=f"{name}:{code}", native_text="ERROR: " + ROBOTS_SAY.format(path="/data/of/robots/x.root"), blame=None,
                )
            )  # fmt: skip
    with world.engine.begin() as conn:
        records.add(conn, rows)
        verdicts.add(conn, changes)


@dataclass(slots=True)
class Told:
    """What became of every thread: the label, the lines, and the thread of each Message-ID."""

    labels: set[int]
    lines: Mapping[int, tuple[str, ...]]
    thread_of: dict[str, int]
    why: Mapping[int, Sequence[str]]
    errors: Mapping[int, Sequence[str]]


def deliver(world: World, distractors: Sequence[bytes], cases: Sequence[Case], rng: random.Random) -> None:
    """All mails in one month, each case at its own time among them; what answers comes later."""
    arriving = [(rng.random() * 29, mail) for mail in distractors]
    for case in cases:
        start = {"the same error again": 20, "nearly the same error": 20}.get(case.kind, 1) + rng.random() * 8
        arriving += [(start + number / 24, mail) for number, mail in enumerate(case.mails)]
    for day, mail in sorted(arriving, key=lambda one: one[0]):
        world.human.deliver("INBOX", mail, START + timedelta(days=day))


def play(
    world: World, hard: Sequence[str], distractors: Sequence[bytes], cases: Sequence[Case], rng: random.Random
) -> Told:
    """One run of the production cycle over everything."""
    world.tick()
    trouble(world, hard)
    deliver(world, distractors, cases, rng)
    world.now = NOW
    world.tick()
    return told_of_everything(world)


def told_of_everything(world: World) -> Told:
    """What the board says now of every thread."""
    with world.engine.connect() as conn:
        states = conn.execute(select(THREAD.c.id, THREAD.c.state)).all()
        thread_of = {
            row.message_id: row.thread for row in conn.execute(select(MESSAGE.c.message_id, MESSAGE.c.thread))
        }
        lines = blaming.told(conn, [row.id for row in states], NOW, UTC)
        why = {
            key: [one.why for one in found]
            for key, found in mentions.faults(conn, [row.id for row in states]).items()
        }
        named = mentions.of_threads(conn, list(lines))
    errors = {key: [one.text for one in blaming.errors_of(mails)] for key, mails in named.items()}
    registers = {key: unpack_state(text).registers.get(SITE_TROUBLE) for key, text in states}
    return Told(
        {key for key, one in registers.items() if one is not None and one.present},
        lines,
        thread_of,
        why,
        errors,
    )


def wilson(hits: int, of: int) -> str:
    """A share with its interval of 95 %."""
    if not of:
        return "  -"
    z, share = 1.96, hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return f"{100 * share:5.1f} % ({100 * max(0, middle - half):.1f} to {100 * min(1, middle + half):.1f}; {hits} of {of})"


def right(case: Case, said: Sequence[str], labelled: bool) -> dict[str, bool]:
    """What was asked of a case, and whether it was so."""
    about = [
        site
        for site in TROUBLED | dict.fromkeys(FINE, "")
        if any(line.startswith(f"{site} is out") for line in said)
    ]
    found = {"label": labelled == case.label}
    if case.site:
        found["line"] = case.site in about
    if case.silent:
        found["silence"] = not set(case.silent) & set(about)
    if case.echo:
        found["echo"] = any(f'"{case.echo}"' in line for line in said)
    if case.no_echo:
        found["no echo"] = not any("the same error" in line for line in said)
    return found


def report(cases: Sequence[Case], told: Told, say: Callable[[str], object], misses: bool) -> None:
    """Figures for each kind, then precision and recall over everything, the list's own threads included."""
    counts: dict[str, Counter[str]] = {}
    asked: dict[str, Counter[str]] = {}
    total: Counter[str] = Counter()
    mine = set()
    for case in cases:
        key = told.thread_of.get(case.ids[0], 0)
        mine.add(key)
        said, labelled = told.lines.get(key, ()), key in told.labels
        for what, good in right(case, said, labelled).items():
            asked.setdefault(case.kind, Counter())[what] += 1
            counts.setdefault(case.kind, Counter())[what] += good
            if misses and not good:
                say(
                    f"MISSED {case.kind}, {what}: {case.ids[0]} {said}\n{case.mails[-1].decode('utf-8', 'replace')[-700:]}\n"
                )
        told_of = {site for site in TROUBLED if any(line.startswith(f"{site} is out") for line in said)}
        echo = any("the same error was answered" in line for line in said)
        total.update({
            "labels": labelled, "right labels": labelled and case.label, "due labels": case.label,
            "site lines": len(told_of), "right site lines": case.site in told_of, "due site lines": bool(case.site),
            "echoes": echo, "right echoes": echo and bool(case.echo) and case.echo in " ".join(said), "due echoes": bool(case.echo),
        })  # fmt: skip
    for kind, tried in asked.items():
        figures = ", ".join(f"{what} {counts[kind][what]} of {number}" for what, number in tried.items())
        say(f"  {kind:42} {figures}")
    others = set(told.thread_of.values()) - mine - {0}
    wrong = len(told.labels & others)
    about = sum(
        any(f"{site} is out" in line for site in TROUBLED for line in told.lines.get(key, ()))
        for key in others
    )
    say(
        f"  {'threads of the list':42} {len(others)}, of which labelled {wrong}, with a line about a site of the cases {about}"
    )
    for name, what in (
        ("label", "labels"),
        ("line about the site", "site lines"),
        ("line about the answer", "echoes"),
    ):
        extra = {"labels": wrong, "site lines": about}.get(what, 0)
        say(f"  {name:22} precision {wilson(total[f'right {what}'], total[what] + extra)}")
        say(f"  {'':22} recall    {wilson(total[f'right {what}'], total[f'due {what}'])}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mbox", type=Path)
    parser.add_argument("--cases", type=int, default=100, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hard", type=int, default=20, help="words of the list that are sites in trouble")
    parser.add_argument("--forms", choices=("tuned", "held"), default="held", help="how the cases are worded")
    parser.add_argument("--misses", action="store_true", help="show what was wrong")
    parser.add_argument(
        "--echoes",
        type=int,
        default=0,
        help="show so many labels of the list's threads, and so many lines that compare them",
    )
    asked = parser.parse_args()
    say = print
    rng = random.Random(asked.seed)  # noqa: S311 -- cases, no secrets
    distractors = list(mails_of(asked.mbox))
    hard = hard_names(distractors, asked.hard)
    author = Author(openings_of(distractors, hard), rng, {"tuned": TUNED, "held": HELD}[asked.forms])
    kinds = (
        author.matching, author.words_only, author.asked, author.fine, author.other_error, author.own_error, author.unrelated,
        author.quoted, author.signed, author.similar, author.unmarked, author.elsewhere, author.echoed,
    )  # fmt: skip
    for make in kinds:
        for _ in range(asked.cases):
            make()
    with tempfile.TemporaryDirectory() as folder:
        server = MemoryServer()
        world = World(server, lambda: MemoryMailbox(server), Path(folder), config=configured(hard))
        told = play(world, hard, distractors, author.made, rng)
        world.engine.dispose()
    named = f"{len(hard)} words of the list are sites in trouble"
    say(
        f"{asked.mbox.name}: {len(distractors)} mails, {len(author.made)} seeded threads, seed {asked.seed}, forms {asked.forms}; {named}"
    )
    report(author.made, told, say, asked.misses)
    seeded = {told.thread_of.get(one, 0) for case in author.made for one in case.ids}
    echoes = [
        f"{line} <- {told.errors.get(key, ())}"
        for key, lines in sorted(told.lines.items())
        if key not in seeded
        for line in lines
        if "the same" in line
    ]
    labels = [one for key in sorted(told.labels - seeded) for one in told.why.get(key, ())]
    say(f"  {len(echoes)} threads of the list have a line that compares them with another")
    for line in [*labels[: asked.echoes], *echoes[: asked.echoes]]:
        say(f"    {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
