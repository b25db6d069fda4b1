"""The panel of sites on the live board: a line each with the reason, or several sites a line where room is short."""

from collections.abc import Sequence

from rich.text import Text

from helpdesk.demo.marks import Marks
from helpdesk.demo.telling import SiteSight

NAME, STATE, TICKS = 9, 8, 10
TALL = 14
"""Lines that board, log and panel share: with fewer the panel has no reasons."""
COMPACT = NAME + STATE + TICKS + 2
"""Columns of a site without its reason."""


def panel(sites: Sequence[SiteSight], width: int, room: int, marks: Marks) -> list[Text]:
    """All sites, in as many lines as are worth it, or none; `room` lines are left for board, log and panel."""
    if room < TALL:
        lines = _abreast(sites, width, marks)
        return lines if len(lines) <= room // 4 else []
    if not sites:
        return []
    out = sum(one.out for one in sites)
    title = Text(f"SITES {len(sites) - out} in, {out} out", "bold red" if out else "bold cyan")
    if any(one.nats > 0 and not one.out for one in sites):
        title.append("   n/n: evidence against it, and how much puts it out", "dim")
    return [title, *(_with_reason(one, marks) for one in sites)]


def _abreast(sites: Sequence[SiteSight], width: int, marks: Marks) -> list[Text]:
    """Without reasons, as many in a line as fit."""
    abreast = max(1, width // COMPACT)
    rows = [sites[start : start + abreast] for start in range(0, len(sites), abreast)]
    cells = [[_padded(_site(one, marks), width // abreast - 1) for one in row] for row in rows]
    return [Text(" ").join(row) for row in cells]


def _with_reason(site: SiteSight, marks: Marks) -> Text:
    return Text.assemble(_padded(_site(site, marks), COMPACT), " ", (site.why, "red" if site.out else "dim"))


def _site(site: SiteSight, marks: Marks) -> Text:
    name = _padded(Text(site.name, "bold"), NAME)
    line = Text.assemble(name, " ", (f"{_state(site):{STATE}} ", _style(site)))
    for good in site.last[-TICKS:]:
        line.append((marks.kept if good else marks.broken)[0], "green" if good else "red")
    return line


def _state(site: SiteSight) -> str:
    """In, out, or the evidence and how much is enough."""
    return "OUT" if site.out else f"{site.nats:.1f}/{site.enough:g}" if site.nats > 0 else "in"


def _style(site: SiteSight) -> str:
    return "bold red" if site.out else "bold yellow" if site.doubted else "green"


def _padded(line: Text, width: int) -> Text:
    line.truncate(width, overflow="crop", pad=True)
    return line
