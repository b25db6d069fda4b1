"""A month on a terminal: a grid of seven days where there is room, else a list; a colour for each person."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from helpdesk.shifts.month import Day, Slot, Week
from helpdesk.shifts.names import Team
from helpdesk.shifts.values import Person
from helpdesk.text import ELLIPSIS, safe_text

GRID_COLUMNS = 60
"""Narrower than this a list is drawn."""

GAP = "gap"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_COLOURS = ("cyan", "green", "magenta", "yellow", "bright_cyan", "bright_green", "bright_magenta", "blue")
_WRONG = "bold red"
_HOURS = len("06-14")
_WIDEST = 22  # columns of a day: more only tears them apart


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a cell; the marker stands before it."""

    text: str
    style: str = ""
    marker: str = " "


class Painter:
    """How people are called and coloured; the same person has the same colour in every month."""

    def __init__(self, team: Team) -> None:
        self._names = short_names(team.people)
        self._colours = {one: _COLOURS[number % len(_COLOURS)] for number, one in enumerate(team.people)}

    def lines(self, slot: Slot, *, below: bool = False, dim: bool = False) -> Iterator[Line]:
        """A slot: its hours and who has it, a name a line, beside the hours or below them."""
        marker, emphasis = (">", "bold reverse ") if slot.now else (" ", "dim " if dim else "")
        people = list(self._people(slot, "dim" if dim else _WRONG))
        hours = f"{slot.hours:<{_HOURS}}"
        if below:
            yield Line(slot.hours, emphasis.strip(), marker)
            yield from (Line(name, emphasis + style) for name, style in people)
            return
        for number, (name, style) in enumerate(people):
            before = hours if number == 0 else " " * len(hours)
            yield Line(f"{before} {name}", emphasis + style, marker if number == 0 else " ")

    def _people(self, slot: Slot, wrong: str) -> Iterator[tuple[str, str]]:
        if slot.shift is None:
            yield GAP, wrong
            return
        for person in slot.shift.people:
            yield self._names.get(person, person.name), self._colours.get(person, "")
        for name in slot.shift.unknown:
            yield f"{name}?", wrong


def short_names(people: Sequence[Person]) -> Mapping[Person, str]:
    """The shortest of Ann, Ann A. and Ann Archer that nobody else has."""
    forms = {one: _forms(one.name) for one in people}
    shortest = {}
    for one, mine in forms.items():
        others = {form for other, theirs in forms.items() if other is not one for form in theirs}
        shortest[one] = next((form for form in mine if form not in others), one.name)
    return shortest


def _forms(name: str) -> Sequence[str]:
    words = safe_text(name).split()
    return [words[0], f"{words[0]} {words[-1][0]}.", " ".join(words)] if len(words) > 1 else words


def draw(weeks: Sequence[Week], team: Team, console: Console) -> None:
    """Print a month."""
    painter = Painter(team)
    rule = "─" if console.encoding.lower().startswith("utf") else "-"
    grid = console.width >= GRID_COLUMNS
    for line in _grid(weeks, painter, console.width, rule) if grid else _list(weeks, painter):
        line.rstrip()
        console.print(line, soft_wrap=True)


def _grid(weeks: Sequence[Week], painter: Painter, columns: int, rule: str) -> Iterator[Text]:
    width = min(columns // 7, _WIDEST) - 1  # the marker stands before each cell
    slots = [slot for week in weeks for day in week for slot in day.slots]
    longest = max((cell_len(line.text) for slot in slots for line in painter.lines(slot)), default=0)
    yield _joined([Line(name, "bold") for name in _DAYS], width)
    for week in weeks:
        yield _joined([_title(day, width, rule) for day in week], width)
        cells = [
            [
                line
                for slot in day.slots
                for line in painter.lines(slot, below=longest > width, dim=not day.inside)
            ]
            for day in week
        ]
        for row in zip_longest(*cells, fillvalue=Line("")):
            yield _joined(row, width)


def _title(day: Day, width: int, rule: str) -> Line:
    words = f"{day.date.day} today " if day.today else f"{day.date.day} "
    style = "bold" if day.today else "" if day.inside else "dim"
    return Line(words.rstrip() if len(words) > width else words + rule * (width - len(words)), style)


def _joined(lines: Iterable[Line], width: int) -> Text:
    """One line of a week."""
    whole = Text()
    for line in lines:
        short = cell_len(line.text) <= width
        text = line.text if short else set_cell_size(line.text, width - 1).rstrip() + ELLIPSIS
        whole.append(line.marker)
        whole.append(text, line.style)
        whole.append(" " * (width - cell_len(text)))
    return whole


def _list(weeks: Sequence[Week], painter: Painter) -> Iterator[Text]:
    for day in (day for week in weeks for day in week if day.inside):
        title = f"{_DAYS[day.date.weekday()]} {day.date.day:>2}"
        lines = [line for slot in day.slots for line in painter.lines(slot)] or [Line("")]
        for number, line in enumerate(lines):
            before = title if number == 0 else " " * len(title)
            whole = Text(before, style="bold reverse" if day.today and number == 0 else "")
            yield Text().append(whole).append(f" {line.marker}").append(line.text, line.style)
