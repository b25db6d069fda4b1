"""Processes that think for this one while it waits for the server and the disk: the second core, in a first sync.

Each is a fork of this process, made while there is but one thread in it (`helping`): all code, and what the answers are about, it
has without loading anything, and what neither changes is in memory once.  It gets questions, and gives answers; it has no
connection, no database and no lock.  Whatever it cannot do, and all that it had in hand when it died, this process does itself:
it works as well with no helper at all, and works along where it would have to wait.
"""

import contextlib
import fcntl
import gc
import os
import pickle
import select
import signal
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Generic, TypeVar

MOST: Final = 2
"""Helpers; the wire and the database are this process's, and more would only wait for it."""

WAITING: Final = 6
"""Questions that are asked and not answered yet, for each helper: what they hold is all that is held."""

PATIENCE = 30.0
"""Seconds without a sign of a helper until this process does what they have in hand: a question takes hundredths of one."""

AHEAD: Final = 3
"""Questions that one helper has in hand: it goes on while this process writes what it answered."""

_PIPE: Final = 1 << 20  # octets; what an unprivileged process may ask for (pipe(7))
_READ: Final = 1 << 18
_LENGTH: Final = struct.Struct("<Q")

A = TypeVar("A")
C = TypeVar("C")
Q = TypeVar("Q")


class _Job(Generic[Q, A]):
    """A question, who has it in hand, and the answer."""

    __slots__ = ("answer", "done", "ours", "question", "taken")

    def __init__(self, question: Q) -> None:
        self.question = question
        self.taken = False
        self.ours = False  # a helper has failed: it is for this process
        self.done = False
        self.answer: A | None = None


class Hands:
    """Some helpers, or none; use it in one thread."""

    def __init__(self, helpers: Iterable["_Helper"] = ()) -> None:
        self._helpers = list(helpers)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._helpers)

    def answers(self, ask: Callable[[C, Q], A], about: C, questions: Iterable[Q]) -> Iterator[tuple[Q, A]]:
        """Each question with its answer, in their order; questions are taken a few ahead of the answers.

        `ask` is a pure function of a module, `about` what the helpers were made with: it does not go along.
        """
        waiting: deque[_Job[Q, A]] = deque()
        try:
            for question in questions:
                waiting.append(_Job(question))
                self._move(ask, waiting, 0)
                while len(waiting) > WAITING * self.count or (waiting and waiting[0].done):
                    yield self._first(ask, about, waiting)
            while waiting:
                yield self._first(ask, about, waiting)
        finally:
            if waiting:  # somebody stopped in the middle: nobody wants these answers any more
                self.close()

    def close(self) -> None:
        """Let all of them go."""
        for helper in self._helpers:
            helper.close()
        self._helpers.clear()

    def _first(self, ask: Callable[[C, Q], A], about: C, waiting: deque[_Job[Q, A]]) -> tuple[Q, A]:
        """The answer that is due; meanwhile this process takes a question that nobody has."""
        while not waiting[0].done:
            self._move(ask, waiting, 0)
            if waiting[0].done:
                break
            free = next((job for job in waiting if not job.taken), None)
            if free is None:
                self._move(ask, waiting, PATIENCE)
            else:
                free.taken = True
                free.answer, free.done = ask(about, free.question), True
        job = waiting.popleft()
        return job.question, job.answer  # type: ignore[return-value]  # it is done: that is an answer

    def _move(self, ask: Callable[[C, Q], A], waiting: Iterable[_Job[Q, A]], patience: float) -> None:
        """Hand out what is free, send, receive; where `patience` is more than 0, somebody waits, and nothing else can be done.

        Helpers of which there is no sign in that time (stopped, swapped out) are let go.
        """
        if not self._helpers:
            return
        free = (job for job in waiting if not (job.taken or job.ours))
        for helper in sorted(self._helpers, key=lambda one: one.load):
            while helper.load < AHEAD and (job := next(free, None)) is not None:
                helper.give(ask, job)
        reading = [helper.answers for helper in self._helpers]
        writing = [helper.questions for helper in self._helpers if helper.unsent]
        readable, writable, _ = select.select(reading, writing, (), patience)
        if patience and not readable and not writable:
            self.close()
            return
        for helper in list(self._helpers):
            try:
                if helper.questions in writable:
                    helper.send()
                if helper.answers in readable:
                    helper.receive()
            except (OSError, EOFError, pickle.UnpicklingError):  # it is dead, or as good as dead
                self._helpers.remove(helper)
                helper.close()


