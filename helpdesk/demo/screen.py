"""The live board in a terminal: a picture of as many lines as the window has, drawn anew when something changed.

`picture` is a function of what is shown and the size of the window; only `Screen` knows a terminal.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from helpdesk.demo.marks import ASCII, Marks
from helpdesk.demo.panel import panel
from helpdesk.demo.story import DAYS
from helpdesk.demo.telling import BeatSight, Column, Line, Row, Sight, SiteSight, Voice, day

NARROWEST, LOWEST = 40, 16
SHOWN = (Column.ATTENTION, Column.WAITING, Column.ESCALATED, Column.CLOSED)
ABREAST = ((80, 4), (48, 2))
"""From how many columns on how many lists stand side by side: all, or half of them, so that no row of them is half empty."""

SCENE_LINES = 6
_ANY_CONSOLE = Console()  # wrapping asks it for nothing that is special to a terminal

_STYLES = {
    Voice.PERSON: "dim",
    Voice.BOARD: "bold",
    Voice.ROBOT: "blue",
    Voice.CAPTION: "italic yellow",
    Voice.KEPT: "bold green",
    Voice.BROKEN: "bold red",
    Voice.NOTE: "cyan",
}
_COLOURS = {
    Column.ATTENTION: "bold red",
    Column.WAITING: "bold yellow",
    Column.ESCALATED: "bold magenta",
    Column.CLOSED: "bold green",
}


@dataclass
class Shown:
    """Everything that a picture is made of."""

    sight: Sight | None = None
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=100))
    fresh: frozenset[str] = frozenset()  # threads that have just changed their column
    sites: Sequence[SiteSight] = ()
    beats: Sequence[BeatSight] = ()
    playing: int | None = None
    scene: list[Line] = field(default_factory=list)
    turn: Sequence[str] = ()


def picture(shown: Shown, width: int, height: int, marks: Marks) -> Sequence[Text]:
    """Exactly `height` lines of at most `width` cells."""
    width, height = max(width, NARROWEST), max(height, LOWEST)
    if shown.sight is None:
        return _filled([], height, width)
    head = _head(shown.sight, width, marks)
    foot = _foot(shown, width, marks)
    abreast = next((count for least, count in ABREAST if width >= least), 1)
    left = height - len(head) - len(foot) - 1
    sites = panel(shown.sites, width, left, marks)
    left -= len(sites)
    floors = -(-len(SHOWN) // abreast)
    depth = max(2, min(12, left * 5 // 10 // floors))
    board = _board(shown, width, abreast, depth)
    log = _log(shown.lines, width, max(0, left - len(board)))
    return _filled([*head, *board, *sites, Text(), *log, *foot], height, width)


def _filled(lines: Iterable[Text], height: int, width: int) -> list[Text]:
    cut = [*lines][:height]
    for line in cut:
        line.truncate(width, overflow="ellipsis")
    return cut + [Text()] * (height - len(cut))


def _head(sight: Sight, width: int, marks: Marks) -> list[Text]:
    passed = min(DAYS, int(sight.share * DAYS) + 1)
    when = f"{day(sight.now)} {sight.now:%Y %H:%M} UTC  day {passed} of {DAYS}"
    title = Text.assemble(("helpdesk demo", "bold reverse"), "  ", (when, "bold"), "  ")
    room = max(0, width - title.cell_len - 1)
    done = round(room * min(sight.share, 1.0))
    title.append(marks.bar * done, "green")
    title.append(marks.rest * (room - done), "dim")
    parked = sight.count(Column.PARKED)
    counts = f"{sight.mails} mails in the mailbox, {sight.sent} sent by the board; threads labelled for later: {parked}"
    return [title, Text(counts, "dim")]


def _board(shown: Shown, width: int, abreast: int, depth: int) -> list[Text]:
    """The columns, as many side by side as fit."""
    lines: list[Text] = []
    each = width // abreast
    for start in range(0, len(SHOWN), abreast):
        blocks = [_column(shown, column, each - 1, depth) for column in SHOWN[start : start + abreast]]
        lines += [Text(" ").join(parts) for parts in zip(*blocks, strict=True)]
    return lines


def _column(shown: Shown, column: Column, width: int, depth: int) -> list[Text]:
    assert shown.sight is not None  # else there is no board to show
    found = [row for row in shown.sight.rows if row.column is column]
    title = Text(f"{column.value.upper()} {len(found)}", _COLOURS[column])
    lines = [title, *(_row(row, fresh=row.id in shown.fresh) for row in found[: depth - 1])]
    lines += [Text()] * (depth - len(lines))  # a board that grows and shrinks cannot be read
    for line in lines:
        line.truncate(width, overflow="ellipsis", pad=True)
    return lines


def _row(row: Row, *, fresh: bool) -> Text:
    style = "bold red" if row.urgent else "bold" if fresh else ""
    return Text.assemble((row.short, "cyan reverse" if fresh else "cyan"), " ", (row.subject, style))


def _log(lines: Iterable[Line], width: int, height: int) -> list[Text]:
    """The newest lines, each as long as it needs to be."""
    shown: list[Text] = []
    for line in reversed([*lines]):
        wrapped = _wrapped(_logged(line), width)[: 2 if width >= 80 else 3]
        if len(shown) + len(wrapped) > height:
            break
        shown[:0] = wrapped
    return shown + [Text()] * (height - len(shown))


def _logged(line: Line) -> Text:
    text = Text.assemble((f"{line.at:%a %H:%M} ", "dim"), (line.text, _STYLES[line.voice]))
    if line.voice is Voice.BOARD:  # which thread, what (why)
        start = text.plain.index(" ", len("Mon 06:00 "))
        text.stylize("cyan", len("Mon 06:00 "), start)
        why = text.plain.find(" (", start)
        text.stylize("not bold italic", why if why > 0 else len(text))
    return text


def _foot(shown: Shown, width: int, marks: Marks) -> list[Text]:
    """The visitor's turn, the scene that is played, or how the scenes stand."""
    rule = Text(marks.rest * width, "dim")
    if shown.turn:
        coming = shown.sight.coming if shown.sight else ""
        styled = [Text(line, "bold" if line.startswith(" ") else "yellow") for line in shown.turn]
        text = [part for line in styled for part in _wrapped(line, width)]
        return [rule, *text, Text(coming, "dim")]
    if shown.playing is not None:
        name = f"Scene {shown.playing + 1} of {len(shown.beats)}: {shown.beats[shown.playing].title}"
        title = _wrapped(Text(name, "bold yellow"), width)
        told = [part for line in shown.scene for part in _wrapped(_told(line, marks), width)]
        return [rule, *title, *_filled(told[-SCENE_LINES:], SCENE_LINES, width)]
    return [rule, *(_beat(number, beat, marks) for number, beat in enumerate(shown.beats, 1))]


