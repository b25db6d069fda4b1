"""What a slow scene can do, and what it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from helpdesk.demo.acts import Act
from helpdesk.demo.client import Client, Lying
from helpdesk.demo.stage import Stage
from helpdesk.demo.story import Thread


class Scene(Protocol):
    """What a scene can do; `helpdesk.demo.show` plays it."""

    stage: Stage
    client: Client
    thread: Thread

    def caption(self, text: str) -> None:
        """The narrator speaks; what comes next in the scene gives time to read."""

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


def mails_of(scene: Scene) -> tuple[list[Lying], int]:
    """The mails of the scene's thread that the server has, the board's own too, and how many there should be."""
    there = scene.client.look()
    listed = [mail["message_id"] for mail in scene.stage.thread_of(scene.thread.mails[0])["messages"]]
    return [there[one] for one in listed if one in there], len(listed)


def labelled(scene: Scene, keyword: str, *, wanted: bool) -> None:
    """Check that all mails of the scene's thread carry a keyword on the server, or none."""
    mails, total = mails_of(scene)
    carry = sum(keyword in lying.labels for lying in mails)
    true = len(mails) == total and carry == (total if wanted else 0)
    scene.check(f"{carry} of {total} mails carry `{keyword}`", true=true)