class _Helper:
    """One process, as this one sees it."""

    def __init__(self, pid: int, questions: int, answers: int) -> None:
        self.questions = questions
        self.answers = answers
        self._pid = pid
        self._jobs: deque[_Job[Any, Any]] = deque()
        self._out = bytearray()
        self._in = bytearray()
        for pipe in (questions, answers):
            os.set_blocking(pipe, False)

    @property
    def load(self) -> int:
        """Questions that it has in hand."""
        return len(self._jobs)

    @property
    def unsent(self) -> bool:
        """Whether something waits for room in the pipe."""
        return bool(self._out)

    def give(self, ask: Callable[[C, Q], A], job: _Job[Q, A]) -> None:
        """One question more."""
        try:
            told = pickle.dumps((ask, job.question), pickle.HIGHEST_PROTOCOL)
        except (pickle.PicklingError, TypeError, AttributeError):  # something in it cannot be sent
            job.ours = True
            return
        job.taken = True
        self._jobs.append(job)
        self._out += _framed(told)

    def send(self) -> None:
        """As much as there is room for."""
        del self._out[: os.write(self.questions, memoryview(self._out)[:_PIPE].tobytes())]

    def receive(self) -> None:
        """As much as is there."""
        octets = os.read(self.answers, _PIPE)
        if not octets:
            raise EOFError
        self._in += octets
        while len(self._in) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._in)[0]
            if len(self._in) < end:
                return
            told = bytes(memoryview(self._in)[_LENGTH.size : end])
            del self._in[:end]
            job = self._jobs.popleft()
            if told:
                job.answer, job.done = pickle.loads(told), True  # noqa: S301 -- a fork of this process wrote it
            else:
                job.taken, job.ours = False, True  # who does it here will see why it fails

    def close(self) -> None:
        """Let it go, and what it had in hand with it."""
        for job in self._jobs:
            job.taken = False
        self._jobs.clear()
        for pipe in (self.questions, self.answers):
            os.close(pipe)
        with contextlib.suppress(ChildProcessError, ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)  # it holds nothing that it could leave behind
            os.waitpid(self._pid, 0)


def helping(about: object, cores: int | None = None, threads: int | None = None) -> Hands:
    """Make helpers that know what their answers will be `about`, one for each core but one.

    None where there are `threads` beside this one, because a fork takes their locks along; both numbers are looked up unless they are given.
    On Linux alone: elsewhere system libraries do not survive a fork.
    """
    if sys.platform != "linux":
        return Hands()
    spare = min((len(os.sched_getaffinity(0)) if cores is None else cores) - 1, MOST)
    if (threading.active_count() if threads is None else threads) > 1 or spare < 1:
        return Hands()
    made: list[_Helper] = []
    for _ in range(spare):
        try:
            made.append(_fork(about))
        except OSError:  # too many processes, too little memory: it goes without
            break
    return Hands(made)


def _fork(about: object) -> _Helper:
    theirs, questions = os.pipe()
    answers, ours = os.pipe()
    for pipe in (questions, ours):
        with contextlib.suppress(OSError):  # a small pipe will do
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
    try:
        pid = os.fork()
    except OSError:
        for pipe in (theirs, questions, answers, ours):
            os.close(pipe)
        raise
    if pid == 0:
        try:
            _help(about, theirs, ours)
        finally:
            os._exit(0)  # nothing of what this process would do at its end is the helper's
    os.close(theirs)
    os.close(ours)
    return _Helper(pid, questions, answers)


def _help(about: object, questions: int, answers: int) -> None:
    """The life of a helper: it ends when nobody is left who asks."""
    for sign in (signal.SIGINT, signal.SIGHUP):
        signal.signal(sign, signal.SIG_IGN)  # Ctrl-C is for who asks
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.disable()
    low, high = sorted((questions, answers))
    os.closerange(
        3, low
    )  # connections, databases, locks: they are not ours, and must not outlive their owner
    os.closerange(low + 1, high)
    os.closerange(high + 1, os.sysconf("SC_OPEN_MAX"))
    with open(questions, "rb") as asked, open(answers, "wb") as told:
        while length := asked.read(_LENGTH.size):
            ask, question = pickle.loads(asked.read(_LENGTH.unpack(length)[0]))  # noqa: S301 -- our parent wrote it
            try:
                said = pickle.dumps(ask(about, question), pickle.HIGHEST_PROTOCOL)
            except Exception:  # noqa: BLE001 -- whatever it is, it is raised again where it can be told
                said = b""
            told.write(_framed(said))
            told.flush()


def _framed(octets: bytes) -> bytes:
    return _LENGTH.pack(len(octets)) + octets
