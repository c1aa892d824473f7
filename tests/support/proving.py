"""Unit tests of alerts by promtool, made from the examples that the alerts carry."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from components.documents import render_yaml
from components.prometheus.rules import build_rule_file
from model.base import parse_duration
from model.telemetry import AlertRule, Example, RuleGroup

STEP = "1m"
"""How far apart the samples of the examples are, and how often rules are evaluated in most tests."""
OF_PLATFORM = re.compile(r'\b(node|pod|namespace)="[^"]*",? ?')
"""Labels that series have only where the platform tells where they come from, as a cluster does."""
TEXT = re.compile(r'\b(summary|description)="((?:[^"\\]|\\.)*)"')
PRINTED_ALERT = re.compile(r"^ *alertname: (\S+), time: .*?^ *\]\n", re.MULTILINE | re.DOTALL)
"""An alert that a test did not expect, as promtool prints it."""
HEADING = re.compile(r" *(Unit Testing:.*|FAILED:|SUCCESS|name: .*|)")
"""What promtool prints around failures; any other line is one."""


def unproven(group: RuleGroup) -> list[str]:
    """The alerts of a group that carry no example."""
    return [alert.name for alert in group.alerts if alert.example is None]


LONG, COARSE = 24 * 3600, "5m"
"""An example that takes longer, in seconds, is evaluated as seldom as this, unless less is looked at."""


def evaluation(at: str) -> str:
    """How often rules are evaluated in a test that looks at them at that time, which is that of an evaluation."""
    return COARSE if parse_duration(at) > LONG and parse_duration(at) % parse_duration(COARSE) == 0 else STEP


def needed(group: RuleGroup, alert: AlertRule) -> RuleGroup:
    """The group with the alert and what its expression asks of the group, alone: no other rule changes what it does."""
    return asked_for([group], [f'ALERTS{{alertname="{alert.name}"}}'])[0]


def asked_for(groups: Sequence[RuleGroup], queries: Sequence[str]) -> list[RuleGroup]:
    """The groups with those rules alone that the queries ask for, and that these rules ask for in turn."""
    rules = [(f'alertname="{rule.name}"', rule.expr) for group in groups for rule in group.alerts]
    rules += [(rule.record, rule.expr) for group in groups for rule in group.recordings]
    exprs, names = list(queries), set[str]()
    for expr in exprs:  # which grows meanwhile
        found = {name for name, _ in rules if name in expr} - names
        names |= found
        exprs += [needs for name, needs in rules if name in found]
    return [
        replace(
            group,
            recordings=tuple(rule for rule in group.recordings if rule.record in names),
            alerts=tuple(rule for rule in group.alerts if f'alertname="{rule.name}"' in names),
        )
        for group in groups
    ]


def prove(group: RuleGroup, promtool: str, folder: Path) -> str:
    """What promtool complains of when it runs the examples of all alerts of the group; "" when all hold."""
    done = run(promtool, _write_proof(group, folder, {}))
    return "" if done.returncode == 0 else done.stdout + done.stderr


def prove_and_read(group: RuleGroup, promtool: str, folder: Path, *, cluster: bool) -> tuple[str, list[str]]:
    """What `prove` returns, and every text of the alerts that fire by their examples, in one run.

    For the texts each example is also a test that expects no alert, so that promtool prints the alert; unless the stack
    is on a `cluster`, its series have no labels that only a cluster gives.
    """
    examples = {alert.name: alert.example for alert in group.alerts if alert.example}
    shown = {name: _print_alert(name, example, cluster=cluster) for name, example in examples.items()}
    done = run(promtool, _write_proof(group, folder, shown))
    printed = done.stdout + done.stderr
    absent = shown.keys() - set(PRINTED_ALERT.findall(printed))
    failed = [line for line in PRINTED_ALERT.sub("", printed).splitlines() if not HEADING.fullmatch(line)]
    complaint = printed if absent or failed else ""
    return complaint, [text for _, text in TEXT.findall(printed)]


def _print_alert(name: str, example: Example, *, cluster: bool) -> tuple[str, dict[str, Any]]:
    series = example.fires if cluster else {remove_platform(key): values for key, values in example.fires.items()}
    expected = [{"alertname": name, "eval_time": example.at, "exp_alerts": []}]
    return example.at, _build_test(f"{name} is printed", series) | {"alert_rule_test": expected}


def remove_platform(series: str) -> str:
    """A series without the labels that only a cluster gives."""
    return OF_PLATFORM.sub("", series).replace(", }", "}")


def _write_proof(group: RuleGroup, folder: Path, more: Mapping[str, tuple[str, Mapping[str, Any]]]) -> list[Path]:
    """The files of the tests of each alert of the group, with one `more` of an alert where there is one."""
    files = []
    for number, alert in enumerate(group.alerts):
        by_step: dict[str, list[Mapping[str, Any]]] = {}
        tests = [*(cases(alert) if alert.example else ()), *([more[alert.name]] if alert.name in more else ())]
        for at, test in tests:
            by_step.setdefault(evaluation(at), []).append(test)
        rest = needed(group, alert)
        files += [
            write_tests(rest, merge_tests(t), s, folder / f"{alert.name}-{number}-{s}.yml") for s, t in by_step.items()
        ]
    return files


def merge_tests(tests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Tests of the same series as one, which looks at all of their times: promtool evaluates the rules once."""
    merged: dict[str, dict[str, Any]] = {}
    for test in tests:
        one = merged.setdefault(
            repr(test["input_series"]), {**test, "name": "", "promql_expr_test": [], "alert_rule_test": []}
        )
        one["name"] += f"{', ' if one['name'] else ''}{test['name']}"
        one["promql_expr_test"] += test["promql_expr_test"]
        one["alert_rule_test"] += test["alert_rule_test"]
    return list(merged.values())


