"""A robot over the engine `local`, whose jobs are shell scripts that leave a trace; also a process of its own, to be killed.

`python -m tests.robots FOLDER JOBS` plans and turns until every job has its record.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine as Database

from helpdesk.robots.engine import Engine, JobSpec, Limits
from helpdesk.robots.engines.local import LocalEngine
from helpdesk.robots.outcome import Work
from helpdesk.robots.record import Record
from helpdesk.robots.robot import Recipe, Robot, Turned
from helpdesk.robots.schedule import Intent, Lane, asked
from helpdesk.robots.turn import turn
from helpdesk.store import db, jobs, migrations, records

T0 = datetime(2026, 6, 8, 12, 0, tzinfo=UTC)
LANE = Lane("DESY-HH", "atlas", "local", "desy")
LIMITS = Limits(30, 300_000_000, 20_000_000, 100_000)
GOOD = """echo "$HELPDESK_JOB" >> ../../../ran; sleep {nap}; printf '{{"exit": 0, "events_processed": 5, "node": "wn-1"}}' > result.json"""
SCRIPTS: Mapping[str, str] = {
    "good": GOOD.format(nap=0),
    "slow": GOOD.format(nap=0.2),
    "wrong": """printf '{"exit": 31, "phase": "payload", "words": "the histogram is another"}' > result.json; exit 31""",
    "silent": "exit 0",
    "garbage": "echo '{' > result.json",
    "crash": "kill -SEGV $$",
    "lies": """printf '{"exit": 0, "events_processed": -5, "bytes_read": "lots", "wall_s": 1e999, "phases": [1, 2], "node": 7}' > result.json""",
}


def recipe(script: str) -> Recipe:
    return Recipe("atlas", "v1", "functional", lambda job: JobSpec(job, ("/bin/sh", "-c", script), LIMITS), lambda _job: Work("zmumu", "copy", 5), timedelta(seconds=30))  # fmt: skip


@dataclass
class Floor:
    """A folder with a database, jobs and a robot that can be made anew, as after a restart."""

    folder: Path
    engine: Engine | None = None

    def __post_init__(self) -> None:
        migrations.upgrade(self.url)
        self.database: Database = db.open_engine(self.url)
        self.robot = Robot(
            self.database,
            {"local": self.engine or self.local()},
            {n: recipe(s) for n, s in SCRIPTS.items()},
            self.folder,
            most=5000,
        )

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'robots.db'}"

    def local(self) -> LocalEngine:
        return LocalEngine(self.folder / "jobs", {"desy": 8})

    def turn(self, *intents: Intent, now: datetime = T0) -> Turned:
        return asyncio.run(turn(self.robot, intents, now))

    def until_done(self, now: datetime = T0, seconds: float = 60) -> None:
        """Turn, in real time, until nothing is on its way."""

        async def wait() -> None:
            async with asyncio.timeout(seconds):
                while self.live():
                    await turn(self.robot, (), now)
                    await asyncio.sleep(0.05)

        asyncio.run(wait())

    def live(self) -> int:
        with self.database.connect() as conn:
            return len(jobs.live(conn))

    def records(self) -> dict[str, Record]:
        with self.database.connect() as conn:
            return {one.job: one for one in records.read(conn)}

    def ran(self) -> list[str]:
        """The jobs that have really run, as often as they did."""
        trace = self.folder / "ran"
        return trace.read_text().split() if trace.exists() else []

    def close(self) -> None:
        self.database.dispose()


def intents(template: str, count: int) -> list[Intent]:
    return list(asked(LANE, template, count, "manual", T0))


def main() -> None:
    floor = Floor(Path(sys.argv[1]))
    floor.turn(*intents("slow", int(sys.argv[2])))
    floor.until_done(seconds=600)
    sys.stdout.write(json.dumps(sorted(floor.records())))


if __name__ == "__main__":
    main()
