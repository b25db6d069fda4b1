"""A schedd and one machine, in this process: real ClassAds, real processes, and the rules of the HTCondor manual that the engine relies on.

There is no HTCondor for this machine.  What is real: the submit language with its macros (`htcondor2.Submit`), the syntax of arguments (the ClassAd
function argsToList), constraints, requirements and policies, which `classad2` evaluates, and the jobs, which run.  What is ours: the table below that
makes a job ad of a submit description, and the states that a job goes through.
"""

import asyncio
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from helpdesk.robots.engine import EngineError
from helpdesk.robots.engines import condor_client
from helpdesk.robots.engines.htcondor import Ask

AVAILABLE: Final = find_spec("htcondor2") is not None  # there are wheels for Linux alone
if TYPE_CHECKING or AVAILABLE:
    import classad2
    import htcondor2

IDLE, RUNNING, REMOVED, COMPLETED, HELD = 1, 2, 3, 4, 5
_COMMANDS = {
    "requirements": "Requirements",
    "periodic_hold": "PeriodicHold",
    "periodic_hold_reason": "PeriodicHoldReason",
    "periodic_hold_subcode": "PeriodicHoldSubCode",
    "leave_in_queue": "LeaveJobInQueue",
    "request_memory": "RequestMemory",
    "request_disk": "RequestDisk",
    "request_cpus": "RequestCpus",
    "allowed_execute_duration": "AllowedExecuteDuration",
}


@dataclass(frozen=True, slots=True)
class Submitted:
    number: int
    jobs: int

    def cluster(self) -> int:
        return self.number

    def first_proc(self) -> int:
        return 0

    def num_procs(self) -> int:
        return self.jobs


