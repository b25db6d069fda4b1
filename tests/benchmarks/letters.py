"""The mail of a support list, made up: threads of varying length, interleaved as they come, from few shifters and many users.

The same seed gives the same mailbox.  Threads that were quiet for long lie in the archive, the others are open, and some
answers of the team lie in Sent as well.
"""

import random
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Final

LIST: Final = "dast@lists.example.org"
SHIFTERS: Final = ("aiden", "alden", "jacob", "mira", "nuria", "sergey", "tadeas", "wen")
BEGIN: Final = datetime(2024, 1, 1, tzinfo=UTC)
PERIOD: Final = timedelta(days=900)
OPEN: Final = 0.08
"""The last part of the time: a thread that was active then is open."""
LOST: Final = 0.01
"""The share of answers whose writers' programs lose the ids."""

_LENGTHS: Final = (
    (1, 22),
    (2, 20),
    (3, 17),
    (4, 12),
    (5, 9),
    (6, 6),
    (8, 6),
    (11, 4),
    (16, 2),
    (25, 1),
    (40, 1),
)
_LABELS: Final = (
    ((), 46),
    (("waiting",), 30),
    (("escalated", "ggus"), 11),
    (("docs",), 6),
    (("urgent",), 4),
    (("taken",), 3),
)
_TROUBLES: Final = (
    "jobs fail", "job stuck in submitting", "dataset not found", "cannot log in", "output not registered", "proxy expired",
    "no space left on device", "stage-in timeout", "athena crashes at start", "missing release", "slow transfer", "wrong checksum",
)  # fmt: skip
_PLACES: Final = (
    "DESY-HH",
    "CERN-PROD",
    "IN2P3-CC",
    "FZK-LCG2",
    "BNL-OSG2",
    "RAL-LCG2",
    "PIC",
    "NIKHEF",
    "TRIUMF",
    "ASGC",
)
_DOMAINS: Final = tuple(
    f"{name}.example.{end}"
    for name in ("physics", "uni", "lab", "hep", "grid", "it")
    for end in ("edu", "org", "net")
)
_NAMES: Final = (
    "Ann",
    "Bob",
    "Cy",
    "Dee",
    "Jürgen",
    "Zoë",
    "Łukasz",
    "Marie-Ève",
    "Ivan",
    "Priya",
    "Chen",
    "Olga",
    "Tom",
    "Sara",
)
_ZONES: Final = (("+0000", 0), ("+0100", 1), ("+0200", 2), ("-0500", -5), ("-0800", -8), ("+0900", 9))
_PROSE: Final = "\r\n".join(
    f"Since {hour:02d}:00 the jobs of task {hour * 7919} end with error {1000 + hour * 13} at the worker node wn-{hour * 31:03d},\r\n"
    "although the same executable ran there last week with the same input. The log has only this line:\r\n"
    f"  stage-in of mc08.{hour * 104729:07d}.AOD failed: [SRM_TIMEOUT] no answer from the storage element\r\n"
    for hour in range(24)
)  # fmt: skip
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail, ready to be stored."""

    folder: str
    thread: int
    flags: tuple[str, ...]
    when: datetime
    octets: bytes


@dataclass(slots=True)
class _Thread:
    """One issue, planned: when each of its mails comes."""

    number: int
    times: list[datetime]
    user: int
    subject: str
    open: bool
    labels: tuple[str, ...]
    ids: list[str]


def letters(count: int, seed: int = 1) -> Iterator[Letter]:
    """Make `count` mails, in the order in which they came."""
    dice = random.Random(seed)  # noqa: S311 -- no secret
    threads = list(_threads(count, dice))
    order = sorted(((when, thread.number) for thread in threads for when in thread.times), key=itemgetter(0))
    left = count
    for when, number in order:
        for letter in _letters(threads[number], when, dice):
            if left:
                left -= 1
                yield letter


def answer(ids: Sequence[str], name: str) -> bytes:
    """One more mail in a thread, from a user."""
    return (
        f"From: Ann Nr0 <user0@physics.example.edu>\r\nTo: {LIST}\r\nSubject: Re: it happened again\r\n"
        f"Message-ID: <answer.{name}@physics.example.edu>\r\nIn-Reply-To: {ids[-1]}\r\n"
        f"References: {' '.join(ids[-20:])}\r\nList-Id: <dast.lists.example.org>\r\n\r\nStill the same here.\r\n"
    ).encode()


def internal_date(when: datetime) -> str:
    """A time as APPEND takes it."""
    return f"{when.day:02d}-{_MONTHS[when.month - 1]}-{when.year} {when:%H:%M:%S} +0000"


def address(shifter: str) -> str:
    """Where a shifter writes from."""
    return f"{shifter}@team.example.org"


def _threads(count: int, dice: random.Random) -> Iterator[_Thread]:
    """Plan enough threads for `count` mails."""
    sizes, weights = zip(*_LENGTHS, strict=True)
    labels, shares = zip(*_LABELS, strict=True)
    planned = number = 0
    while planned < count:
        (size,) = dice.choices(sizes, weights)
        moment = BEGIN + PERIOD * dice.random()
        times = [moment]
        for _ in range(size - 1):
            moment += timedelta(seconds=dice.expovariate(1 / 40_000))
            times.append(moment)
        is_open = times[-1] > BEGIN + PERIOD * (1 - OPEN)
        (wanted,) = dice.choices(labels, shares) if is_open else ((("docs",) if dice.random() < 0.1 else ()),)
        subject = f"{dice.choice(_TROUBLES)} at {dice.choice(_PLACES)}, task {dice.randrange(10**6)}"
        yield _Thread(number, times, dice.randrange(max(10, count // 40)), subject, is_open, wanted, [])
        planned += size
        number += 1


def _letters(thread: _Thread, when: datetime, dice: random.Random) -> Iterator[Letter]:
    """The next mail of a thread, and its copy in Sent if the team wrote it with a client that keeps one."""
    by_team = len(thread.ids) % 2 == 1
    who = _shifter(thread, dice) if by_team else _user(thread.user)
    octets = _mail(thread, who, when, dice)
    system = ("\\Seen", "\\Answered") if by_team else ("\\Seen",)
    folder = "INBOX" if thread.open else "Archive"
    yield Letter(folder, thread.number, (*system, *thread.labels), when, octets)
    if by_team and dice.random() < 0.06:
        yield Letter("Sent", thread.number, ("\\Seen",), when, octets)


def _shifter(thread: _Thread, dice: random.Random) -> tuple[str, str]:
    name = SHIFTERS[thread.number % len(SHIFTERS)] if dice.random() < 0.8 else dice.choice(SHIFTERS)
    return f"{name.capitalize()} of DAST", address(name)


def _user(number: int) -> tuple[str, str]:
    return f"{_NAMES[number % len(_NAMES)]} Nr{number}", f"user{number}@{_DOMAINS[number % len(_DOMAINS)]}"


def _mail(thread: _Thread, who: tuple[str, str], when: datetime, dice: random.Random) -> bytes:
    name, sender = who
    shown = f"=?utf-8?b?{b64encode(name.encode()).decode()}?=" if not name.isascii() else name
    domain = sender.partition("@")[2]
    own = f"<{thread.number:x}.{len(thread.ids)}.{dice.randrange(10**9):09d}@{domain}>"
    prefix = "Re: " if thread.ids else ""
    answers = ""
    if thread.ids and dice.random() > LOST:
        references = "\r\n ".join(thread.ids[-20:])
        answers = f"In-Reply-To: {thread.ids[-1]}\r\nReferences: {references}\r\n"
    thread.ids.append(own)
    date = _date(when, dice)
    stamp = f"{when:%y%m%d%H%M%S}"
    start = dice.randrange(2000)
    body = _PROSE[start : start + dice.randrange(400, 2400)]
    cc = (
        f"Cc: {_user(dice.randrange(50))[1]}, Expert <expert@lab.example.org>\r\n"
        if dice.random() < 0.15
        else ""
    )
    return (
        f"Return-Path: <dast-bounces@lists.example.org>\r\nDelivered-To: dast@example.org\r\n"
        f"Received: from lists.example.org (lists.example.org [192.0.2.17])\r\n\tby mail.example.org (Postfix) with ESMTPS id {stamp}A\r\n"
        f"\tfor <dast@example.org>; {date}\r\n"
        f"Received: from mx.{domain} (mx.{domain} [198.51.100.{when.second}])\r\n\tby lists.example.org (Postfix) with ESMTPS id {stamp}B\r\n"
        f"\tfor <{LIST}>; {date}\r\n"
        f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=mail;\r\n\tbh={stamp * 3}=; b={stamp * 20}\r\n"
        f"Authentication-Results: mail.example.org; dkim=pass header.d={domain}; spf=pass\r\n\tsmtp.mailfrom=dast-bounces@lists.example.org\r\n"
        f"From: {shown} <{sender}>\r\nTo: {LIST}\r\n{cc}Subject: {prefix}{thread.subject}\r\n"
        f"Message-ID: {own}\r\n{answers}Date: {date}\r\n"
        "List-Id: Distributed analysis support <dast.lists.example.org>\r\nList-Post: <mailto:dast@lists.example.org>\r\n"
        "List-Unsubscribe: <https://lists.example.org/dast/leave>\r\nPrecedence: list\r\nMIME-Version: 1.0\r\n"
        "User-Agent: Mozilla Thunderbird\r\nContent-Type: text/plain; charset=utf-8; format=flowed\r\n\r\n"
        f"{body}\r\n"
    ).encode()


def _date(when: datetime, dice: random.Random) -> str:
    zone, hours = dice.choice(_ZONES)
    local = when + timedelta(hours=hours)
    day = f"{_DAYS[local.weekday()]}, {local.day:02d} {_MONTHS[local.month - 1]} {local.year}"
    return f"{day} {local:%H:%M:%S} {zone}"
