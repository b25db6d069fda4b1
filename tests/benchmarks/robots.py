"""The robots beside what they stand on: a bare Core insert, the same payload by hand, a bare sbatch."""

import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, insert

from helpdesk.robots import datasets, payloads
from helpdesk.robots.engine import Batch, Engine, JobSpec, Limits
from helpdesk.robots.engines.local import LocalEngine
from helpdesk.robots.engines.slurm import SlurmEngine
from helpdesk.robots.record import FINAL, JobState, Record, TestKind
from helpdesk.store import db, migrations, records
from helpdesk.store.core import RECORD
from tests.benchmarks.figures import Figure, against, not_run
from tests.benchmarks.lab import Lab
from tests.benchmarks.series import Series
from tests.servers import slurm

RECORDS: Final = 10_000
JOBS: Final = 1_000
EVENTS: Final = 1_000_000
SECONDS: Final = 30.0
LIMITS: Final = Limits(3600, 8_000_000_000, 8_000_000_000)
T0: Final = datetime(2026, 6, 8, tzinfo=UTC)


def measure(lab: Lab) -> Iterator[Figure]:
    """Records, a payload, and a thousand jobs."""
    with tempfile.TemporaryDirectory() as folder:
        yield _records(lab, Path(folder))
        yield _payload(lab, Path(folder))
        yield _slurm(lab, Path(folder))


def _record(number: int) -> Record:
    return Record(
        job=f"j{number:08}",
        experiment="atlas",
        site=f"SITE-{number % 150}",
        template="dimuon",
        template_version="v1",
        test_kind=TestKind.FUNCTIONAL,
        campaign_id="routine",
        attempt=1,
        engine="slurm",
        queue="q",
        node=f"wn-{number % 1000}",
        t_scheduled=T0,
        t_submitted=T0,
        t_final=T0 + timedelta(minutes=9),
        t_observed=T0 + timedelta(minutes=10),
        state=JobState.SUCCESS,
        events_processed=10_000,
        wall_s=512.5,
    )


def _records(lab: Lab, folder: Path) -> Figure:
    """Ours finds twins and takes jobs off their list too."""
    url = f"sqlite:///{folder / 'records.db'}"
    migrations.upgrade(url)
    engine = db.open_engine(url)
    made = [_record(number) for number in range(RECORDS)]
    rows: list[dict[str, Any]] = [
        {**{one.name: getattr(record, one.name) for one in fields(Record)}, "raw": "{}"} for record in made
    ]
    ours, bare = [], []
    for _ in range(lab.rounds):
        started = time.perf_counter()
        with engine.begin() as conn:
            records.add(conn, made)
        ours.append(time.perf_counter() - started)
        with engine.begin() as conn:
            conn.execute(delete(RECORD))
        started = time.perf_counter()
        with engine.begin() as conn:
            conn.execute(insert(RECORD), rows)
        bare.append(time.perf_counter() - started)
        with engine.begin() as conn:
            conn.execute(delete(RECORD))
    engine.dispose()
    return against(f"{RECORDS:,} records written", Series(ours), Series(bare), "a bare Core insert", 1.5)


def _payload(lab: Lab, folder: Path) -> Figure:
    """The same analysis of about half a minute, by hand and through the engine."""
    data = folder / "zmumu.root"
    datasets.make("zmumu", EVENTS, data)
    program = payloads.pack(folder / "payload.pyz")
    once, many = (
        _by_hand(folder, payloads.argv(program, "dimuon", [str(data)] * n, "local", {})) for n in (1, 11)
    )
    times = max(1, round((SECONDS - once) / max((many - once) / 10, 0.05)))
    command = payloads.argv(program, "dimuon", [str(data)] * times, "local", {})
    ours, bare = [], []
    for number in range(max(1, lab.rounds - 1)):
        bare.append(_by_hand(folder, command))
        engine = LocalEngine(folder / "jobs", {"q": 1})
        ours.append(asyncio.run(_through(engine, f"b{number}", command)))
    return against(
        "a payload of half a minute through the engine local", Series(ours), Series(bare), "by hand", 1.03
    )


def _by_hand(folder: Path, command: tuple[str, ...]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - started


async def _through(engine: Engine, tag: str, command: tuple[str, ...]) -> float:
    """From the submission to the state that says it has ended."""
    started = time.perf_counter()
    [handle] = await engine.submit(Batch(tag, "q", (JobSpec("j", command, LIMITS),)))
    while (await engine.poll([handle]))[0].state not in FINAL:  # noqa: ASYNC110 - another process ends it
        await asyncio.sleep(0.05)
    seconds = time.perf_counter() - started
    [fetched] = await engine.fetch([handle], Path())
    if json.loads(fetched.result)["exit"] != 0:
        raise RuntimeError(fetched.log_tail)
    return seconds


def _slurm(lab: Lab, folder: Path) -> Figure:
    what = f"{JOBS:,} jobs into Slurm"
    if not slurm.AVAILABLE:
        return not_run(what, "Slurm is not installed")
    jobs = tuple(
        JobSpec(f"j{number:04}", ("/bin/true",), replace(LIMITS, memory_bytes=100_000_000))
        for number in range(JOBS)
    )
    script = folder / "true.sh"
    script.write_text("#!/bin/sh\nexec /bin/true\n")
    ours, bare = [], []
    with slurm.cluster() as grid:
        engine = SlurmEngine(folder / "slurm", configuration=grid.configuration)
        for number in range(lab.rounds):
            started = time.perf_counter()
            grid.ask(
                "sbatch",
                "--parsable",
                "-p",
                "RAL",
                f"--array=0-{JOBS - 1}",
                "--no-requeue",
                "-o",
                "/dev/null",
                str(script),
            )
            bare.append(time.perf_counter() - started)
            started = time.perf_counter()
            asyncio.run(engine.submit(Batch(f"bench{number}", "LYON", jobs)))
            ours.append(time.perf_counter() - started)
            grid.ask("scancel", "-u", grid.ask("id", "-un").strip())
    return against(what, Series(ours), Series(bare), "a bare sbatch --array", 2.0)
