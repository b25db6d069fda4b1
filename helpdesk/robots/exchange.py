"""Records out and in: JSON lines, CSV and Parquet; foreign records (SAM, other robots) with a weight of their own.

A foreign row is a JSON object or a CSV line with the columns that it has; `site` and `state` are needed, `t_final` or `t_observed` should be there.
Times are ISO 8601 or epoch seconds.  What a row cannot say stays empty; a row that makes no sense is told with its number and passed over.
"""

import contextlib
import csv
import hashlib
import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from helpdesk.errors import UsageError
from helpdesk.report import utc
from helpdesk.robots.record import FINAL, FOREIGN, Blame, JobState, Phase, Record, TestKind
from helpdesk.text import safe_text

COLUMNS = tuple(one.name for one in fields(Record))
_EPOCH = re.compile(r"[0-9]{9,11}(\.[0-9]+)?")  # 20260608 is a date
MAX_LINE = 1_000_000  # characters
_TIMES = frozenset(name for name in COLUMNS if name.startswith("t_"))
_INTEGERS = frozenset(
    {"input_files", "bytes_read", "bytes_written", "events_requested", "events_processed", "max_rss_bytes"}
)
_COUNTS = frozenset({"attempt", "cores"})  # at least one
_FLOATS = frozenset({"wall_s", "cpu_user_s", "cpu_sys_s", "io_wait_s"})
_TEXTS = frozenset({"experiment", "site", "template", "template_version", "campaign_id", "engine", "queue", "vo", "ce", "engine_job_id", "node", "cpu_model", "dataset", "access_mode", "payload_checksum", "error_class", "native_code", "native_text"})  # fmt: skip
_STATES = {"ok": "success", "done": "success", "finished": "success", "warning": "success", "error": "failed", "critical": "failed", "aborted": "failed"}  # fmt: skip


_READ = frozenset({"", ".csv", ".json", ".jsonl"})


@dataclass(frozen=True, slots=True)
class Odd:
    """A row that could not be taken."""

    number: int
    why: str


def as_document(record: Record) -> dict[str, Any]:
    """A record as JSON: times in ISO 8601, UTC."""
    return {name: _told(getattr(record, name)) for name in COLUMNS}


def write(records: Iterable[Record], target: Path) -> int:
    """Write a file whose ending says its format; how many records.  It appears whole or not at all."""
    writer = _WRITERS.get(target.suffix)
    if writer is None:
        raise UsageError(f"{target}: the ending says the format: {', '.join(sorted(_WRITERS))}")
    aside = target.with_name(f".{target.name}.part")
    try:
        count = writer(records, aside)
        aside.replace(target)
    except OSError as error:
        raise UsageError(f"{target}: {error.strerror}") from error
    finally:
        aside.unlink(missing_ok=True)
    return count


def read(source: Path, *, weight: float, campaign: str, now: datetime) -> Iterator[Record | Odd]:
    """The records of a foreign file, JSON lines or CSV by its ending; UsageError for a file that cannot be read."""
    if source.suffix not in _READ:
        raise UsageError(f"{source}: the ending says the format: .jsonl or .csv can be imported")
    try:
        with source.open(encoding="utf-8", errors="replace", newline="") as file:
            rows = _csv(file) if source.suffix == ".csv" else _json(file)
            for number, row in enumerate(rows, 1):
                yield row if isinstance(row, Odd) else _foreign(row, number, weight, campaign, now)
    except OSError as error:
        raise UsageError(f"{source}: {error.strerror}") from error


def unheard(record: Record, lanes: Collection[tuple[str, str]], templates: Mapping[str, str]) -> str:
    """Why a record is no evidence for any verdict, or ""; `lanes`: (site, experiment), `templates`: name -> experiment."""
    if not any(record.site == site for site, _ in lanes):
        return f"no [[site]] {record.site!r} with a queue"
    if not record.experiment or not record.template:
        return f"no {'template' if record.experiment else 'experiment'} is named"
    if (record.site, record.experiment) not in lanes:
        return f"{record.site} has no queue for the experiment {record.experiment!r}"
    if templates.get(record.template) != record.experiment:
        return f"no [[template]] {record.template!r} for the experiment {record.experiment!r}"
    return ""


def _json(file: TextIO) -> Iterator[Mapping[str, Any] | Odd]:
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        yield row if isinstance(row, dict) else Odd(number, "no JSON object")


def _csv(file: TextIO) -> Iterator[Mapping[str, Any] | Odd]:
    rows = csv.DictReader(file)
    number = 0
    while True:
        number += 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Odd(number, str(error))
            continue
        yield {
            name: value for name, value in row.items() if isinstance(name, str) and value not in {None, ""}
        }


