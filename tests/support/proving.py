"""Unit tests of alerts by promtool, made from the examples that the alerts carry."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from components.prometheus.rules import build_rule_file
from model.base import parse_duration
from model.telemetry import AlertRule, RuleGroup

STEP = "1m"
"""How far apart the samples of the examples are, and how often the rules are evaluated in a test."""


def unproven(group: RuleGroup) -> list[str]:
    """The alerts of a group that carry no example."""
    return [alert.name for alert in group.alerts if alert.example is None]


LONG = 24 * 3600
"""An example that takes longer, in seconds, is run with its alert alone: a minute's rules times days is a long test."""


def prove(group: RuleGroup, promtool: str, folder: Path) -> str:
    """What promtool complains of when it runs the examples of all alerts of the group; "" when all hold."""
    shown = [alert for alert in group.alerts if alert.example]
    alone = [alert for alert in shown if alert.example and parse_duration(alert.example.at) > LONG]
    files = [_file(group, [alert for alert in shown if alert not in alone], folder / "tests.yml")]
    for alert in alone:
        files.append(_file(replace(group, alerts=(alert,)), [alert], folder / f"{alert.name}.yml"))
    done = subprocess.run([promtool, "test", "rules", *files], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _file(group: RuleGroup, shown: Sequence[AlertRule], path: Path) -> Path:
    """A file of promtool's tests with the examples of these alerts, beside one with the rules of the group."""
    document = build_rule_file(group)
    for item in document["groups"]:
        item.pop("interval", None)
    path.with_suffix(".rules").write_text(yaml.safe_dump(document))
    text = {
        "rule_files": [path.with_suffix(".rules").name],
        "evaluation_interval": STEP,
        "tests": [test for alert in shown for test in cases(alert)],
    }
    path.write_text(yaml.safe_dump(text, sort_keys=False))
    return path


def cases(alert: AlertRule) -> Iterator[dict[str, Any]]:
    """It fires in the one example and not in the other; and it does not fire before it has held for long enough."""
    assert alert.example is not None
    at = alert.example.at
    yield _case(alert, "fires", alert.example.fires, at, expected=1)
    if alert.example.silent:  # Watchdog has nothing that could silence it
        yield _case(alert, "stays silent", alert.example.silent, at, expected=0)
    if parse_duration(alert.for_) > parse_duration(STEP):
        early = f"{parse_duration(alert.for_) - parse_duration(STEP):g}s"
        yield _case(alert, "waits", alert.example.fires, early, expected=0)


def _case(alert: AlertRule, name: str, series: Mapping[str, str], at: str, *, expected: int) -> dict[str, Any]:
    labels = "".join(f', {key}="{value}"' for key, value in alert.labels.items())
    firing = f'ALERTS{{alertname="{alert.name}", alertstate="firing", severity="{alert.severity}"{labels}}}'
    return {
        "interval": STEP,
        "name": f"{alert.name} {name}",
        "input_series": [{"series": key, "values": values} for key, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f"(count({firing}) or vector(0)) > bool 0",
                "eval_time": at,
                "exp_samples": [{"labels": "{}", "value": expected}],
            }
        ],
    }
