"""Rule groups in Prometheus' own notation, for whoever evaluates them.

Format: https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from model.base import parse_duration
from model.telemetry import AlertRule, RuleGroup


def build_rule_file(group: RuleGroup) -> dict[str, Any]:
    """A rule file with one group."""
    interval = {"interval": group.interval} if group.interval else {}
    return {"groups": [{"name": group.name, **interval, **build_group_options(group), "rules": build_rules(group)}]}


def build_group_options(group: RuleGroup) -> dict[str, Any]:
    """What a group says beside its interval and its rules."""
    limit = {"limit": group.limit} if group.limit else {}
    return limit | ({"query_offset": group.query_offset} if group.query_offset else {})


def build_rules(group: RuleGroup) -> list[dict[str, Any]]:
    """The rules of a group: recordings before the alerts that use them."""
    entries: list[dict[str, Any]] = []
    for recording in group.recordings:
        entries.append({"record": recording.record, "expr": recording.expr, **_build_labels(recording.labels)})
    return entries + [_build_alert(alert) for alert in group.alerts]


def _build_labels(labels: Mapping[str, str]) -> dict[str, Any]:
    return {"labels": dict(labels)} if labels else {}


def _build_alert(alert: AlertRule) -> dict[str, Any]:
    annotations = {"summary": alert.summary, "description": alert.description, **alert.annotations}
    return {
        "alert": alert.name,
        "expr": alert.expr,
        **({"for": alert.for_} if parse_duration(alert.for_) else {}),
        **({"keep_firing_for": alert.keep_firing_for} if alert.keep_firing_for else {}),
        "labels": {"severity": alert.severity, **alert.labels},
        "annotations": annotations,
    }
