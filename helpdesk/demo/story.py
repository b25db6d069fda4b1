"""From tales to a story: the same seed gives the same people, places, words and moments."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from helpdesk.demo.acts import Act
from helpdesk.demo.cast import DATASETS, SITES, USERS, Person
from helpdesk.demo.scenes import FAULTS, SCENES
from helpdesk.demo.tale import Tale
from helpdesk.demo.tales import TALES

START = datetime(2009, 6, 8, 6, 0, tzinfo=UTC)
"""A Monday."""
DAYS = 14
END = START + timedelta(days=DAYS)
SEED = 2009

_MIDNIGHT = START.replace(hour=0)
_JITTER_MINUTES = 12


@dataclass
class Thread:
    """A tale with its people and places, and the mails that were written so far."""

    name: str
    subject: str
    user: Person
    other: Person
    site: str
    dataset: str
    mails: list[str] = field(default_factory=list)  # Message-IDs, oldest first

    def told(self, text: str) -> str:
        """A text of the tale with this thread's places in it."""
        return text.format(site=self.site, dataset=self.dataset, user=self.user.first_name)


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happens at a time."""

    at: datetime
    thread: Thread
    act: Act


def story(seed: int) -> Sequence[Moment]:
    """All moments of the two weeks, in order."""
    chance = random.Random(seed)  # noqa: S311 -- a story, no secret
    moments = [moment for tale in TALES for moment in _moments(tale, chance)]
    return sorted(moments, key=lambda moment: moment.at)


def _moments(tale: Tale, chance: random.Random) -> list[Moment]:
    user, other = chance.sample(USERS, 2)
    site, dataset = chance.choice(SITES), chance.choice(DATASETS)
    shift = 0 if tale in (*SCENES, *FAULTS) else chance.uniform(-_JITTER_MINUTES, _JITTER_MINUTES)
    start = _MIDNIGHT + timedelta(days=tale.day - 1, hours=tale.hour, minutes=round(shift))
    user = next((one for one in USERS if one.name == tale.user), user)
    thread = Thread(tale.name, tale.subject, user, other, site, dataset)
    thread.subject = thread.told(tale.subject)
    return [Moment(start + timedelta(hours=hours), thread, act) for hours, act in tale.steps]
