"""The clock of the demo: the story moves it, as `--now` does, and later the visitor's time."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass
class Clock:
    """It stands still until somebody moves it, and never goes back."""

    now: datetime

    def reach(self, moment: datetime) -> None:
        """Let time go by until `moment`, if that is still to come."""
        self.now = max(self.now, moment)

    def advance(self, **duration: float) -> None:
        """Let time go by."""
        self.now += timedelta(**duration)
