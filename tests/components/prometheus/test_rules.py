"""Rule groups in Prometheus' notation."""

from __future__ import annotations

from components.prometheus.rules import build_rule_file, build_rules
from model.telemetry import AlertRule, RecordingRule, RuleGroup

GROUP = RuleGroup(
    name="api",
    recordings=(RecordingRule(record="a:b:c", expr="x"),),
    alerts=(AlertRule(name="Down", expr="up == 0", severity="critical", summary="s", description="d"),),
)


def test_recordings_come_before_the_alerts_that_use_them() -> None:
    """Rules of a group are evaluated in their order."""
    assert [next(iter(rule)) for rule in build_rules(GROUP)] == ["record", "alert"]


def test_only_what_is_said_is_written() -> None:
    """No interval, no labels of a recording and no waiting time where there is none."""
    (written,) = build_rule_file(GROUP)["groups"]
    recording, alert = written["rules"]
    assert set(written) == {"name", "rules"}
    assert recording == {"record": "a:b:c", "expr": "x"}
    assert "for" not in alert and alert["labels"] == {"severity": "critical"}