def run(promtool: str, files: Sequence[Path]) -> subprocess.CompletedProcess[str]:
    """Promtool, at its end, with all of these tests; its words name the file of each that fails."""
    env = {**os.environ, "GOGC": "400"}  # it ends before its memory counts
    return subprocess.run([promtool, "test", "rules", *files], capture_output=True, text=True, check=False, env=env)


def write_tests(group: RuleGroup, tests: Sequence[Mapping[str, Any]], step: str, path: Path) -> Path:
    """A file of promtool's tests, beside one with the rules of the group, which are evaluated every `step`."""
    document = build_rule_file(group)
    for item in document["groups"]:
        item.pop("interval", None)
    path.with_suffix(".rules").write_text(render_yaml(document))
    text = {"rule_files": [path.with_suffix(".rules").name], "evaluation_interval": step, "tests": list(tests)}
    path.write_text(render_yaml(text))
    return path


def cases(alert: AlertRule) -> Iterator[tuple[str, dict[str, Any]]]:
    """Tests, each with the time that it looks at.

    The alert fires in the one example and not in the other; and it does not fire before it has held for long enough.
    """
    assert alert.example is not None
    at = alert.example.at
    yield at, _case(alert, "fires", alert.example.fires, at, expected=1)
    if alert.example.silent:  # Watchdog has nothing that could silence it
        yield at, _case(alert, "stays silent", alert.example.silent, at, expected=0)
    if parse_duration(alert.for_) > parse_duration(STEP):
        early = f"{parse_duration(alert.for_) - parse_duration(STEP):g}s"
        yield early, _case(alert, "waits", alert.example.fires, early, expected=0)


def _case(alert: AlertRule, name: str, series: Mapping[str, str], at: str, *, expected: int) -> dict[str, Any]:
    labels = "".join(f', {key}="{value}"' for key, value in alert.labels.items())
    firing = f'ALERTS{{alertname="{alert.name}", alertstate="firing", severity="{alert.severity}"{labels}}}'
    expected_value = {"labels": "{}", "value": expected}
    query = {"expr": f"(count({firing}) or vector(0)) > bool 0", "eval_time": at, "exp_samples": [expected_value]}
    return _build_test(f"{alert.name} {name}", series) | {"promql_expr_test": [query]}


def _build_test(name: str, series: Mapping[str, str]) -> dict[str, Any]:
    """A test of these series that expects nothing yet."""
    given = [{"series": key, "values": values} for key, values in series.items()]
    return {"interval": STEP, "name": name, "input_series": given, "promql_expr_test": [], "alert_rule_test": []}
