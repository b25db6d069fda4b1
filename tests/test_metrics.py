"""The daemon's numbers: what it counts is what a report says, and each board counts for itself."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Connection, insert

from helpdesk.metrics import Metrics
from helpdesk.outbox import OutboxRow, State
from helpdesk.report import Done, Hold, Report
from helpdesk.store import db, figures, migrations, outbox
from helpdesk.store.core import THREAD
from helpdesk.store.figures import Figures

NOW = datetime(2026, 6, 8, 6, 0, tzinfo=UTC)


def numbers(metrics: Metrics) -> dict[str, float]:
    """Each sample as `name{label=value,...}`, read as Prometheus reads it."""
    found = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def report(*, held: tuple[str, ...] = ()) -> Report:
    made = Report(NOW)
    made.observed.update(messages=7, new=2, changed=1, gone=1, commands=5, bytes=900)
    made.actions = [
        Done("0f3c", "add_label", "dast-7kq2m", "escalate", "because", "GGUS"),
        Done("0f3d", "move", "dast-7kq2m", "close", "because", "archive"),
    ]
    made.held = [Hold(what, "why") for what in held]
    made.seconds.update(observe=0.25)
    return made


def test_a_cycle_is_counted() -> None:
    """Cycles, their time by stage, commands, bytes, messages and the moment of the last poll are what the report says."""
    metrics = Metrics("dast")
    metrics.cycle(report())
    metrics.cycle(report())
    found = numbers(metrics)
    assert found["helpdesk_info{board=dast}"] == 1
    assert found["helpdesk_cycles_total"] == 2
    assert found["helpdesk_cycle_seconds_sum{stage=observe}"] == 0.5
    assert found["helpdesk_imap_commands_total"] == 10
    assert found["helpdesk_imap_received_bytes_total"] == 1800
    assert found["helpdesk_observed_total{what=new}"] == 4
    assert found["helpdesk_messages"] == 7
    assert found["helpdesk_last_successful_poll_timestamp_seconds"] == NOW.timestamp()


def test_a_run_is_counted_once() -> None:
    """Actions are counted by kind and rule once a run; what is held is what the last cycle left."""
    metrics = Metrics("dast")
    metrics.run(report(), report(held=("gone", "outbox", "outbox")))
    found = numbers(metrics)
    assert found["helpdesk_actions_total{kind=add_label,rule=escalate}"] == 1
    assert (found["helpdesk_held{what=gone}"], found["helpdesk_held{what=outbox}"]) == (1, 2)
    metrics.run(Report(NOW), Report(NOW))
    assert not [name for name in numbers(metrics) if name.startswith("helpdesk_held{")]


def test_what_lies_in_the_database_is_a_gauge() -> None:
    """Mails by state and threads by place show what there is now; attention and pending stay until they are counted again."""
    metrics = Metrics("dast")
    metrics.figures(Figures(3, 40, 1, {"sent": 5, "held": 1}, 2, {"auto_close": 2}))
    metrics.figures(Figures(4, 40, 0, {"sent": 6}))
    found = numbers(metrics)
    assert (found["helpdesk_threads{state=open}"], found["helpdesk_threads{state=closed}"]) == (4, 40)
    assert found["helpdesk_threads_attention"] == 2
    assert found["helpdesk_pending{rule=auto_close}"] == 2
    assert found["helpdesk_quarantined"] == 0
    assert found["helpdesk_outbox{state=sent}"] == 6
    assert "helpdesk_outbox{state=held}" not in found


def test_two_boards_do_not_share_numbers() -> None:
    """Each daemon has a registry of its own: what one counts does not show in another."""
    one, other = Metrics("dast"), Metrics("cms")
    one.failed("unreachable")
    one.connected()
    one.failing(failing=True)
    assert numbers(one)["helpdesk_errors_total{kind=unreachable}"] == 1
    assert numbers(one)["helpdesk_imap_connects_total"] == 1
    assert numbers(one)["helpdesk_poll_failing"] == 1
    assert numbers(other)["helpdesk_imap_connects_total"] == 0


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    migrations.upgrade(url)
    return url


def test_figures_are_counted_and_the_next_moment_found(url: str) -> None:
    """The database tells how many threads and mails there are, and the earliest future moment that anything waits for."""
    engine = db.open_engine(url)
    with engine.begin() as conn:
        for number, due in enumerate([None, -60, 90, 120]):
            thread(conn, number, None if due is None else NOW + timedelta(seconds=due))
        row = OutboxRow(0, "<1@x>", "", "urgent", "1", "urgent", ("ann@example.org",), NOW)
        assert outbox.add(conn, row, None)
        assert figures.count(conn) == Figures(2, 2, 0, {"planned": 1})
        assert figures.open_threads(conn) == [1, 3]
        assert figures.next_due(conn, NOW) == NOW + timedelta(seconds=90)
        [stored] = outbox.rows(conn)
        late = replace(stored, next_try_at=NOW + timedelta(seconds=30), state=State.UNKNOWN)
        outbox.save(conn, late)
        assert figures.next_due(conn, NOW) == NOW + timedelta(seconds=30)
        outbox.save(conn, replace(late, state=State.HELD))
        assert figures.next_due(conn, NOW) == NOW + timedelta(seconds=90)
        assert figures.next_due(conn, NOW + timedelta(hours=1)) is None
    engine.dispose()


def thread(conn: Connection, number: int, due: datetime | None) -> None:
    values = {
        "code": f"code{number}",
        "component": number,
        "open": number % 2 == 0,
        "due": due,
        "dirty": False,
    }
    conn.execute(insert(THREAD).values(**values, state="", pending="", opened_at=NOW, last_activity_at=NOW))
