"""A small A-REX: the REST interface as ARC 6.17 was seen to answer it, over TLS, and jobs that are processes in session folders of their own.

Its habits are ARC's: a list of one job has no list, an empty list has no body, every POST is answered with 201, ranges are ignored, and the information
system learns a job's name later than the rest.  tests/servers/arc.py starts the real one.
"""

import json
import os
import signal
import ssl
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4
from xml.etree import ElementTree as ET

from tests.servers.certificates import Authority
from tests.servers.process import short_directory

ADL = "{http://www.eu-emi.eu/es/2010/12/adl}"
QUEUE, TOKEN = "grid", "a-token-of-the-tests"
INPUTS = ("payload.pyz", "batch.jsonl")


@dataclass
class Job:
    id: str
    name: str
    command: list[str]
    folder: Path
    state: str = "ACCEPTING"
    submitted: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: datetime | None = None
    ended: datetime | None = None
    process: subprocess.Popen[bytes] | None = None
    code: int | None = None
    error: str = ""
    uploaded: set[str] = field(default_factory=set)

    @property
    def info(self) -> dict[str, Any]:
        """Its GLUE 2 document; before it is prepared the information system knows little of it."""
        known: dict[str, Any] = {"Type": "single", "State": [f"arcrest:{self.state}"]}
        if self.state == "ACCEPTING":
            return known
        times = {"SubmissionTime": self.submitted, "StartTime": self.started, "EndTime": self.ended}
        told = {name: f"{at:%Y-%m-%dT%H:%M:%SZ}" for name, at in times.items() if at is not None}
        if self.started is not None:
            told["ExecutionNode"] = os.uname().nodename
        if self.code is not None:
            told["ExitCode"] = str(self.code)
        return {**known, "Name": self.name, **told, **({"Error": self.error} if self.error else {})}


@dataclass
class Arex:
    """A computing element; `broken` are the answers that it owes, by method and path."""

    folder: Path
    authority: Authority = field(default_factory=Authority)
    slots: int = 4
    jobs: dict[str, Job] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    broken: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    unreadable: dict[str, int] = field(default_factory=dict)  # files of session folders -> what is answered
    deaf: bool = False
    url: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def named(self, name: str) -> Job:
        [job] = [one for one in self.jobs.values() if one.name == name]
        return job

    def turn(self) -> None:
        """What A-REX does by itself."""
        with self.lock:
            running = sum(one.process is not None for one in self.jobs.values())
            for job in self.jobs.values():
                if job.state in {"ACCEPTING", "ACCEPTED"}:
                    job.state = "QUEUING" if job.uploaded >= set(INPUTS) else "ACCEPTED"
                elif job.state == "QUEUING" and running < self.slots:
                    self._start(job)
                    running += 1
                elif job.process is not None and job.process.poll() is not None:
                    _ended(job, job.process.returncode)

    def _start(self, job: Job) -> None:
        environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        with (job.folder / "stdout").open("wb") as out:
            job.process = subprocess.Popen(
                job.command,
                cwd=job.folder,
                env={**environment, "HOME": str(job.folder)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        job.state, job.started = "RUNNING", datetime.now(UTC)

    def new(self, description: bytes) -> list[dict[str, str]]:
        root = ET.fromstring(description)  # noqa: S314 -- our own engine wrote it
        assert root.tag == f"{ADL}ActivityDescriptions"
        return [self._created(one) for one in root]

    def _created(self, one: ET.Element) -> dict[str, str]:
        queue = one.findtext(f".//{ADL}QueueName") or QUEUE
        if queue != QUEUE:
            return {"status-code": "500", "reason": f"Requested queue {queue} is not allowed for this user"}
        program = one.find(f".//{ADL}Executable")
        assert program is not None
        assert [item.findtext(f"{ADL}Name") for item in one.iter(f"{ADL}InputFile")] == [*INPUTS]
        job = Job(
            key := uuid4().hex,
            one.findtext(f".//{ADL}ActivityIdentification/{ADL}Name") or "",
            [word.text or "" for word in program],
            self.folder / key,
        )
        job.folder.mkdir()
        self.jobs[key] = job
        return {"status-code": "201", "reason": "Created", "id": key, "state": "ACCEPTING"}

    def act(self, action: str, ids: list[str]) -> list[dict[str, Any]]:
        return [self._acted(action, one) for one in ids]

    def _acted(self, action: str, id_: str) -> dict[str, Any]:
        job = self.jobs.get(id_)
        if job is None:
            return {"status-code": "404", "reason": "Job not found", "id": id_, "state": "None"}
        if action == "status":
            return {"status-code": "200", "reason": "OK", "id": id_, "state": job.state}
        if action == "info":
            document = {"ComputingActivity": job.info}
            return {"status-code": "200", "reason": "OK", "id": id_, "info_document": document}
        if action == "kill":
            self._kill(job)
        elif action == "clean":
            del self.jobs[id_]
        return {"status-code": "202", "reason": f"Queued for {action}", "id": id_}

    def _kill(self, job: Job) -> None:
        if job.process is not None:
            job.state = "KILLING"
            job.process.terminate()
        elif job.state not in {"FINISHED", "FAILED", "KILLED"}:
            job.state, job.error, job.ended = (
                "KILLED",
                "Job is canceled by external request",
                datetime.now(UTC),
            )


def _ended(job: Job, code: int) -> None:
    job.process, job.ended = None, datetime.now(UTC)
    if job.state == "KILLING":
        job.state, job.error = "KILLED", "Job is canceled by external request"
        return
    job.code = code
    job.state = "FAILED" if code else "FINISHED"
    if code:
        job.error = f"LRMS error: ({code}) Job finished with wrong exit code - {code} != 0"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_GET  # noqa: N815 -- http.server calls them so

    def log_message(self, *_args: object) -> None:
        pass

    def _serve(self) -> None:
        arex = self.server.arex
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if arex.deaf:
            self.close_connection = True
            return
        path = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(path.query).items()}
        words = path.path.removeprefix("/arex/rest/1.0/").split("/")
        what = " ".join([self.command, *words[:1], *query.get("action", "").split()])
        with arex.lock:
            arex.asked[what] += 1
            status, content = arex.broken.pop(what, (0, b""))
            if not status:
                allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}" or bool(
                    self.request.getpeercert()
                )
                status, content = self._answer(arex, words, query, body) if allowed else (403, b"")
        self.send_response(status, "No such object" if status == 404 else None)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, arex: Arex, words: list[str], query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        match self.command, words:
            case "GET", ["info"]:
                return 200, json.dumps(INFO).encode()
            case "GET", ["jobs"]:
                return 200, _listed([{"id": one} for one in arex.jobs])
            case "POST", ["jobs"] if query["action"] == "new":
                return 201, _listed(arex.new(body))
            case "POST", ["jobs"]:
                asked = json.loads(body)["job"]
                return 201, _listed(arex.act(query["action"], [one["id"] for one in asked]))
            case _, ["jobs", job, kind, *name] if job in arex.jobs:
                return self._file(arex.jobs[job], kind, "/".join(name), body)
        return 404, b""

    def _file(self, job: Job, kind: str, name: str, body: bytes) -> tuple[int, bytes]:
        file = job.folder / name
        if name in self.server.arex.unreadable:
            return self.server.arex.unreadable[name], b"Input/output error"
        if kind == "diagnose":
            return 200, f"globalid={job.id}\njobname={job.name}\nqueue={QUEUE}\n".encode()
        if self.command == "PUT":
            file.write_bytes(body)
            job.uploaded.add(name)
            return 200, b""
        return (200, file.read_bytes()) if file.is_file() else (404, b"")


