"""What a slow scene can do, and what it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from helpdesk.demo.acts import Act
from helpdesk.demo.client import Client
from helpdesk.demo.stage import Stage
from helpdesk.demo.story import Thread


class Scene(Protocol):
    """What a scene can do; `helpdesk.demo.show` plays it."""

    stage: Stage
    client: Client
    thread: Thread

    def caption(self, text: str) -> None:
        """The narrator speaks, and gives time to read."""

    def does(self, act: Act) -> None:
        """Somebody acts, and the board runs."""

    def runs(self) -> None:
        """The board runs."""

    def later(self, **duration: float) -> None:
        """Time goes by; the board runs whenever it has to."""

    def tests(self, seen: Callable[[], bool], *, hours: float) -> bool:
        """The robots go on until something is so, or for some hours; whether it is so now."""

    def check(self, claim: str, *, true: bool) -> None:
        """A claim about what was seen."""


@dataclass(frozen=True, slots=True)
class Beat:
    """A scene and the promise that it shows."""

    title: str
    play: Callable[[Scene], None]
