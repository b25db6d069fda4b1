"""A site's week as pictures, where they say more than words: jobs by day, failures by phase and time, the site among its peers.

The one door to matplotlib, which is optional (`helpdesk[reports]`): without it there are no pictures, and the words say it all.  Colours
are Okabe and Ito's, told apart by all eyes, and by place too; every picture has words that stand in its place.
"""

import io
import warnings
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from helpdesk.digest.columns import cut
from helpdesk.reports.causes import way_of
from helpdesk.reports.counting import ENOUGH, end_of
from helpdesk.reports.mail import Picture
from helpdesk.reports.rates import middle, percent, wilson
from helpdesk.reports.week import Day, SiteWeek
from helpdesk.shifts.wording import counted, listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH: Final = 568
"""Pixels of a picture in a page of 600 that has a margin; twice as many are drawn, for screens that have them."""

GOOD, FAILED, ASIDE, INK, GRID = "#0072B2", "#D55E00", "#B3B9C2", "#1c1e21", "#d9dce1"
PAPER = "#ffffff"
_DPI = 200
_COLOURS = 48
_BLOCK = timedelta(hours=4)
_FEW_FAILURES = 5
_LONGEST_NAME = 18
_STYLE: Final[Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 11.5,
    "axes.edgecolor": GRID,
    "text.color": INK,
    "text.parse_math": False,  # names are no formulas
}


def available() -> bool:
    """Whether pictures can be drawn here."""
    return find_spec("matplotlib") is not None


def pictures(week: SiteWeek) -> tuple[Picture, ...]:
    """What is drawn of a week: nothing of a green or an unseen one, where words are enough, and nothing where matplotlib cannot work."""
    if week.is_green or week.untested or not available():
        return ()
    try:
        import matplotlib as mpl  # noqa: PLC0415 -- optional, and seconds to load

        with mpl.rc_context(_STYLE), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph ")  # a box stands for what the font lacks
            return tuple(_drawn(week))
    except (
        ImportError,
        OSError,
    ):  # half installed, or nowhere to keep its fonts: no reason to send no report
        return ()


def _drawn(week: SiteWeek) -> Iterator[Picture]:
    if week.ended >= ENOUGH:
        yield Picture("days", "Jobs by day, last week and this", _days_in_words(week), _by_day(week))
    if len(week.failures) >= _FEW_FAILURES:
        yield Picture("failures", "When failures came, by phase", _phases_in_words(week), _by_phase(week))
    if any(row.peer_share is not None and row.this.ended >= ENOUGH for row in week.rows):
        yield Picture("peers", "Success among the peers", _peers_in_words(week), _among_peers(week))


# -- jobs by day


def _by_day(week: SiteWeek) -> bytes:
    figure, axes = _figure(190)
    places = range(len(week.days))
    floor = [0] * len(week.days)
    for name, colour, numbers in (
        ("good", GOOD, [one.count.good for one in week.days]),
        ("failed", FAILED, [one.count.bad for one in week.days]),
        ("not counted", ASIDE, [_aside(one) for one in week.days]),
    ):
        if any(numbers):
            axes.bar(places, numbers, 0.72, bottom=floor, color=colour, label=name)
        floor = [a + b for a, b in zip(floor, numbers, strict=True)]
    axes.axvline(6.5, color=INK, linewidth=0.8, linestyle=":")
    zone = ZoneInfo(week.week.zone)
    axes.set_xticks(list(places), [f"{one.start.astimezone(zone):%a}"[:2] for one in week.days])
    axes.set_ylabel("jobs")
    axes.set_xlim(-0.6, 13.6)
    _legend(axes)
    return _png(figure)


def _aside(one: Day) -> int:
    return one.count.central + one.count.down + one.count.others + one.count.cancelled


def _days_in_words(week: SiteWeek) -> str:
    zone = ZoneInfo(week.week.zone)
    told = [
        f"{one.start.astimezone(zone):%a} {one.count.good} good, {one.count.bad} failed"
        for one in week.days[7:]
    ]
    return f"This week by day: {'; '.join(told)}."


# -- failures by phase and time


def _phases(week: SiteWeek) -> list[str]:
    return [name for name, _ in Counter(way_of(one)[0] for one in week.failures).most_common()]


