"""A batch system behind programs that speak JSON lines: `python -m tests.servers.batch_command ROOT VERB`, over the engine `local`."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from helpdesk.robots.engine import Batch, Handle, JobSpec, Limits
from helpdesk.robots.engines.local import LocalEngine


def main() -> None:
    root, verb, told = Path(sys.argv[1]), sys.argv[2], [json.loads(line) for line in sys.stdin]
    for answer in asyncio.run(answers(LocalEngine(root, {"DESY-HH": 4}), verb, told)):
        sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.write("a line that is no JSON\n[]\n")


async def answers(engine: LocalEngine, verb: str, told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    handles = [Handle(one["job"], one["id"]) for one in told if "id" in one]
    if verb == "describe":
        return [{"version": "1", "queues": list((await engine.describe()).queues)}]
    if verb == "submit":
        jobs = [_spec(one) for one in told[1:]]
        return [
            _named(one) for one in await engine.submit(Batch(told[0]["tag"], told[0]["queue"], tuple(jobs)))
        ]
    if verb == "poll":
        return [_status(one) for one in await engine.poll(handles) if one.state is not None]
    if verb == "fetch":
        return [
            {"id": one.handle.engine_job_id, "result": json.loads(one.result or "null"), "log": one.log_tail, "exit_code": one.exit_code, "killed_for": one.killed_for}
            for one in await engine.fetch(handles, Path())
        ]  # fmt: skip
    if verb == "reconcile":
        return [
            {"tag": tag, **_named(one)} for tag, one in await engine.reconcile([one["tag"] for one in told])
        ]
    await (engine.cancel(handles) if verb == "cancel" else engine.forget([one["tag"] for one in told]))
    return []


def _spec(one: dict[str, Any]) -> JobSpec:
    environment = tuple((name, value) for name, value in one["environment"])
    return JobSpec(one["job"], tuple(one["argv"]), Limits(**one["limits"]), environment)


def _named(one: Handle) -> dict[str, Any]:
    return {"job": one.job, "id": one.engine_job_id}


def _status(one: Any) -> dict[str, Any]:
    times = {
        name: getattr(one, name).timestamp()
        for name in ("submitted", "started", "ended")
        if getattr(one, name)
    }
    return {
        "id": one.handle.engine_job_id,
        "state": one.state,
        "node": one.node,
        "code": one.native_code,
        "text": one.native_text,
        **times,
    }


if __name__ == "__main__":
    main()
