"""Alerts and dashboard: right by their own tools, about metrics that a daemon really has, with a paragraph for each alarm."""

import itertools
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpdesk import alarm, posting, runbook
from helpdesk.metrics import Metrics
from helpdesk.rules.brakes import MAILS
from helpdesk.store import holds
from tests.conftest import Login
from tests.human import ImapHuman
from tests.servers.daemon import Daemon, Setting, eventually
from tests.servers.installed import PROJECT
from tests.servers.prometheus import BINARY, MONITORING, PROMTOOL, Prometheus
from tests.servers.smtp_sink import SmtpSink
from tests.world import mail

RULES = MONITORING / "helpdesk.rules.yml"
DASHBOARD: dict[str, Any] = json.loads((MONITORING / "grafana-dashboard.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
TITLES = [panel["title"] for panel in PANELS]
EMPTY_WHEN_ALL_IS_WELL = {"Mails of the board", "What is held", "Trouble"}

MOVES = {"reopen", "bounce", "join", "auto_close"}
"""The rules that move threads by themselves, which is what `max_bot_moves` brakes."""

OWN_ALARMS = {"outbox", "server", "convergence", "calendar", "robots", MAILS, alarm.KIND}

needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
needs_prometheus = pytest.mark.skipif(BINARY is None, reason="prometheus is not installed")


def alerts() -> dict[str, str]:
    """The text of each alert by its name."""
    parts = re.split(r"^      - alert: (\w+)$", RULES.read_text(), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def field(text: str, name: str) -> str:
    found = re.search(rf'^ +{name}: "(.*)"$', text, flags=re.MULTILINE)
    return found[1] if found else ""


def expressions(panel: dict[str, Any]) -> list[str]:
    """What a panel asks, with Grafana's variables filled in."""
    asked = [str(target["expr"]) for target in panel["targets"]]
    return [one.replace("$board", ".*").replace("$__rate_interval", "10s") for one in asked]


def promtool(*args: str, typed: str = "") -> str:
    done = subprocess.run(
        [str(PROMTOOL), *args], cwd=MONITORING, input=typed, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


# -- by their own tools --------------------------------------------------------------------------------------------


@needs_promtool
def test_prometheus_takes_the_rules() -> None:
    """`promtool check` finds nothing wrong with the rules, nor with the configuration that names them."""
    assert f"SUCCESS: {len(alerts())} rules found" in promtool("check", "rules", "--lint-fatal", RULES.name)
    promtool("check", "config", "prometheus.yml")


@needs_promtool
def test_each_alert_is_told_when_it_should_be() -> None:
    """`promtool test rules` runs our cases, which see every alert fire, with its words."""
    assert "SUCCESS" in promtool("test", "rules", "helpdesk.rules.test.yml")
    cases = (MONITORING / "helpdesk.rules.test.yml").read_text()
    told = {
        one
        for part in cases.split("alertname: ")[1:]
        if "exp_alerts" in part.partition("alertname")[0]
        for one in [part.split()[0]]
    }
    assert {name.strip("},") for name in told} == set(alerts())


@needs_promtool
def test_every_query_of_the_dashboard_is_promql(tmp_path: Path) -> None:
    """Each expression of the dashboard is parsed by promtool, as a recording rule."""
    found = [one for panel in PANELS for one in expressions(panel)]
    rules = [f"  - {{record: x{number}, expr: {json.dumps(one)}}}" for number, one in enumerate(found)]
    path = tmp_path / "dashboard.yml"
    path.write_text("groups:\n- name: x\n  rules:\n" + "\n".join(rules))
    assert f"{len(found)} rules found" in promtool("check", "rules", str(path))


# -- about what there is -------------------------------------------------------------------------------------------


@pytest.fixture
def daemon(
    tmp_path: Path, login: Callable[[str], Login], human_on: Callable[[Login], ImapHuman]
) -> Iterator[Daemon]:
    """A daemon that has looked at two threads, one of them WAITING, and has carried a label over the other."""
    with SmtpSink() as sink:
        setting = Setting(tmp_path, login("dovecot-mdbox"), sink)
        human = human_on(setting.imap)
        first = human.deliver("INBOX", mail("ann@users.example", "Jobs fail", "<a@x>"))
        human.deliver("INBOX", mail("ann@users.example", "Re: Jobs fail", "<b@x>", answers=["<a@x>"]))
        other = human.deliver("INBOX", mail("bob@users.example", "Disk full", "<c@x>"))
        human.add_flags("INBOX", [other], ["waiting"])
        with Daemon(setting) as daemon:
            daemon.until("looked")
            human.add_flags("INBOX", [first], ["waiting"])
            daemon.until("action")
            daemon.until("looked", 2)
            yield daemon
            assert daemon.stop() == 0


@needs_prometheus
def test_a_real_prometheus_watches_a_real_daemon(daemon: Daemon) -> None:
    """Every rule evaluates, none fires for a board that is well, and every panel of the dashboard has something to show."""
    if PROMTOOL is not None:
        promtool("check", "metrics", typed=daemon.get("/metrics")[1])
    with Prometheus(daemon.setting.http_port) as prometheus:
        rates = "rate(helpdesk_cycles_total[10s])"
        eventually(lambda: prometheus.query(rates), "two samples")
        well = dict.fromkeys(alerts(), ("ok", "inactive"))
        eventually(lambda: states(prometheus) == well, "every rule was evaluated, and all is well")
        silent = [
            (panel["title"], one)
            for panel in PANELS
            for one in expressions(panel)
            if not prometheus.query(one) and panel["title"] not in EMPTY_WHEN_ALL_IS_WELL
        ]
        assert silent == []
        [board] = prometheus.query("helpdesk_threads{state='open'}")
        assert (board["metric"]["board"], board["value"][1]) == ("dast", "2")


def states(prometheus: Prometheus) -> dict[str, tuple[str, str]]:
    """Whether each rule could be evaluated, and whether it fires."""
    rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
    return {rule["name"]: (rule["health"], rule["state"]) for rule in rules}


def test_no_metric_is_made_up() -> None:
    """Every metric that an alert or a panel names is one that the daemon has."""
    text = Metrics("dast").text().decode()
    known = set(re.findall(r"^# TYPE (\w+)", text, flags=re.MULTILINE))
    asked = [RULES.read_text(), *(one for panel in PANELS for one in expressions(panel))]
    named = {name for one in asked for name in re.findall(r"\bhelpdesk_[a-z_]+\b", one)}
    assert {re.sub(r"_(sum|bucket|count)$", "", name) for name in named} <= known


# -- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", sorted(holds.BOARD | OWN_ALARMS | MOVES | (posting.KINDS.keys() - {"alarm"}))
)
def test_every_alarm_of_the_code_has_a_paragraph(kind: str) -> None:
    """Whatever a brake can hold, the runbook has words about it that say what to do."""
    assert runbook.paragraph(kind) != runbook.paragraph("no such alarm")
    assert "\n\n" not in runbook.paragraph(kind)


@pytest.mark.parametrize("name", sorted(alerts()))
def test_every_alert_names_a_paragraph(name: str) -> None:
    """Each alert has a severity, words, and a paragraph of the runbook; where it is about what is held, that one's."""
    text = alerts()[name]
    assert re.search(r"labels: \{severity: (critical|warning)\}", text)
    assert field(text, "summary")
    assert field(text, "description")
    path, _, paragraph = field(text, "runbook").partition("#")
    assert path == "helpdesk/runbook.md"
    if paragraph == "{{ $labels.what }}":
        assert "helpdesk_held{what" in text
    else:
        assert runbook.paragraph(paragraph) != runbook.paragraph("no such alarm")


def test_the_brakes_of_the_board_are_critical() -> None:
    """What holds the whole board is told by the alert about that, and by no other."""
    [board] = re.findall(r'helpdesk_held\{what=~"([a-z_|]+)"\}', alerts()["HelpdeskBoardHeld"])
    [others] = re.findall(r'helpdesk_held\{what!~"([a-z_|]+)"\}', alerts()["HelpdeskRuleHeld"])
    assert set(board.split("|")) == set(holds.BOARD)
    assert set(others.split("|")) == {*holds.BOARD, "outbox"}


def test_the_runbook_holds_nothing_that_nobody_names() -> None:
    """Each paragraph is about an alarm of the code or an alert of Prometheus."""
    text = (PROJECT / "helpdesk" / "runbook.md").read_text()
    written = set(re.findall(r"^## (\S+)$", text, flags=re.MULTILINE))
    alarms = holds.BOARD | OWN_ALARMS | MOVES | set(posting.KINDS) - {"alarm"}
    named = {field(one, "runbook").partition("#")[2] for one in alerts().values()} - {"{{ $labels.what }}"}
    assert written == alarms | named


# -- the dashboard -------------------------------------------------------------------------------------------------


def test_panels_lie_on_the_grid() -> None:
    """Panels keep within 24 columns, do not overlap, and have names and numbers of their own."""
    cells: set[tuple[int, int]] = set()
    for panel in PANELS:
        grid = panel["gridPos"]
        assert 0 <= grid["x"] < grid["x"] + grid["w"] <= 24
        mine = set(
            itertools.product(
                range(grid["x"], grid["x"] + grid["w"]), range(grid["y"], grid["y"] + grid["h"])
            )
        )
        assert not cells & mine, panel["title"]
        cells |= mine
    assert len(cells) == 24 * (1 + max(y for _, y in cells)), "there are gaps"
    assert len({panel["id"] for panel in PANELS}) == len(set(TITLES)) == len(PANELS)


@pytest.mark.parametrize("panel", PANELS, ids=TITLES)
def test_each_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    """A panel has a description, a unit, the dashboard's data source, and asks about the chosen boards."""
    assert panel["type"] in {"stat", "timeseries"}
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    source = {"type": "prometheus", "uid": "${datasource}"}
    assert panel["datasource"] == source
    letters = [target["refId"] for target in panel["targets"]]
    assert letters == sorted(set(letters))
    for target in panel["targets"]:
        assert target["datasource"] == source
        assert target["expr"].count('board=~"$board"') == len(
            re.findall(r"\bhelpdesk_\w+\{|\bup\{", target["expr"])
        )
        assert target["legendFormat"].startswith("{{board}}")


def test_the_dashboard_asks_which_boards() -> None:
    """Data source and board are variables; all boards are chosen at first, and nothing is refreshed too often."""
    kinds = {one["name"]: one["type"] for one in DASHBOARD["templating"]["list"]}
    assert kinds == {"datasource": "datasource", "board": "query"}
    board = DASHBOARD["templating"]["list"][1]
    assert (board["includeAll"], board["multi"], board["current"]["value"]) == (True, True, ["$__all"])
    assert (DASHBOARD["uid"], DASHBOARD["refresh"], DASHBOARD["schemaVersion"]) == (
        "helpdesk-boards",
        "1m",
        39,
    )
    assert "id" not in DASHBOARD
