"""The weekly mail to a site's contacts: the vocabulary of its templates."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Picture:
    """What says more than words; shown inline, and said in words where it is not."""

    name: str  # of the part: [a-z-]+
    title: str
    says: str  # instead of the picture
    png: bytes


@dataclass(frozen=True, slots=True)
class FixLine:
    """One thing to fix."""

    number: int
    what: str  # stage-in, pilot 1099: 41 of 44 failures, on wn-117..119
    more: tuple[str, ...]  # sentences
    example: str  # Job 88121 (dimuon) on wn-117, Sat 13 Jun 11:02; "" without one
    log: tuple[str, ...]  # the end of its log


@dataclass(frozen=True, slots=True)
class NowLine:
    """Where the site stands in one experiment."""

    experiment: str
    says: str  # in, OUT since Sun 14 Jun 03:10
    out: bool
    note: str = ""  # [1]


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of figures, as they are shown."""

    label: str
    this: str
    last: str
    peers: str


@dataclass(frozen=True, slots=True)
class SiteReportMail:
    """To the contacts of a site: its week on one page, what to fix first."""

    kind: ClassVar[str] = "site_report"

    site: str
    week: str  # week 24
    dates: str
    zone: str  # whose days and times these are
    headline: str  # 1 to fix (stage-in, 3 nodes)
    good: bool  # nothing to fix, and tested
    fixes: tuple[FixLine, ...]
    now: tuple[NowLine, ...]
    head: TableRow  # of the columns
    table: tuple[TableRow, ...]
    hours: tuple[str, ...]  # 5h20 yours
    errors: str
    notes: tuple[str, ...]  # [1] 6 of 7 failed ...
    remarks: tuple[str, ...]  # sentences: what is not counted, what is not known
    commands: tuple[str, ...]  # retest, out until 18 Jun, pause 4 weeks
    lines: tuple[str, ...]  # all of it as text of 72 columns
    pictures: tuple[Picture, ...] = ()
