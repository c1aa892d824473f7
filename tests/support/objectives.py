"""A shop with objectives, and promtool's judgement of recorded series and alerts over hours and days."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.documents import render_yaml
from components.prometheus.rules import build_rule_file
from model.load import parse_model
from model.system import System
from model.telemetry import RuleGroup
from packs.system import expand_system
from tests.support.proving import asked_for, merge_tests, run
from tests.support.validating import tool

IDS = 'service="api", system="shop", environment="test"'
AVAILABILITY = {"kind": "availability", "target": 0.999}
LATENCY = {"kind": "latency", "target": 0.9, "threshold": 0.5}
RATIO = {
    "kind": "ratio",
    "name": "jobs",
    "target": 0.95,
    "bad": 'worker_jobs_processed_total{status="failed"}',
    "total": "worker_jobs_processed_total",
}


def system(*objectives: Mapping[str, Any], tune: Mapping[str, Any] | None = None, **service: Any) -> System:
    """A shop with one HTTP service and these objectives of it."""
    services = {"api": {"port": 80, "packs": ["http", "worker"], **service}}
    made = [{"service": "api", **objective} for objective in objectives]
    document = {"name": "shop", "title": "Shop", "services": services, "objectives": made, "tune": dict(tune or {})}
    return expand_system(parse_model(System, document, "shop"))


def judged(folder: Path, groups: Sequence[RuleGroup], tests: Sequence[Mapping[str, Any]], interval: str) -> None:
    """Asserts that promtool agrees with the tests of these rules."""
    queries = [check["expr"] for test in tests for check in test["promql_expr_test"]]
    order = [group.name for group in groups]  # of one moment, as if each were evaluated a little later
    files = [folder / f"{number}.yml" for number in range(len(groups))]
    for file, group in zip(files, asked_for(groups, queries), strict=True):
        document = build_rule_file(group)
        document["groups"][0].pop("interval", None)
        file.write_text(render_yaml(document))
    text = {"rule_files": [file.name for file in files], "evaluation_interval": interval, "group_eval_order": order}
    (folder / "tests.yml").write_text(render_yaml({**text, "tests": merge_tests(tests)}))
    done = run(str(tool("promtool")), [folder / "tests.yml"])
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


def case(series: Mapping[str, str], at: str, *facts: str, interval: str = "1m") -> dict[str, Any]:
    """A test of promtool: with these series, each of the queries `facts` has a value other than 0 at that time."""
    checks = [
        {
            "expr": f"min(({fact}) != bool 0) or vector(0)",
            "eval_time": at,
            "exp_samples": [{"labels": "{}", "value": 1}],
        }
        for fact in facts
    ]
    named = [{"series": name, "values": values} for name, values in series.items()]
    return {"interval": interval, "input_series": named, "promql_expr_test": checks}


def fired(alert: str, within: str = "1h") -> str:
    """A query that is 1 where the alert fired at any time within the last hour, or another time."""
    return (
        f'(count(count_over_time(ALERTS{{alertname="{alert}", alertstate="firing"}}[{within}])) or vector(0)) > bool 0'
    )


def silent(alert: str, within: str = "1h") -> str:
    """A query that is 1 where the alert did not fire within the last hour, or another time."""
    return f"({fired(alert, within)}) == bool 0"


def absent(record: str) -> str:
    """A query that is 1 where no series of that name has a value."""
    return f"(count({record}) or vector(0)) == bool 0"


def near(query: str, value: float, within: float) -> str:
    """A query that is 1 where another one's only value is at most a share of `within` away from `value`."""
    return f"abs({query} / {value:.12g} - 1) < bool {within:g}"


def counted(happened: Callable[[int], float], minutes: int) -> str:
    """A counter in promtool's notation, one sample a minute: `happened` gives its value after so many minutes."""
    return " ".join(f"{happened(minute):g}" for minute in range(minutes + 1))
