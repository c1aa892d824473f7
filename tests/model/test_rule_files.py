"""Rule files of one's own become rules of the stack, and nobody's alert is lost."""

from __future__ import annotations

from typing import Any

import pytest

from model.errors import ConfigError
from model.rule_files import parse_rule_file
from model.telemetry import RuleGroup

RULE: dict[str, Any] = {"alert": "TillShut", "expr": "till_open == 0", "labels": {"severity": "warning"}}
RECORD = {"record": "job:up:sum", "expr": "sum by (job) (up)"}


def groups(*rules: dict[str, Any], **more: Any) -> tuple[RuleGroup, ...]:
    """The groups of a file with one group of these rules."""
    data = {"groups": [{"name": "Till rules", "rules": list(rules), **more}]}
    return parse_rule_file(data, "configs/systems/shop/till.yaml", system="shop", environment="dev")


def test_an_alert_is_routed_like_any_other() -> None:
    """It has the labels that receivers are chosen by, and words for whoever is notified."""
    (group,) = groups({**RULE, "for": "0m", "keep_firing_for": "5m"}, labels={"team": "a"})
    (alert,) = group.alerts
    assert alert.severity == "warning" and alert.keep_firing_for == "5m" and alert.summary == "TillShut"
    assert alert.labels == {"system": "shop", "environment": "dev", "team": "a"}


def test_what_a_group_says_stays() -> None:
    """Interval, limit and offset are the file's own; its name is safe as that of a file and an object."""
    (group,) = groups(RECORD, interval="1m", limit=5, query_offset="30s")
    assert (group.name, group.interval, group.limit, group.query_offset) == ("shop-till-till-rules", "1m", 5, "30s")
    assert group.recordings[0].record == "job:up:sum"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"labels": {}}, r"rules\[0\]\.labels\.severity: is required"),
        ({"labels": {"severity": "page"}}, r"labels\.severity: 'page' is not known"),
        ({"labels": {"severity": "info", "stack": "a"}}, r"labels\.stack: the label is taken"),
        ({"expr": "up =="}, r"rules\[0\]\.expr: is no PromQL"),
        ({"record": "a:b"}, r"rules\[0\]: give either alert or record"),
        ({"fro": "5m"}, r"unknown key 'fro'"),
    ],
)
def test_what_would_be_lost_is_refused(rule: dict[str, Any], message: str) -> None:
    """Each mistake is named with file, key, value and what would be right."""
    with pytest.raises(ConfigError, match=message):
        groups({**RULE, **rule})


def test_the_same_alert_of_two_severities_is_two() -> None:
    """A warning that becomes critical has one name in many files; the same twice is refused."""
    critical = {**RULE, "labels": {"severity": "critical"}}
    assert len(groups(RULE, critical)[0].alerts) == 2
    with pytest.raises(ConfigError, match="'TillShut' of this severity is already defined"):
        groups(RULE, RULE)
