"""The two weeks: people act when the story says so, and the board runs whenever a daemon would have looked."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from helpdesk.demo.acts import (
    Act,
    Archives,
    Breaks,
    Commands,
    Confirms,
    HandsOver,
    Plays,
    Releases,
    Says,
    Tags,
)
from helpdesk.demo.beats import BEATS
from helpdesk.demo.client import Client
from helpdesk.demo.people import People
from helpdesk.demo.robots import CLOSE
from helpdesk.demo.servers import HOST
from helpdesk.demo.shifts import on_shift
from helpdesk.demo.stage import Stage
from helpdesk.demo.stop import Stop
from helpdesk.demo.story import END, START, Moment, Thread, story
from helpdesk.demo.telling import BeatSight, Display, Line, Sight, Voice, actions, coming, rows
from helpdesk.report import Report

TOGETHER = timedelta(minutes=30)
"""What happens within so short a time is seen by one run; a thread's own steps are further apart."""

LONGEST = timedelta(days=1)
"""Between two runs: a daemon would have polled a thousand times, and would have seen nothing."""

FORWARD_SECONDS = 18.0
"""How long the two weeks last at pace 1, the scenes not counted."""

READ_SECONDS = 2.0
CHECK_SECONDS = 0.6
"""How long a caption, and a claim that was checked, stand at pace 1."""

LOOK, PATIENCE = 0.02, 60.0
"""Seconds between two looks at jobs, and after which the robots go on without one: it is overdue, as elsewhere."""


@dataclass(frozen=True, slots=True)
class Tempo:
    """How fast it goes: at `pace` 0 nothing waits."""

    pace: float
    stop: Stop


class Show:
    """Everything that goes on between the servers and the display."""

    def __init__(self, stage: Stage, people: People, display: Display, tempo: Tempo) -> None:
        self.stage = stage
        self.people = people
        self.display = display
        self.beats: list[BeatSight] = [BeatSight(beat.title) for beat in BEATS]
        self._tempo = tempo
        self._last = Report(START)
        self._slow = 0.0  # seconds that the scenes took
        self._read_at = 0.0  # when the last line of a scene has been read
        self._began = time.monotonic()

    @property
    def client(self) -> Client:
        """The mail client that people share."""
        return self.people.client

    def two_weeks(self, seed: int) -> None:
        """Play the story from its first day to its last."""
        moments = story(seed)
        self.display.beats(self.beats, None)
        servers = self.stage.servers
        self.say(
            Voice.NOTE,
            f"IMAP {HOST}, port {servers.imap_port}; SMTP {HOST}, port {servers.smtp_port}; two weeks begin",
        )
        self.runs()
        done = 0
        for group in _together(moments):
            self.until(group[0].at)
            for moment in group:
                self.stage.clock.reach(moment.at)
                self.perform(moment)
            self.runs()
            done += len(group)
            self._pace(done / len(moments))
        self.until(END)

    def until(self, moment: datetime) -> None:
        """Run whenever the board has something to do by itself, and never later than `LONGEST` after the last run."""
        clock = self.stage.clock
        while True:
            board = min(self.stage.next_due(), self._last.now + LONGEST)
            first = min(board, self.stage.robots.due)
            if first >= moment:
                break
            clock.reach(first)
            if self.stage.robots.due <= clock.now:
                self.tests()
            if board <= clock.now:
                self.runs()
        clock.reach(moment)

    def perform(self, moment: Moment) -> None:
        """Let somebody do something."""
        self._tempo.stop.check()
        moment = replace(moment, at=max(moment.at, self.stage.clock.now))
        thread = moment.thread
        match moment.act:
            case Says() as says:
                self._says(moment, says)
            case Tags() as tags:
                who = self.people.tags(moment, tags)
                verb = "sets" if tags.on else "removes"
                self.say(Voice.PERSON, f"{who.name} {verb} {', '.join(tags.keywords)} on: {thread.subject}")
            case Archives():
                who = self.people.archives(moment)
                self.say(Voice.PERSON, f"{who.name} archives one mail of: {thread.subject}")
            case Releases(name, version):
                self.stage.release(name, version)
                self.say(Voice.PERSON, f"somebody types: helpdesk release {name} {version}")
            case Commands() as commands:
                self._commands(moment, commands)
            case Confirms():
                who = self.people.confirms(moment, self.stage.letters())
                self.say(Voice.PERSON, f"{who.name} confirms that it was he: {thread.subject}")
            case HandsOver(words):
                text = thread.told(words)
                who = self.people.hands_over(moment, text, self.stage.digest_of(on_shift(moment.at)))
                self.say(Voice.PERSON, f"{who.name} answers the digest: {text.splitlines()[0]}")
            case Breaks(site, what):
                self.breaks(site, what)
            case Plays(beat):
                self._play(beat - 1, thread)

    def tests(self) -> None:
        """One step of the robots, when the jobs that they sent have ended."""
        self._await_jobs()
        for sentence in self.stage.robots.step():
            self.say(Voice.ROBOT, sentence)
        self.display.sites(self.stage.robots.sights())

    def breaks(self, site: str, what: str) -> None:
        """Something breaks at a site; jobs that were sent before have ended."""
        self._await_jobs()
        does = {
            "storage": self.stage.grid.lose_storage,
            "mended storage": self.stage.grid.mend_storage,
            "one answer": self.stage.grid.rot,
            "a node": self.stage.grid.break_node,
        }
        does[what](site)

    def _await_jobs(self) -> None:
        end = time.monotonic() + PATIENCE
        while not self.stage.robots.arrived() and time.monotonic() < end:
            self._tempo.stop.wait(LOOK, self.display.refresh)

    def runs(self) -> Report:
        """One run of the board, and what it did."""
        self._tempo.stop.check()
        report = self.stage.run()
        for sentence in actions(report.actions, self.stage.short):
            self.say(Voice.BOARD, sentence)
        for hold in report.held:
            if hold not in self._last.held:
                self.say(Voice.NOTE, f"held: {hold.what}: {hold.why}")
        self._last = report
        self.display.board(self.sight)
        return report

    def say(self, voice: Voice, text: str) -> None:
        """One line on the display."""
        self.display.line(Line(self.stage.clock.now, voice, text))

    def sight(self) -> Sight:
        """The board as it is now."""
        stage = self.stage
        now = stage.clock.now
        return Sight(
            now=now,
            share=min(1.0, (now - START) / (END - START)),
            rows=rows(stage.threads()),
            mails=stage.totals.mails,
            sent=stage.mails_sent(),
            coming=coming(self._last.pending, stage.short),
        )

    def tell(self, voice: Voice, text: str, seconds: float) -> None:
        """A line of a scene, which takes `seconds` to read at pace 1; what goes on meanwhile is not waited for twice."""
        self.read()
        self.say(voice, text)
        self._read_at = time.monotonic() + seconds * self._tempo.pace

    def read(self) -> None:
        """Give people time for the last line of a scene."""
        self._tempo.stop.wait(self._read_at - time.monotonic(), self.display.refresh)

    def _says(self, moment: Moment, says: Says) -> None:
        thread = moment.thread
        first = not thread.mails
        author = self.people.says(moment, says, self.stage.letters())
        words = thread.subject if first else thread.told(says.text).splitlines()[0]
        name = f"{author.name}'s machine" if says.machine and says.who == "user" else author.name
        verb = "writes" if says.machine else "asks" if first else "answers"
        self.say(Voice.PERSON, f"{name} {verb}: {words}")

    def _commands(self, moment: Moment, commands: Commands) -> None:
        short = self.stage.thread_of(moment.thread.mails[0])["short"]
        who = self.people.commands(moment, commands, short)
        for line in commands.text.format(id=short).splitlines():
            self.say(Voice.PERSON, f"{who.name} writes to the board: {line}")

    def _pace(self, share: float) -> None:
        """Wait until it is time for what comes next; a slow machine waits less."""
        due = self._began + self._slow + share * FORWARD_SECONDS * self._tempo.pace
        self._tempo.stop.wait(due - time.monotonic(), self.display.refresh)

    def _play(self, beat: int, thread: Thread) -> None:
        """A slow scene."""
        began = time.monotonic()
        self.display.beats(self.beats, beat)
        self.display.board(self.sight)
        scene = _Played(self, thread)
        BEATS[beat].play(scene)
        self.beats[beat] = replace(self.beats[beat], kept=scene.kept)
        self.read()
        self._tempo.stop.wait(READ_SECONDS * self._tempo.pace, self.display.refresh)
        self.display.beats(self.beats, None)
        self._slow += time.monotonic() - began


