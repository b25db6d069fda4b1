"""The labels at the end of a shift week: those that nobody explained, and those that have had their time [i7].  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from helpdesk.digest.columns import MARGIN, WIDTH, cut, folded, padded
from helpdesk.shifts.wording import counted
from helpdesk.text import safe_text


@dataclass(frozen=True, slots=True)
class ReviewedLabel:
    """One label, on how many open threads it is, and what it means ("": nobody said)."""

    name: str
    threads: int
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class ReviewMail:
    """To who is on duty as the week ends, else to all shifters."""

    kind: ClassVar[str] = "review"

    counts: str  # "1 to explain, 2 to retire"
    explain: tuple[ReviewedLabel, ...]  # set by somebody, and configured by nobody, or without a meaning
    retire: tuple[ReviewedLabel, ...]  # temporary, and on no open thread
    used: tuple[ReviewedLabel, ...]  # temporary, and on open threads
    lines: tuple[str, ...]


def review(
    meanings: Mapping[str, str], temporary: Mapping[str, int], unknown: Mapping[str, int]
) -> ReviewMail | None:
    """The mail; None where nothing is to be explained or retired.

    `temporary` are the labels of this kind that were ever used, `unknown` keywords; both with their number of open threads.
    """
    known = [
        ReviewedLabel(name, number, meanings.get(name, "")) for name, number in sorted(temporary.items())
    ]
    explain = [ReviewedLabel(safe_text(name), number) for name, number in sorted(unknown.items())]
    explain += [one for one in known if not one.meaning and one.threads]
    retire = [one for one in known if not one.threads]
    used = [one for one in known if one.threads and one.meaning]
    if not explain and not retire:
        return None
    told = ((len(explain), "to explain"), (len(retire), "to retire"))
    counts = ", ".join(f"{number} {words}" for number, words in told if number)
    said = ReviewMail(counts, tuple(explain), tuple(retire), tuple(used), ())
    return ReviewMail(counts, said.explain, said.retire, said.used, tuple(_lines(said)))


def _lines(said: ReviewMail) -> list[str]:
    lines = folded("The week ends: tell the others what these labels mean, or let them go.")
    lines += _part("TO EXPLAIN", said.explain) + _part("TO RETIRE (no open thread has them)", said.retire)
    lines += _part("STILL IN USE", said.used)
    how = (
        "To explain one, give it a [[label]] with a meaning in the configuration. To retire one, take it off the mails, and out of the"
        " configuration."
    )
    return [*lines, "", *folded(how, then="")]


def _part(title: str, labels: Sequence[ReviewedLabel]) -> list[str]:
    if not labels:
        return []
    shown = [(cut(one.name, 30), counted(one.threads, "thread") if one.threads else "") for one in labels]
    name, number = (max(len(cell) for cell in column) for column in zip(*shown, strict=True))
    rows = [
        cut_right(f"{MARGIN}{padded(label, name)}  {padded(threads, number)}", one.meaning)
        for one, (label, threads) in zip(labels, shown, strict=True)
    ]
    return ["", title, *rows]


def cut_right(head: str, text: str) -> str:
    """A line whose end is cut."""
    return f"{head}  {cut(text, WIDTH - len(head) - 2)}".rstrip()
