"""Runs one job of a batch in a folder of its own, under limits, and writes how it ended: `payload.pyz run ROOT/TAG 17`.

It needs nothing but Python, outlives whoever started it, and keeps hold of everything that the command starts: on Linux it is the
reaper of its descendants (prctl(2), PR_SET_CHILD_SUBREAPER), so a child that detaches itself is still found and ended.

In the job's folder: `runner.pid` (made once, so a job never runs twice), `log` (its beginning and end), `exit.json` (whole or not at all).
"""

import argparse
import json
import os
import platform
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from .descendants import PATIENCE, descendants, end_all, reap_all, resident
from .outcome import Limit

BATCH, PID, LOG, EXIT = "batch.jsonl", "runner.pid", "log", "exit.json"
LOOK = 0.2  # seconds between two looks at what is used
LOOK_AT_DISK = 5  # every so many looks
CANCELLED = "cancelled"
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Bounds:
    """What the command may use: seconds, and octets."""

    wall: float
    memory: int
    disk: int
    output: int


@dataclass(frozen=True)
class Task:
    """A job of a batch: what runs, and what it may use."""

    job: str
    argv: list[str]
    environment: dict[str, str]
    bounds: Bounds


@dataclass
class Seen:
    """What it was seen to use."""

    memory: int = 0
    output: int = 0
    killed_for: str = ""
    began: float = field(default_factory=time.time)


def main(arguments: list[str]) -> int:
    """Run a job of a batch; the exit code is its own, or that of the limit which ended it."""
    asked = _parser().parse_args(arguments)
    try:
        home = asked.home.resolve()  # ARC names it by ".", and we leave that
        task = read_task(home, asked.number)
        folder = home / task.job
        folder.mkdir(exist_ok=True)
        os.chdir(folder)
        claim(Path(PID))
        read_task(home, asked.number)  # still there: the job was not run, recorded and cleared away meanwhile
    except FileExistsError:
        sys.stderr.write("run: this job has been started already, or was cancelled\n")
        return 2
    except (OSError, ValueError, TypeError, LookupError) as error:
        sys.stderr.write(f"run: {asked.home}, job {asked.number}: {error}\n")
        return 2
    return _run(task)


def _run(task: Task) -> int:
    reap_all()
    seen = Seen()
    signal.signal(signal.SIGTERM, lambda _sign, _frame: _cancel(seen))
    try:
        process = subprocess.Popen(  # noqa: S603 -- running the job's command is the point
            task.argv,
            env={**os.environ, **task.environment, "HELPDESK_JOB": task.job},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        Path(LOG).write_text(f"{task.argv[0]}: {error.strerror}\n", encoding="utf-8", errors="replace")
        return _ended(seen, 127, 0)
    writer = threading.Thread(target=_keep, args=(process.stdout, task.bounds.output, seen), daemon=True)
    writer.start()
    code = _watch(process, task.bounds, seen)
    end_all()
    writer.join(PATIENCE)
    return _ended(seen, code if code >= 0 else None, -code if code < 0 else 0)


def read_task(home: Path, number: int) -> Task:
    """The job of a batch: its line in a file that lies there before anything runs."""
    with (home / BATCH).open(encoding="utf-8") as file:
        for place, line in enumerate(file, -1):  # the first line is the batch's own
            if place == number:
                return as_task(json.loads(line))
    raise LookupError("there is no such job")


def as_task(told: dict[str, Any]) -> Task:
    """A line of a batch."""
    limits = told["limits"]
    bounds = Bounds(limits["wall_s"], limits["memory_bytes"], limits["disk_bytes"], limits["output_bytes"])
    return Task(told["job"], list(told["argv"]), dict(told["environment"]), bounds)


def _cancel(seen: Seen) -> None:
    """Whoever started us wants the job to end."""
    seen.killed_for = seen.killed_for or CANCELLED


def claim(path: Path) -> None:
    """Be the one that runs this job, or `FileExistsError`: pid and start time name a process for good."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(f"{os.getpid()} {start_of(os.getpid())}", encoding="ascii")
    try:
        os.link(aside, path)  # whole, or not at all, and only once
    finally:
        aside.unlink()


def start_of(pid: int) -> str:
    """When a process started, in ticks since boot (proc(5)); "" if there is none, or no /proc."""
    try:
        return (
            Path(f"/proc/{pid}/stat")
            .read_text(encoding="ascii", errors="replace")
            .rpartition(")")[2]
            .split()[19]
        )
    except (OSError, IndexError):
        return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("payload run", description="Run a job of a batch under its limits.")
    parser.add_argument("home", type=Path, help="the folder of the batch")
    parser.add_argument("number", type=int, help="which of its jobs, from 0")
    return parser


def _watch(process: "subprocess.Popen[bytes]", bounds: Bounds, seen: Seen) -> int:
    """Wait for the end, or bring it about."""
    looks = 0
    while process.poll() is None and not seen.killed_for:
        try:
            process.wait(LOOK)
        except subprocess.TimeoutExpired:
            looks += 1
            limit = _too_much(bounds, seen, disk=looks % LOOK_AT_DISK == 0)
            if limit:
                seen.killed_for = limit
    if seen.killed_for:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def _too_much(bounds: Bounds, seen: Seen, *, disk: bool) -> str:
    """The limit that is broken, or ""."""
    used = sum(resident(pid) for pid in descendants())
    seen.memory = max(seen.memory, used)
    if time.time() - seen.began > bounds.wall:
        return Limit.WALL.name.lower()
    if used > bounds.memory:
        return Limit.MEMORY.name.lower()
    if seen.output > bounds.output:
        return Limit.OUTPUT.name.lower()
    if disk and _size(Path()) > bounds.disk + bounds.output:
        return Limit.DISK.name.lower()
    return ""


def _keep(stream: BinaryIO | None, limit: int, seen: Seen) -> None:
    """Keep the beginning and the end of what is printed; the pipe is always read, so that nobody waits for it."""
    half, left_out = limit // 2, 0
    tail: deque[bytes] = deque()
    kept = 0
    with Path(LOG).open("wb", buffering=0) as log:
        while stream is not None and (block := stream.read1(_BLOCK)):  # type: ignore[attr-defined]  # a pipe's reader is buffered
            room = max(0, half - seen.output)
            seen.output += len(block)
            log.write(block[:room])
            if block[room:]:
                tail.append(block[room:])
                kept += len(block[room:])
            while tail and kept - len(tail[0]) >= half:
                left_out += len(tail[0])
                kept -= len(tail.popleft())
        if left_out:
            log.write(f"\n[... {left_out} octets left out ...]\n".encode())
        log.write(b"".join(tail))


def _ended(seen: Seen, code: int | None, by_signal: int) -> int:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    document = {
        "exit_code": code,
        "signal": by_signal,
        "killed_for": seen.killed_for,
        "began": seen.began,
        "ended": time.time(),
        "node": platform.node(),
        "max_rss_bytes": max(seen.memory, used.ru_maxrss * 1024),
        "cpu_user_s": used.ru_utime,
        "cpu_sys_s": used.ru_stime,
        "output_bytes": seen.output,
    }
    aside = Path(f".{EXIT}")
    aside.write_text(json.dumps(document), encoding="ascii")
    aside.replace(EXIT)
    if seen.killed_for in {one.name.lower() for one in Limit}:
        return int(Limit[seen.killed_for.upper()])
    return code if code is not None else 128 + by_signal


def _size(folder: Path) -> int:
    """Octets on disk below a folder, as far as they can be seen."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(where) / name).lstat().st_blocks * 512
            except OSError:
                continue
    return total
