"""Services that send their metrics are up while something arrives, by the very name that alerts and panels look at."""

from __future__ import annotations

from pathlib import Path

from components.prometheus.arrivals import build_arrival_rules
from components.prometheus.rules import build_rule_file
from model.telemetry import PushedMetrics
from tests.support.validating import accepts, tool
from tests.support.yaml_files import write_yaml

IDENTITY = {"job": "billing", "service": "billing", "environment": "dev"}
SERIES = 'otel_sent_datapoints_total{sender="billing", service="otel", environment="dev"}'
UP = 'up{environment="dev", instance="otlp", job="billing", service="billing"}'


def test_nobody_sends_without_a_word_about_it() -> None:
    """No rule is there for nothing."""
    assert build_arrival_rules(()) == ()


def test_it_is_down_three_minutes_after_the_last_sample(tmp_path: Path) -> None:
    """From the start it is 0, not absent; then 1 with the first sample, and 0 again once nothing comes."""
    (group,) = build_arrival_rules((PushedMetrics(labels=IDENTITY),))
    expected = [
        {"expr": "up", "eval_time": time, "exp_samples": [{"labels": UP, "value": value}]}
        for time, value in {"2m": 0, "6m": 1, "10m": 1, "16m": 0}.items()
    ]
    sent = [{"series": SERIES, "values": "_x5 1+1x5 _x10"}]
    tests = [{"interval": "1m", "input_series": sent, "promql_expr_test": expected}]
    (tmp_path / "rules.yml").write_text(write_yaml(build_rule_file(group)))
    (tmp_path / "test.yml").write_text(write_yaml({"rule_files": ["rules.yml"], "tests": tests}))
    accepts(tool("promtool"), "test", "rules", tmp_path / "test.yml")
