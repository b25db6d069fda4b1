"""How long to stay away from a server that failed: longer each time, never in step with others, as long as it asks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds that double from `first` to `longest`."""

    first: float = 1.0
    longest: float = 300.0

    def delay(self, failures: int, jitter: float, retry_after: float | None = None) -> float:
        """Tell the seconds to wait after so many failures in a row.

        `jitter` is a random number from 0 to 1: it takes away up to half of the wait, so that many clients of one
        server do not come back together.  What the server asked for (`retry_after`) is never undercut.
        """
        doublings = min(max(failures - 1, 0), 60)
        most = min(self.longest, self.first * float(2**doublings))
        wait = most * (1 - jitter / 2)
        return wait if retry_after is None else max(wait, retry_after + self.first * jitter)
