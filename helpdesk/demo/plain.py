"""Without a terminal: one line for each thing that happens."""

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.text import Text

from helpdesk.demo.telling import BeatSight, Line, Sight, SiteSight, Voice, day

_WHO = {
    Voice.PERSON: "people",
    Voice.BOARD: "board",
    Voice.ROBOT: "robots",
    Voice.CAPTION: "scene",
    Voice.KEPT: "true",
    Voice.BROKEN: "WRONG",
    Voice.NOTE: "demo",
}


class Plain:
    """Lines on a stream; who reads them later needs no colours."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def line(self, line: Line) -> None:
        """Print it."""
        when = f"{day(line.at)} {line.at:%H:%M}"
        self._say(f"{when:>16}  {_WHO[line.voice]:6}  {line.text}")

    def board(self, look: Callable[[], Sight]) -> None:
        """The lines say it."""

    def sites(self, sites: Sequence[SiteSight]) -> None:
        """The lines say it."""

    def beats(self, beats: Sequence[BeatSight], playing: int | None) -> None:
        """Name the scene that begins."""
        if playing is not None:
            self._say(f"\n-- Scene {playing + 1} of {len(beats)}: {beats[playing].title} --")

    def turn(self, text: Sequence[str]) -> None:
        """Print how to connect."""
        self._say("\n" + "\n".join(text))

    def refresh(self) -> None:
        """Nothing moves."""

    def _say(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)
        self._console.file.flush()