class _Played:
    """A scene as it is played (`helpdesk.demo.scene.Scene`)."""

    def __init__(self, show: Show, thread: Thread) -> None:
        self.stage = show.stage
        self.client = show.client
        self.thread = thread
        self.kept = True
        self._show = show

    def caption(self, text: str) -> None:
        """Say it."""
        self._show.tell(Voice.CAPTION, text, READ_SECONDS)

    def does(self, act: Act) -> None:
        """Let somebody act, then the board."""
        self.stage.clock.advance(minutes=1)
        self._show.perform(Moment(self.stage.clock.now, self.thread, act))
        self._show.runs()

    def runs(self) -> None:
        """Let the board run."""
        self._show.runs()

    def later(self, **duration: float) -> None:
        """Let time go by."""
        self._show.until(self.stage.clock.now + timedelta(**duration))
        self._show.runs()

    def tests(self, seen: Callable[[], bool], *, hours: float) -> bool:
        """Let the robots go on, and the board when it has something to do."""
        clock = self.stage.clock
        end = clock.now + timedelta(hours=hours)
        while not (found := seen()) and clock.now < end:
            self._show.until(clock.now + CLOSE)
            self._show.display.board(self._show.sight)
        return found

    def check(self, claim: str, *, true: bool) -> None:
        """Say what was found, and remember if it is not as promised."""
        self.kept = self.kept and true
        self._show.tell(Voice.KEPT if true else Voice.BROKEN, claim, CHECK_SECONDS)


def _together(moments: Sequence[Moment]) -> Iterator[list[Moment]]:
    """Groups that one run sees: of one thread only what is done in one go, and nothing beside a scene."""
    group: list[Moment] = []
    for moment in moments:
        alone = isinstance(moment.act, Plays)
        late = bool(group) and moment.at - group[0].at > TOGETHER
        again = any(one.thread is moment.thread and one.at != moment.at for one in group)
        if group and (alone or late or again or isinstance(group[-1].act, Plays)):
            yield group
            group = []
        group.append(moment)
    if group:
        yield group
