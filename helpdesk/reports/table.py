"""The text of the weekly mail: lines of 72 columns, laid out as people read them; a green week is four of them."""

from collections.abc import Iterator
from dataclasses import replace

from rich.cells import cell_len

from helpdesk.digest.columns import cut, folded, padded
from helpdesk.reports.mail import FixLine, SiteReportMail, TableRow

INDENT = "       "
LOG = "    | "
LABEL, THIS, LAST, PEERS = 26, 20, 10, 16


def text(mail: SiteReportMail) -> SiteReportMail:
    """The mail with its lines."""
    return replace(mail, lines=tuple(_green(mail) if mail.good else _lines(mail)))


def _green(mail: SiteReportMail) -> Iterator[str]:
    """Nothing to fix, in, how good, whom to tell."""
    yield from folded(f"{mail.site}, {mail.dates}: {mail.headline}.", "", "  ")
    yield from folded(_now(mail), "NOW    ", INDENT)
    yield from folded(green_week(mail), "WEEK   ", INDENT)
    yield f"WRONG? Reply. Or helpdesk: {' | '.join(mail.commands)}"
    yield from _behind(mail)


def green_week(mail: SiteReportMail) -> str:
    """Success 99.4 % (98-100), last 99.1 %, 14 peers 98.6 %; jobs ..."""
    return "; ".join(
        f"{row.label} {row.this}"
        + ("" if row.last in {"", "-"} else f", last {row.last}")
        + ("" if row.peers in {"", "-"} else f", {mail.head.peers} {row.peers}")
        for row in mail.table
        if row.label.startswith("success")
    )


def wrong(mail: SiteReportMail) -> str:
    """WRONG? Reply: a human reads it."""
    return f"WRONG? Reply: a human reads it. Or helpdesk: {' | '.join(mail.commands)}"


def _lines(mail: SiteReportMail) -> Iterator[str]:
    yield from folded(f"{mail.site}, {mail.dates}, times of {mail.zone}", "", "  ")
    yield ""
    if mail.fixes:
        yield "TO FIX"
        for one in mail.fixes:
            yield from _fix(one)
    if mail.now:
        yield from folded(_now(mail), "NOW    ", INDENT)
    if mail.table:
        yield _row(replace(mail.head, label="WEEK"))
        yield from (f" {_row(row, LABEL - 1)}" for row in mail.table)
    for place, hours in enumerate(mail.hours):
        yield from folded(hours, padded(" hours out" if place == 0 else "", LABEL), " " * LABEL)
    if mail.errors:
        yield from folded(mail.errors, "ERRORS ", INDENT)
    for note in mail.notes:
        yield from folded(note, "", "    ")
    yield from _behind(mail)
    yield from folded(wrong(mail), "", INDENT)


def _behind(mail: SiteReportMail) -> Iterator[str]:
    for one in mail.remarks:
        yield from folded(one, "", "  ")


def _now(mail: SiteReportMail) -> str:
    return ", ".join(f"{one.experiment} {one.says}{f' {one.note}' if one.note else ''}" for one in mail.now)


def _row(row: TableRow, label: int = LABEL) -> str:
    cells = ((row.label, label), (row.this, THIS), (row.last, LAST))
    head = "".join(padded(cut(cell, width - 1), width) for cell, width in cells)
    return (head + cut(row.peers, PEERS)).rstrip()


def _fix(one: FixLine) -> Iterator[str]:
    yield from folded(f"{one.what}.", f" {one.number} ", "   ")
    for sentence in one.more:
        yield from folded(sentence, "   ", "   ")
    if one.example:
        yield from folded(f"{one.example}{':' if one.log else ', which left no log.'}", "   ", "   ")
    for line in one.log:
        yield LOG + cut(line, 72 - cell_len(LOG))
    yield ""
