"""What a world is made of, frozen.  Times are epoch seconds, `_s` are seconds, shares are 0 to 1."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from helpdesk.robots.protocol import Info

T0 = 1_767_225_600.0  # 2026-01-01T00:00Z
DAY = 86_400.0
HOUR = 3_600.0
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """One site: how often it is tested, how long jobs wait there, and how much user work it does."""

    name: str
    region: str
    se: str
    tier: int
    jobs_per_day: float
    nodes: int
    noise: float  # share of jobs that fail although nothing is wrong
    flaky: Mapping[int, float]  # node → share of jobs that fail there, always
    wait_s: float  # median time in the queue
    wave: float  # how much longer the queue is at the peak of the day: a factor of exp(wave)
    peak: float  # second of the day of the peak
    user_hours: float  # job-hours of users per day


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of test job; `probe` is how much shorter a probe runs."""

    name: str
    run_s: float
    probe: float = 0.3


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that makes jobs fail at some sites for some time.

    kind: hard, half, one_template, black_hole, lost, shared, ramp, flap, rack (the site's own: `own`); central, region,
    template (somebody else's); burst, surge, gap (nobody's).
    """

    kind: str
    start: float
    end: float
    sites: frozenset[str]
    share: float  # of the jobs that it meets, how many fail
    error: tuple[str, str, int] = ("payload", "payload", 0)  # phase, class, native code
    template: str | None = None
    version: str | None = None
    nodes: frozenset[int] | None = None
    draws: float = 0.0  # share of the jobs that its nodes catch (a black hole fails fast and asks for more)
    slow: float = 0.0  # share of failures that need the whole wall time
    ramp_s: float = 0.0
    period_s: float = 0.0  # flapping: half of it bad

    @property
    def own(self) -> bool:
        """Whether users do better elsewhere."""
        return self.kind in OWN

    def strength(self, at: float) -> float:
        """How much of `share` holds at a time within it."""
        if self.period_s and (at - self.start) % self.period_s >= self.period_s / 2:
            return 0.0
        if self.ramp_s:
            return min(1.0, (at - self.start) / self.ramp_s)
        return 1.0

    def hurts(self, templates: int) -> float:
        """Which share of the users' jobs fails, on average over its time."""
        part = 1.0 / templates if self.template is not None else 1.0
        part *= self.draws or 1.0
        part *= 0.5 if self.period_s else 1.0
        if self.ramp_s:
            part *= 1.0 - 0.5 * min(1.0, self.ramp_s / (self.end - self.start))
        return self.share * part


OWN = frozenset(
    {"downtime", "hard", "half", "one_template", "black_hole", "lost", "shared", "ramp", "flap", "rack"}
)


@dataclass(frozen=True, slots=True)
class Downtime:
    """A declared downtime; the trouble behind it may end earlier or later."""

    site: str
    announced: float
    start: float
    end: float
    severity: str = "outage"


@dataclass(frozen=True, slots=True)
class Release:
    """A version of a template that a site has from a time on."""

    template: str
    version: str
    since: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Post:
    """How records are delivered."""

    delay_s: float = 5.0  # mean
    tail: float = 0.0  # share that takes hours
    twice: float = 0.0
    never: float = 0.0  # share of final records that is lost on the way
    lost_after_s: float = 6 * HOUR  # when a vanished job is called lost
    lost_told: float = 0.5  # share of vanished jobs of which a record `lost` comes at all
    retry: float = 0.0  # share of failed jobs that are tried again at the site


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is true, and how much of it is told."""

    name: str
    seed: int
    days: float
    places: tuple[Place, ...]
    templates: tuple[Template, ...]
    troubles: tuple[Trouble, ...]
    downtimes: tuple[Downtime, ...] = ()
    releases: tuple[Release, ...] = ()
    post: Post = field(default_factory=Post)
    t0: float = T0
    tick_s: float = 300.0

    @property
    def end(self) -> float:
        """The last moment."""
        return self.t0 + self.days * DAY

    def info(self) -> Info:
        """What a policy is told before it begins."""
        return {
            "t0": self.t0,
            "tick_s": self.tick_s,
            "sites": [one.name for one in self.places],
            "templates": [one.name for one in self.templates],
            "site": {
                one.name: {
                    "region": one.region,
                    "se": one.se,
                    "tier": one.tier,
                    "expected_jobs_per_day": one.jobs_per_day,
                }
                for one in self.places
            },
        }
