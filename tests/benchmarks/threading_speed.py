"""Threading alone, on one core: from parsed ids, dates, subjects and addresses to threads.

Beside it Dovecot's own THREAD=REFS (RFC 5256) in C, over its warm cache: it links any equal subjects and knows no people.
"""

import gc
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from helpdesk import start
from helpdesk.mailbox.parse import parse_header
from helpdesk.mailbox.subjects import SubjectKey, people_of, subject_candidate, subject_key
from helpdesk.mailbox.threads import Group, Node, partition
from helpdesk.model import Header
from tests.benchmarks.figures import Figure, Goal
from tests.benchmarks.lab import Lab
from tests.benchmarks.letters import BEGIN, LIST, SHIFTERS, address, letters
from tests.benchmarks.plain import Plain
from tests.benchmarks.series import Series

GOAL: Final = 100_000
SHARED: Final = frozenset({LIST, *map(address, SHIFTERS)})


def measure(lab: Lab) -> Iterator[Figure]:
    """Take turns: ours over parsed headers, the server over the same mails."""
    headers = [replace(parse_header(letter.octets), fields={}) for letter in letters(lab.messages)]
    user = lab.filled(lab.messages)
    ours, theirs, threads = [], [], 0
    with Plain(lab.port, user) as line:
        line.say(b"EXAMINE Archive")
        for number in range(lab.rounds + 1):
            speed, threads = _speed(headers)
            started = time.perf_counter()
            line.say(b"UID THREAD REFS UTF-8 ALL")
            seconds = time.perf_counter() - started
            if number:  # the first warms the server
                ours.append(speed)
                theirs.append(lab.messages / seconds)
    yield Figure(
        f"threading {lab.messages:,} parsed mails: messages/s of processor time",
        f"{threads:,} threads",
        f"Dovecot's THREAD=REFS: {Series(theirs)} messages/s",
        Series(ours),
        Goal(GOAL, at_least=True),
    )


def _speed(headers: Sequence[Header]) -> tuple[float, int]:
    before = gc.get_threshold()
    gc.collect()
    start.settle()  # as the program does; and what is parsed is not what is measured
    started = time.process_time()
    found = threads(headers)
    seconds = time.process_time() - started
    gc.unfreeze()
    gc.set_threshold(*before)
    return len(headers) / seconds, len(found)


def threads(headers: Sequence[Header]) -> list[Group]:
    """Do what a cycle does, without a database between the steps."""
    known: defaultdict[str, list[SubjectKey]] = defaultdict(list)
    nodes = []
    for number, header in enumerate(headers):
        time_of = header.date or BEGIN
        people = people_of(header.sender, header.recipients, SHARED)
        key = subject_key(header, people, header.message_id, time_of)
        link = subject_candidate(key, known[key.subject]) if key.lost else None
        if key.subject:
            known[key.subject].append(key)
        nodes.append(Node(time_of, header.message_id, number, header.references, header.in_reply_to, link))
    return partition(nodes)
