"""Measure threading on a real list: hide the ids of a tenth of the answers and see what the subject rule brings back.

Run it alone:  python -m tests.measure_threading LIST.mbox [--list ADDRESS] [--ids-only]

The truth is the partition by full headers.  Mails that never had an id are linked by the subject rule in the truth as well:
otherwise right links would count as wrong ones; `--ids-only` leaves these links out of the truth.
"""

import argparse
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from helpdesk.mailbox.authors import AuthorPolicy, author
from helpdesk.mailbox.parse import UnparseableError, parse_header
from helpdesk.mailbox.subjects import SubjectKey, people_of, subject_candidate, subject_key
from helpdesk.mailbox.threads import Node, partition
from helpdesk.model import Header

_POSTMARK = re.compile(rb"(?:\A|(?<=\n\n))From [^\n]*\n")
SEEDS = (1, 2, 3, 4, 5)
HIDDEN = 0.1


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail of the list with the time at which it arrived."""

    key: int
    message_id: str
    header: Header
    people: frozenset[str]
    time: datetime


@dataclass(frozen=True, slots=True)
class Score:
    """How well a partition agrees with the truth about pairs of mails."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)

    def __str__(self) -> str:
        return f"precision {self.precision:.4f}  recall {self.recall:.4f}  F1 {self.f1:.4f}"


def read(path: Path, list_address: str) -> list[Mail]:
    """Read an mboxrd file in its own time: the running maximum of Date, dates beyond the 99.9th percentile ignored."""
    headers = list(headers_of(path.read_bytes()))
    list_address = (
        list_address or Counter(one for header in headers for one in header.recipients).most_common(1)[0][0]
    )
    policy = AuthorPolicy(list_address=list_address)
    dates = sorted(header.date for header in headers if header.date)
    latest = dates[int(len(dates) * 0.999)]
    now = datetime(1970, 1, 1, tzinfo=UTC)
    mails = []
    for key, header in enumerate(headers):
        if header.date and header.date <= latest:
            now = max(now, header.date)
        people = people_of(author(header, False, policy).address, header.recipients, {list_address})
        mails.append(Mail(key, header.message_id or f"<none-{key}@measure>", header, people, now))
    return mails


def headers_of(data: bytes) -> Iterator[Header]:
    """The headers of the mails of an mbox; what has none is passed over."""
    for part in _POSTMARK.split(data):
        try:
            yield parse_header(part)
        except UnparseableError:
            continue


def nodes(mails: Sequence[Mail], hidden: Collection[int], *, by_subject: bool = True) -> list[Node]:
    """What threading sees when the ids of some mails are hidden."""
    known: defaultdict[str, list[SubjectKey]] = defaultdict(list)
    found = []
    for mail in mails:
        header = replace(mail.header, references=(), in_reply_to=()) if mail.key in hidden else mail.header
        link = None
        if by_subject:
            key = subject_key(header, mail.people, mail.message_id, mail.time)
            link = subject_candidate(key, known[key.subject])
            known[key.subject].append(key)
        found.append(Node(mail.time, mail.message_id, mail.key, header.references, header.in_reply_to, link))
    return found


def threads(of: Sequence[Node]) -> dict[int, int]:
    """Each message's thread."""
    return {key: number for number, group in enumerate(partition(of)) for key in group.members}


def score(truth: dict[int, int], found: dict[int, int]) -> Score:
    """Count the pairs that share a thread in both, in the truth, and in what was found."""

    def pairs(counts: Counter[object]) -> int:
        return sum(count * (count - 1) // 2 for count in counts.values())

    both = pairs(Counter((truth[key], found[key]) for key in truth))
    return Score(both / pairs(Counter(found.values())), both / pairs(Counter(truth.values())))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("mbox", type=Path)
    parser.add_argument(
        "--list", default="", help="the list's address (default: the most frequent recipient)"
    )
    parser.add_argument("--ids-only", action="store_true", help="the truth knows no subject links")
    options = parser.parse_args()
    say = sys.stdout.write

    mails = read(options.mbox, options.list)
    whole = nodes(mails, (), by_subject=not options.ids_only)
    begun = time.perf_counter()
    groups = partition(whole)
    seconds = time.perf_counter() - begun
    say(f"{len(mails)} mails, {len(groups)} threads, {len(mails) / seconds:,.0f} messages/s\n")
    say(f"bridges refused: {sum(len(group.refused) for group in groups)}\n")
    say(f"linked by subject: {sum(node.subject_link is not None for node in whole)}\n")

    truth = threads(whole)
    answers = [mail.key for mail in mails if mail.header.references]
    for seed in SEEDS:
        hidden = frozenset(random.Random(seed).sample(answers, round(len(answers) * HIDDEN)))  # noqa: S311
        without = score(truth, threads(nodes(mails, hidden, by_subject=False)))
        say(
            f"seed {seed}: {len(hidden)} hidden: {score(truth, threads(nodes(mails, hidden)))}   (ids alone: {without})\n"
        )


if __name__ == "__main__":
    main()
