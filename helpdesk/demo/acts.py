"""What people can do in a tale, as data; `people` and `show` do it."""

from dataclasses import dataclass
from typing import Literal

Who = Literal["user", "other user", "shifter", "GGUS", "Gil Gomez", "monitoring"]


@dataclass(frozen=True, slots=True)
class Says:
    """A mail to the list; the first one of a tale begins its thread, the others answer the mail before them."""

    who: Who
    text: str
    machine: bool = False
    subject: str = ""  # "": that of the thread, behind "Re: "


@dataclass(frozen=True, slots=True)
class Tags:
    """A shifter sets keywords on the newest mail in their client, or takes them off all mails; `star` is the star."""

    keywords: tuple[str, ...]
    on: bool = True


@dataclass(frozen=True, slots=True)
class Archives:
    """A shifter moves one mail, the newest, to the archive."""


@dataclass(frozen=True, slots=True)
class Releases:
    """Somebody types `helpdesk release NAME VERSION`."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Plays:
    """A slow scene, with the thread of this tale (`helpdesk.demo.beats`)."""

    beat: int


@dataclass(frozen=True, slots=True)
class Commands:
    """A shifter writes commands to the board; `{id}` is the thread.  What lies in Sent is proven to be the team's."""

    text: str
    in_sent: bool = True


@dataclass(frozen=True, slots=True)
class Confirms:
    """The shifter answers the board's question whether it was he."""


@dataclass(frozen=True, slots=True)
class HandsOver:
    """The shifter answers his digest in words: they open the next one."""

    text: str


@dataclass(frozen=True, slots=True)
class Breaks:
    """Something breaks at a site, or is mended; nobody says so (`helpdesk.demo.grid`)."""

    site: str
    what: Literal["storage", "mended storage", "one answer", "a node"]


Act = Says | Tags | Archives | Releases | Commands | Confirms | HandsOver | Breaks | Plays
