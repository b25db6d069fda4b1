"""What is told to A-REX about jobs, and what it tells: descriptions in ADL, states, errors; pure (EMI ADL 1.0, ARC's REST documentation).

A-REX says whether a job ended, the runner in its session folder how; both may lack anything, or hold what makes no sense.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET  # it only writes here

from helpdesk.robots.codes import table
from helpdesk.robots.engine import Handle, JobSpec, Status
from helpdesk.robots.engines import folders
from helpdesk.robots.payload.runner import BATCH
from helpdesk.robots.record import FINAL, JobState
from helpdesk.text import safe_text

PAYLOAD = "payload.pyz"
INPUTS = (PAYLOAD, BATCH)
ADL = "http://www.eu-emi.eu/es/2010/12/adl"
SPARE = 300  # seconds of wall time beyond the runner's limit

WAITING = frozenset({"ACCEPTING", "ACCEPTED", "PREPARING", "PREPARED"})
"""States in which a job still takes its inputs."""

_STATES = {
    **dict.fromkeys((*WAITING, "SUBMITTING", "QUEUING", "HELD"), JobState.SUBMITTED),
    **dict.fromkeys(
        ("RUNNING", "EXITINGLRMS", "OTHER", "INLRMS", "EXECUTED", "FINISHING", "KILLING"), JobState.RUNNING
    ),
    "FINISHED": JobState.SUCCESS,
    "FAILED": JobState.FAILED,
    "KILLED": JobState.CANCELLED,
    "WIPED": JobState.LOST,
}
_LRMS = re.compile(r"LRMS error: \((\d{1,5})\)")
_CAUSES = (
    (re.compile(r"download|User file:|list of input files", re.IGNORECASE), "arc:STAGE_IN"),
    (re.compile(r"upload", re.IGNORECASE), "arc:STAGE_OUT"),
    (re.compile(r"submission to LRMS|extracting LRMS", re.IGNORECASE), "arc:SUBMIT"),
    (re.compile(r"proxy|credential|delegation", re.IGNORECASE), "arc:PROXY"),
    (_LRMS, "arc:LRMS"),
)


def state_of(word: object) -> JobState | None:
    """A state of the REST interface; None for one that nobody knows."""
    return _STATES.get(word) if isinstance(word, str) else None


def name_of(tag: str, job: str) -> str:
    """The name that a job has at A-REX, by which it is found again."""
    return f"{tag}:{job}"


def description(tag: str, jobs: Iterable[JobSpec], queue: str, python: str) -> bytes:
    """Jobs in one document; their inputs are uploaded, and their whole session folders kept."""
    root = ET.Element("ActivityDescriptions", xmlns=ADL)
    for job in jobs:
        one = ET.SubElement(root, "ActivityDescription")
        _texts(ET.SubElement(one, "ActivityIdentification"), [("Name", name_of(tag, job.job))])
        application = ET.SubElement(one, "Application")
        program = ET.SubElement(application, "Executable")
        words = (python, PAYLOAD, "run", ".", "0")
        _texts(program, [("Path", "/usr/bin/env"), *(("Argument", word) for word in words)])
        resources = [
            ("IndividualPhysicalMemory", str(job.limits.memory_bytes + 100_000_000)),
            ("DiskSpaceRequirement", str(job.limits.disk_bytes + job.limits.output_bytes)),
            ("WallTime", str(int(job.limits.wall_s) + SPARE)),
        ]
        asked = ET.SubElement(one, "Resources")
        _texts(asked, [*resources, *([("QueueName", queue)] if queue else [])])
        staging = ET.SubElement(one, "DataStaging")
        for kind, name in (*(("InputFile", name) for name in INPUTS), ("OutputFile", "/")):
            _texts(ET.SubElement(staging, kind), [("Name", name)])
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def ending_of(content: bytes | None) -> dict[str, Any] | None:
    """What the runner wrote when the job ended; a field that is not as it writes it is nothing."""
    try:
        told = json.loads(content or b"")
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    kinds: Mapping[str, type | tuple[type, ...]] = {
        "exit_code": int, "signal": int, "began": (int, float), "ended": (int, float), "killed_for": str, "node": str,
    }  # fmt: skip
    found = {
        name: value
        for name, kind in kinds.items()
        if isinstance(value := told.get(name), kind) and not isinstance(value, bool)
    }
    return found if {"exit_code", "signal"} & set(found) else None


def status_of(handle: Handle, word: object, info: Mapping[str, Any], ending: dict[str, Any] | None) -> Status:
    """Where a job stands: A-REX's state and what it knows, and how its runner says that it ended."""
    state = state_of(word)
    submitted, ended = _moment(info.get("SubmissionTime")), _moment(info.get("EndTime"))
    known = Status(handle, state, _node(info), submitted)
    if state not in FINAL:
        return known
    error = safe_text(_text(info.get("Error")), limit=300)
    left = None if ending is None else folders.ended(handle, ending, submitted)
    known = replace(
        known,
        started=(left and left.started) or _moment(info.get("StartTime")),
        ended=(left and left.ended) or ended or _moment(info.get("ComputingManagerEndTime")),
        node=safe_text((left and left.node) or known.node, limit=100),
        native_text=(left and left.native_text) or error,
    )
    if state is JobState.SUCCESS and left is None:
        return replace(known, state=JobState.FAILED, native_code="local:no_result")
    if left is not None and (state is JobState.SUCCESS or left.state is not JobState.SUCCESS):
        return replace(known, state=left.state, native_code=safe_text(left.native_code, limit=40))
    return replace(known, native_code=cause_of(error) if state is JobState.FAILED else f"arc:{word}")


def cause_of(error: str) -> str:
    """A-REX's sentence as a code; the number of an LRMS error is what our runner ended with, where it is one of ours."""
    number = _LRMS.search(error)
    if number is not None and number[1] in table("payload"):
        return f"payload:{number[1]}"
    return next((code for pattern, code in _CAUSES if pattern.search(error)), "arc:FAILED")


def _texts(parent: ET.Element, texts: Iterable[tuple[str, str]]) -> None:
    for name, text in texts:
        ET.SubElement(parent, name).text = text


def _node(info: Mapping[str, Any]) -> str:
    return safe_text(_text(info.get("ExecutionNode")), limit=100)


def _text(value: object) -> str:
    """A text, or the first of several."""
    one = value[0] if isinstance(value, list) and value else value
    return one if isinstance(one, str) else ""


def _moment(value: object) -> datetime | None:
    """A time of this era; None for any other text."""
    try:
        found = datetime.fromisoformat(_text(value))
        return found.astimezone(UTC) if found.tzinfo is not None and found.timestamp() > 0 else None
    except (ValueError, OverflowError):  # the years 1 and 9999 have no hour before and after them
        return None