def _told(line: Line, marks: Marks) -> Text:
    mark = {Voice.KEPT: f"{marks.kept} ", Voice.BROKEN: f"{marks.broken} "}.get(line.voice, "")
    return Text(mark + line.text, _STYLES[line.voice])


def _beat(number: int, beat: BeatSight, marks: Marks) -> Text:
    mark, style = {
        None: (marks.dot, "dim"),
        True: (marks.kept, "green"),
        False: (marks.broken, "bold red"),
    }[beat.kept]
    return Text(f"{mark} {number} {beat.title}", style)


def _wrapped(text: Text, width: int) -> list[Text]:
    return [*text.wrap(_ANY_CONSOLE, width)]


class Screen:
    """A terminal, for as long as a `with` lasts; what was there before comes back afterwards."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._marks = Marks() if console.encoding.lower().startswith("utf") else ASCII
        self._shown = Shown()
        self._drawn: tuple[tuple[int, int], Sequence[Text]] = (0, 0), ()
        self._live = Live(console=console, screen=True, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)

    def line(self, line: Line) -> None:
        """Put it into the log, or into the scene."""
        in_scene = line.voice in {Voice.CAPTION, Voice.KEPT, Voice.BROKEN}
        if in_scene and self._shown.playing is not None:
            self._shown.scene.append(line)
        else:
            self._shown.lines.append(line)
        self._draw()

    def board(self, look: Callable[[], Sight]) -> None:
        """Show the board as it is now."""
        before, after = self._shown.sight, look()
        if before is not None:
            stood = {row.id: row.column for row in before.rows}
            moved = frozenset(row.id for row in after.rows if stood.get(row.id) is not row.column)
            self._shown.fresh = moved or self._shown.fresh
        self._shown.sight = after
        self._draw()

    def sites(self, sites: Sequence[SiteSight]) -> None:
        """Show how the sites stand."""
        self._shown.sites = sites
        self._draw()

    def beats(self, beats: Sequence[BeatSight], playing: int | None) -> None:
        """Show how the scenes stand."""
        self._shown.beats, self._shown.playing = beats, playing
        self._shown.scene = []
        self._draw()

    def turn(self, text: Sequence[str]) -> None:
        """Show how to connect."""
        self._shown.turn = text
        self._draw()

    def refresh(self) -> None:
        """Draw again if the window has another size now."""
        if self._size != self._drawn[0]:
            self._draw()

    @property
    def _size(self) -> tuple[int, int]:
        return self._console.size.width, self._console.size.height

    def _draw(self) -> None:
        """Touch the terminal only if the picture is another one: what somebody selects with the mouse stays."""
        size = self._size
        lines = picture(self._shown, *size, self._marks)
        if (size, lines) != self._drawn:
            self._drawn = size, lines
            self._live.update(Text("\n", no_wrap=True, overflow="crop").join(lines), refresh=True)