def _foreign(
    row: Mapping[str, Any], number: int, weight: float, campaign: str, now: datetime
) -> Record | Odd:
    state = str(row.get("state", row.get("status", ""))).strip().lower()
    state = _STATES.get(state, state)
    site = row.get("site")
    if not isinstance(site, str) or not site.strip():
        return Odd(number, "no site")
    if state not in set(JobState) or JobState(state) not in FINAL:
        return Odd(number, f"{safe_text(state or 'no state', limit=40)!r} is no final state")
    found = {name: _value(name, row[name]) for name in COLUMNS if name in row}
    found = {name: value for name, value in found.items() if value is not None}
    when = found.get("t_observed") or found.get("t_final") or now
    if when > now:
        return Odd(number, "it ends in the future")
    defaults = {
        "experiment": "",
        "template": "",
        "template_version": "",
        "engine": "import",
        "queue": "",
        "attempt": 1,
        "t_final": when,
    }
    fixed = {"job": _id(row, state, campaign), "campaign_id": campaign, "test_kind": TestKind.FUNCTIONAL, "state": JobState(state), "weight": weight, "t_observed": when}  # fmt: skip
    return Record(**{**defaults, **found, **fixed})


def _value(name: str, value: Any) -> Any:
    """A column's value, None where it makes no sense."""
    if name in _TIMES:
        return _moment(value)
    if name in _TEXTS:
        return safe_text(str(value), limit=500)
    if name in _INTEGERS or name in _COUNTS:
        number = _number(value)
        least, bound = (1, 2**31) if name in _COUNTS else (0, 2**62)
        return int(number) if number is not None and least <= number < bound else None
    if name in _FLOATS:
        return _number(value)
    if name in {"phase", "blame"}:
        kind: type[Phase | Blame] = Phase if name == "phase" else Blame
        return kind(value) if value in {one.value for one in kind} else None
    return None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _moment(value: Any) -> datetime | None:
    try:
        if isinstance(value, int | float) or _EPOCH.fullmatch(str(value)):
            return datetime.fromtimestamp(float(value), UTC)
        found = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _id(row: Mapping[str, Any], state: str, campaign: str) -> str:
    """The same row, imported again, is the same record, whatever format it comes in."""
    told = {name: text for name, value in row.items() if (text := _alike(name, value))}
    told["state"] = state
    if "state" not in row:  # then this was it
        told.pop("status", None)
    return (
        f"{FOREIGN}{hashlib.sha256(json.dumps([campaign, told], sort_keys=True).encode()).hexdigest()[:24]}"
    )


def _alike(name: str, value: Any) -> str:
    """A value as a text that is the same from CSV and from JSON; "" for none."""
    if value is None:
        return ""
    found = None if name in _TEXTS else _value(name, value)
    if found is not None:
        return str(found)
    if isinstance(value, str) and value[:1] in {"{", "["}:
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(value)
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _told(value: Any) -> Any:
    return utc(value) if isinstance(value, datetime) else value


def _flat(record: Record) -> dict[str, Any]:
    return {**as_document(record), "raw": json.dumps(record.raw, default=str)}


def _write_json(records: Iterable[Record], target: Path) -> int:
    count = 0
    with target.open("w", encoding="utf-8") as file:
        for record in records:
            count += 1
            file.write(f"{json.dumps(as_document(record), default=str)}\n")
    return count


def _write_csv(records: Iterable[Record], target: Path) -> int:
    count = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for record in records:
            count += 1
            writer.writerow(_flat(record))
    return count


def _write_parquet(records: Iterable[Record], target: Path) -> int:
    try:
        import pyarrow as pa  # noqa: PLC0415 - the extra
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(
            f"{error}; in a checkout, pip install '.[robots]' brings what Parquet needs"
        ) from error
    kinds = {
        **dict.fromkeys(_TIMES, pa.timestamp("us", "UTC")),
        **dict.fromkeys(_INTEGERS, pa.int64()),
        **dict.fromkeys(_FLOATS, pa.float64()),
    }
    kinds |= {
        "attempt": pa.int32(),
        "cores": pa.int32(),
        "schema_version": pa.int32(),
        "weight": pa.float64(),
    }
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    count, batch = 0, list[dict[str, Any]]()
    with pq.ParquetWriter(target, schema) as writer:
        for record in records:
            count += 1
            batch.append(
                {
                    **{name: getattr(record, name) for name in COLUMNS},
                    "raw": json.dumps(record.raw, default=str),
                }
            )
            if len(batch) == 10_000:
                writer.write_table(pa.Table.from_pylist(batch, schema))
                batch = []
        writer.write_table(pa.Table.from_pylist(batch, schema))
    return count


_WRITERS: Mapping[str, Callable[[Iterable[Record], Path], int]] = {
    ".jsonl": _write_json,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
