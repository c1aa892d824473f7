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


STEPS = ("1h", "30m", "15m", "5m", STEP)
LEAST = 6
"""So many evaluations a test has at least, unless it is soon over."""


def choose_interval(at: str, *waits: str) -> str:
    """How often rules are evaluated in a test that looks at `at`: seldom, as each evaluation takes time.

    That time and how long alerts wait are multiples of it, so that they fire when they would.
    """
    times = [parse_duration(text) for text in (at, *waits)]
    lengths = ((step, parse_duration(step)) for step in STEPS)
    fits = (step for step, length in lengths if times[0] >= LEAST * length and not any(t % length for t in times))
    return next(fits, STEP)


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


def _print_alert(name: str, example: Example, *, cluster: bool) -> dict[str, Any]:
    series = example.fires if cluster else {remove_platform(key): values for key, values in example.fires.items()}
    expected = [{"alertname": name, "eval_time": example.at, "exp_alerts": []}]
    return _build_test(f"{name} is printed", series) | {"alert_rule_test": expected}


def remove_platform(series: str) -> str:
    """A series without the labels that only a cluster gives."""
    return OF_PLATFORM.sub("", series).replace(", }", "}")


def _write_proof(group: RuleGroup, folder: Path, more: Mapping[str, Mapping[str, Any]]) -> list[Path]:
    """The files of the tests of each alert of the group, with one `more` of an alert where there is one."""
    files = []
    for number, alert in enumerate(group.alerts):
        if alert.example:
            tests = [*cases(alert), *([more[alert.name]] if alert.name in more else ())]
            step, path = choose_interval(alert.example.at, alert.for_), folder / f"{alert.name}-{number}.yml"
            files.append(write_tests(needed(group, alert), merge_tests(tests), step, path))
    return files


def merge_tests(tests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Tests of the same series as one, which looks at all of their times: promtool evaluates the rules once."""
    merged: dict[str, dict[str, Any]] = {}
    for test in tests:
        one = merged.setdefault(
            repr(test["input_series"]), {**test, "name": "", "promql_expr_test": [], "alert_rule_test": []}
        )
        one["name"] += f"{', ' if one['name'] else ''}{test.get('name', '')}"
        for expected in ("promql_expr_test", "alert_rule_test"):
            one[expected] += test.get(expected, [])
    return list(merged.values())


def run(promtool: str, files: Sequence[Path]) -> subprocess.CompletedProcess[str]:
    """Promtool, at its end, with all of these tests; its words name the file of each that fails."""
    env = {**os.environ, "GOGC": "off", "GOMEMLIMIT": "1GiB"}  # it ends before its memory counts
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


def cases(alert: AlertRule) -> Iterator[dict[str, Any]]:
    """Tests of an alert by its example.

    It fires in the one example and not in the other; and it does not fire before it has held for long enough.
    """
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
    expected_value = {"labels": "{}", "value": expected}
    query = {"expr": f"(count({firing}) or vector(0)) > bool 0", "eval_time": at, "exp_samples": [expected_value]}
    return _build_test(f"{alert.name} {name}", series) | {"promql_expr_test": [query]}


def _build_test(name: str, series: Mapping[str, str]) -> dict[str, Any]:
    """A test of these series that expects nothing yet."""
    given = [{"series": key, "values": values} for key, values in series.items()]
    return {"interval": STEP, "name": name, "input_series": given, "promql_expr_test": [], "alert_rule_test": []}