@dataclass
class Schedd:
    """`site` is what its machine says of itself; `questions` are counted by kind."""

    site: str = "DESY-HH"
    slots: int = 4
    queue: list[Any] = field(default_factory=list)
    past: list[Any] = field(default_factory=list)
    processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    questions: dict[str, int] = field(default_factory=dict)
    down: bool = False
    remembers: bool = True  # a schedd may keep no history
    last: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    # -- what htcondor2.Schedd does

    def query(self, constraint: str, projection: list[str]) -> list[Any]:
        self._asked("query")
        with self.lock:
            return [_projected(ad, projection) for ad in self.queue if _true(constraint, ad)]

    def history(self, constraint: str, projection: list[str], match: int) -> list[Any]:
        self._asked("history")
        if not self.remembers:
            raise htcondor2.HTCondorException("no history is kept here")
        with self.lock:
            found = [_projected(ad, projection) for ad in reversed(self.past) if _true(constraint, ad)]
        return found[:match]

    def submit(self, description: Any, *, itemdata: Iterator[dict[str, str]]) -> Submitted:
        self._asked("submit")
        items = list(itemdata)
        with self.lock:
            self.last += 1
            for proc, item in enumerate(items):
                for name, value in item.items():
                    description[name] = value
                self.queue.append(_ad(description, self.last, proc))
            return Submitted(self.last, len(items))

    def act(self, action: Any, job_spec: str, reason: tuple[str, int]) -> Any:
        assert action == htcondor2.JobAction.Remove
        assert isinstance(reason, tuple)  # htcondor2 drops any other
        self._asked("act")
        with self.lock:
            mine = [ad for ad in self.queue if _true(job_spec, ad)]
            for ad in mine:
                self._remove(ad, f"{reason[0]} (by user helpdesk)")
        return classad2.ClassAd({"TotalError": 0, "TotalPermissionDenied": 0, "TotalSuccess": len(mine)})

    # -- what happens to jobs

    def job(self, name: str) -> Any:
        """The ad of a job in the queue."""
        [ad] = [one for one in self.queue if one["HelpdeskJob"] == name]
        return ad

    def evict(self, name: str) -> None:
        """The machine is taken away: the job is idle again."""
        with self.lock:
            ad = self.job(name)
            process = self.processes.pop(id(ad))
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            _enter(ad, IDLE)

    def hold(self, name: str, code: int, subcode: int, reason: str) -> None:
        with self.lock:
            ad = self.job(name)
            ad["HoldReasonCode"], ad["HoldReasonSubCode"], ad["HoldReason"] = code, subcode, reason
            _enter(ad, HELD)

    def turn(self) -> None:
        """Everything that a schedd does by itself: policies, matches, and what has ended."""
        machine = classad2.ClassAd({"HelpdeskSite": self.site, "Requirements": True})
        with self.lock:
            for ad in list(self.queue):
                status = ad["JobStatus"]
                if status in {RUNNING, REMOVED} and self.processes[id(ad)].poll() is not None:
                    self._ended(ad, self.processes.pop(id(ad)).returncode)
                elif status == COMPLETED and ad.eval("LeaveJobInQueue") is not True:
                    self._leave(ad)
                elif status == IDLE and ad.eval("PeriodicHold") is True:
                    self.hold(
                        ad["HelpdeskJob"], 3, ad.eval("PeriodicHoldSubCode"), ad.eval("PeriodicHoldReason")
                    )
                elif status == IDLE and len(self.processes) < self.slots and ad.symmetricMatch(machine):
                    self._start(ad)

    def _start(self, ad: Any) -> None:
        environment = dict(one.split("=", 1) for one in _listed(ad["Environment"]))
        self.processes[id(ad)] = subprocess.Popen(
            [ad["Cmd"], *_listed(ad["Arguments"])],
            cwd=ad["Iwd"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        _enter(ad, RUNNING)
        ad["NumJobStarts"] = ad["NumJobStarts"] + 1
        ad["JobStartDate"] = ad["JobCurrentStartExecutingDate"] = int(time.time())
        ad["RemoteHost"] = "slot1_1@node1.desy.example"

    def _ended(self, ad: Any, code: int) -> None:
        ad["LastRemoteHost"] = ad.pop("RemoteHost")
        if ad["JobStatus"] == REMOVED:
            self._leave(ad)
            return
        ad["ExitBySignal"], ad["CompletionDate"] = code < 0, int(time.time())
        ad["ExitSignal" if code < 0 else "ExitCode"] = abs(code)
        _enter(ad, COMPLETED)

    def _remove(self, ad: Any, reason: str) -> None:
        ad["RemoveReason"] = reason
        _enter(ad, REMOVED)
        process = self.processes.get(id(ad))
        if process is None:
            self._leave(ad)
        else:
            process.terminate()  # the starter's soft kill

    def _leave(self, ad: Any) -> None:
        self.queue = [one for one in self.queue if one is not ad]
        self.past.append(ad)

    def _asked(self, kind: str) -> None:
        self.questions[kind] = self.questions.get(kind, 0) + 1
        if self.down:
            raise htcondor2.HTCondorException("Failed to connect to schedd <127.0.0.1:9618>")


def asker(schedd: Schedd) -> Ask:
    """The client of HTCondor in this process, over our schedd."""
    who = {"name": "schedd.example.org", "version": "$CondorVersion: 25.14.1 2026-10-01 $"}

    async def ask(told: bytes) -> str:
        def answer() -> str:
            try:
                rows = condor_client.reply(json.loads(told), lambda _pool, _name: (schedd, who))
            except EngineError as error:
                raise EngineError(f"HTCondor: {error}", passing=error.passing) from error
            return "".join(f"{json.dumps(one)}\n" for one in rows)

        return await asyncio.to_thread(answer)

    return ask


@contextmanager
def pool() -> Iterator[Schedd]:
    """A schedd that works; its jobs end with it."""
    schedd, over = Schedd(), threading.Event()

    def work() -> None:
        while not over.wait(0.05):
            schedd.turn()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield schedd
    finally:
        over.set()
        thread.join()
        for process in schedd.processes.values():
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _ad(description: Any, cluster: int, proc: int) -> Any:
    """The job ad of a description whose macros are set."""
    ad = classad2.ClassAd(
        {
            "ClusterId": cluster,
            "ProcId": proc,
            "QDate": int(time.time()),
            "NumJobStarts": 0,
            "CompletionDate": 0,
        }
    )
    for command, attribute in _COMMANDS.items():
        ad[attribute] = classad2.ExprTree(description.expand(command))
    for name in description:
        if name.lower().startswith("my."):
            ad[name[3:]] = classad2.ExprTree(description.expand(name)).eval()
    ad["Cmd"], ad["Iwd"] = description.expand("executable"), description.expand("initialdir")
    for command, attribute in (("arguments", "Arguments"), ("environment", "Environment")):
        text = description.expand(command)
        assert text.startswith('"')  # the new syntax
        assert text.endswith('"')
        ad[attribute] = text[1:-1].replace('""', '"')
    _enter(ad, IDLE)
    return ad


def _enter(ad: Any, status: int) -> None:
    ad["JobStatus"], ad["EnteredCurrentStatus"] = status, int(time.time())


def _listed(arguments: str) -> list[str]:
    scope = classad2.ClassAd({"A": arguments})
    found: list[str] = classad2.ExprTree("argsToList(A)").eval(scope)
    return found


def _true(constraint: str, ad: Any) -> bool:
    return classad2.ExprTree(constraint).eval(ad) is True


def _projected(ad: Any, names: list[str]) -> Any:
    return classad2.ClassAd({name: ad[name] for name in names if name in ad})
