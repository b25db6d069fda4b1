"""The dashboard against Grafana's own types, as its npm package `@grafana/schema` has them."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers.prometheus import MONITORING

PACKAGES = ("@grafana/schema@13", "typescript@5")
COMPILE = "--noEmit --strict --skipLibCheck --module esnext --moduleResolution bundler --target es2022"

IMPORTS = """\
import type { Dashboard } from '@grafana/schema';
import type { Options as StatOptions }
  from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { Options as TimeseriesOptions, FieldConfig as TimeseriesConfig }
  from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
type Plain<T> = T extends string ? `${T}` : T extends number | boolean | null | undefined ? T
  : T extends readonly (infer U)[] ? Plain<U>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
"""
"""`Plain` lets the words of an enumeration be written as JSON writes them; a key that no type knows stays an error."""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Grafana's types and a compiler."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    room = tmp_path_factory.mktemp("grafana")
    (room / "package.json").write_text("{}")
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-update-notifier")
    done = subprocess.run(
        [npm, "install", *quiet, *PACKAGES],
        cwd=room,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip("npm finds no packages here")
    return room


def program(text: str) -> str:
    """The dashboard as constants with Grafana's types."""
    dashboard = json.loads(text)
    lines = [IMPORTS, f"export const dashboard: Plain<Dashboard> = {json.dumps(dashboard)};"]
    for panel in dashboard["panels"]:
        kind, number = str(panel["type"]).capitalize(), panel["id"]
        lines.append(f"export const options{number}: Plain<{kind}Options> = {json.dumps(panel['options'])};")
        if "custom" in panel["fieldConfig"]["defaults"]:
            custom = json.dumps(panel["fieldConfig"]["defaults"]["custom"])
            lines.append(f"export const custom{number}: Plain<{kind}Config> = {custom};")
    return "\n".join(lines)


def compiled(room: Path, text: str) -> str:
    """What the compiler complains about."""
    (room / "dashboard.ts").write_text(program(text))
    command = [str(room / "node_modules/.bin/tsc"), *COMPILE.split(), "dashboard.ts"]
    return subprocess.run(command, cwd=room, capture_output=True, text=True, check=False).stdout


@pytest.mark.slow
def test_grafana_knows_every_key_of_the_dashboard(room: Path) -> None:
    """Dashboard, panels, options and variables have Grafana's types: nothing is missing, misspelt or unknown."""
    text = (MONITORING / "grafana-dashboard.json").read_text()
    assert compiled(room, text) == ""
    for right, wrong in (
        ('"gridPos"', '"gridPso"'),
        ('"normal"', '"nromal"'),
        ('"colorMode": "background"', '"colorMode": 1'),
    ):
        assert "error TS" in compiled(room, text.replace(right, wrong)), right