_SHARE = {
    "Name": "grid", "MappingQueue": QUEUE, "ServingState": "production", "RunningJobs": "0", "WaitingJobs": "3",
}  # fmt: skip
_SERVICE = {
    "ComputingEndpoint": [{"ImplementationVersion": "6.17.0", "HealthState": "ok"}],
    "ComputingShare": _SHARE,
}
INFO = {"Domains": {"AdminDomain": {"Services": {"ComputingService": _SERVICE}}}}


def _listed(rows: list[dict[str, Any]]) -> bytes:
    if not rows:
        return b""
    return json.dumps({"job": rows if len(rows) > 1 else rows[0]}).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, arex: Arex) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.arex = arex
        context = arex.authority.server()
        context.load_verify_locations(cadata=arex.authority.pem)
        context.verify_mode = ssl.CERT_OPTIONAL
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, *_args: object) -> None:
        pass  # a client that does not trust us hangs up


@contextmanager
def computing_element() -> Iterator[Arex]:
    """An A-REX that works; its jobs end with it."""
    folder = short_directory()
    arex, over = Arex(folder), threading.Event()

    def work() -> None:
        while not over.wait(0.05):
            arex.turn()

    with _Server(arex) as server:
        arex.url = f"https://localhost:{server.server_address[1]}/arex"
        threads = [threading.Thread(target=one, daemon=True) for one in (server.serve_forever, work)]
        for thread in threads:
            thread.start()
        try:
            yield arex
        finally:
            over.set()
            server.shutdown()
            for thread in threads:
                thread.join()
            for job in arex.jobs.values():
                if job.process is not None:
                    os.killpg(job.process.pid, signal.SIGKILL)
                    job.process.wait()


def credential(arex: Arex, folder: Path) -> Path:
    """A client's certificate and key in one file, as a proxy has them."""
    file = folder / "proxy.pem"
    file.write_bytes(arex.authority.signed("ann"))
    file.chmod(0o600)
    return file


def trusted(arex: Arex, folder: Path) -> Path:
    """The authority that signed the computing element's certificate."""
    file = folder / "ca.pem"
    file.write_text(arex.authority.pem)
    return file