def _by_phase(week: SiteWeek) -> bytes:
    from matplotlib.colors import PowerNorm  # noqa: PLC0415 -- as above

    phases = _phases(week)
    start, end = week.week.start, week.week.end
    blocks = -(-(end - start) // _BLOCK)
    cells = [[0] * blocks for _ in phases]
    for one in week.failures:
        at = end_of(one)
        if at is not None:
            cells[phases.index(way_of(one)[0])][(at - start) // _BLOCK] += 1
    figure, axes = _figure(58 + 26 * len(phases))
    most = max(map(max, cells))
    shown = [[one or float("nan") for one in row] for row in cells]  # nothing is no colour
    scale = PowerNorm(0.5, vmin=0, vmax=most)  # one failure is seen beside forty
    mesh = axes.pcolormesh(shown, cmap="Oranges", norm=scale, edgecolors=PAPER, linewidth=0.6)
    axes.invert_yaxis()
    axes.set_yticks([place + 0.5 for place in range(len(phases))], phases)
    midnights = [(one - start) / _BLOCK for one in week.week.days]
    zone = ZoneInfo(week.week.zone)
    names = [f"{one.astimezone(zone):%a}" for one in week.week.days[:7]]
    axes.set_xticks([(a + b) / 2 for a, b in pairwise(midnights)], names)
    for midnight in midnights[1:-1]:
        axes.axvline(midnight, color=GRID, linewidth=0.8)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    bar = figure.colorbar(mesh, ax=axes, fraction=0.03, pad=0.015, ticks=[1, most] if most > 1 else [1])
    bar.outline.set_visible(False)
    return _png(figure)


def _phases_in_words(week: SiteWeek) -> str:
    numbers = Counter(way_of(one)[0] for one in week.failures)
    told = [f"{number} in {name}" for name, number in numbers.most_common()]
    return f"{counted(len(week.failures), 'failure')} of the week: {listed(told)}."


# -- among the peers


def _among_peers(week: SiteWeek) -> bytes:
    rows = [row for row in week.rows if row.peer_share is not None and row.this.ended >= ENOUGH]
    figure, axes = _figure(92 + 34 * len(rows))
    for place, row in enumerate(rows):
        first = place == 0
        axes.scatter(
            [100 * one for one in row.peers],
            [place] * len(row.peers),
            s=26,
            color=ASIDE,
            label=_once("peers", first),
        )
        axes.plot(
            [100 * (row.peer_share or 0)] * 2,
            [place - 0.3, place + 0.3],
            color=INK,
            label=_once("their median", first),
        )
        if row.last.ended >= ENOUGH:
            axes.scatter(
                [100 * row.last.share], [place], s=54, facecolors="none", edgecolors=GOOD, linewidths=1.6,
                label=_once("last week", first), zorder=3,
            )  # fmt: skip
        low, high = wilson(row.this.good, row.this.ended)
        axes.plot([100 * low, 100 * high], [place, place], color=GOOD, linewidth=2.4, zorder=3)
        axes.scatter(
            [100 * row.this.share],
            [place],
            s=62,
            marker="D",
            color=GOOD,
            label=_once("this week", first),
            zorder=4,
        )
    axes.set_yticks(range(len(rows)), [cut(row.experiment, _LONGEST_NAME) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(right=100.6)
    axes.xaxis.set_major_formatter("{x:g} %")
    axes.grid(visible=True, axis="x", color=GRID, linewidth=0.6)
    axes.grid(visible=False, axis="y")
    _legend(axes)
    return _png(figure)


def _once(name: str, first: bool) -> str:
    return name if first else f"_{name}"


def _peers_in_words(week: SiteWeek) -> str:
    told = [
        f"{row.experiment} {percent(row.this.good, row.this.ended)}, the median of {len(row.peers)} peers"
        f" {middle(row.peer_share)}"
        for row in week.rows
        if row.peer_share is not None and row.this.ended >= ENOUGH
    ]
    return f"Success this week: {'; '.join(told)}."


# -- what all of them share


def _figure(height: int) -> tuple["Figure", "Axes"]:
    """An empty picture of so many pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 -- as above
    from matplotlib.figure import Figure  # noqa: PLC0415 -- as above

    figure = Figure(figsize=(WIDTH / 100, height / 100), dpi=_DPI, facecolor=PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_axisbelow(True)
    axes.grid(visible=True, axis="y", color=GRID, linewidth=0.6)
    axes.tick_params(length=0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _legend(axes: "Axes") -> None:
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, frameon=False, handlelength=1.0, columnspacing=1.2,
        borderaxespad=0.2,
    )  # fmt: skip


def _png(figure: "Figure") -> bytes:
    """The picture, in few colours: what goes by mail must be small."""
    from PIL import Image  # noqa: PLC0415 -- comes with matplotlib

    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    image: Any = Image.open(drawn).convert("RGB").quantize(_COLOURS)
    image.save(small, format="png", optimize=True)
    return small.getvalue()
