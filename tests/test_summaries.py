"""What people read when an alert fires is a whole sentence, also where a label is absent that other targets have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from model.telemetry import AlertRule, Example, RuleGroup
from tests.support.proving import STEP, evaluation, needed, run, write_tests
from tests.support.validating import tool
from tests.test_alert_rules import CLUSTER, STACKS, groups, planned

OF_PLATFORM = re.compile(r'\b(node|pod|namespace)="[^"]*",? ?')
"""Labels that series have only where the platform tells where they come from, as a cluster does."""
TEXT = re.compile(r'\b(summary|description)="((?:[^"\\]|\\.)*)"')
GAP = re.compile(r"  |\( | \)|\(\)| [.,:;]|^ | $|<no value>|\{\{")
"""What an empty label leaves behind."""


def on_cluster(stack: str) -> bool:
    """Whether a stack is planned for a cluster."""
    return CLUSTER in stack or planned(stack).settings.target == "kubernetes"


def case(alert: AlertRule, example: Example, *, cluster: bool) -> dict[str, Any]:
    """A test that expects no alert where one fires, so that promtool shows what it says."""
    series = example.fires if cluster else {bare(k): v for k, v in example.fires.items()}
    return {
        "interval": STEP,
        "input_series": [{"series": key, "values": values} for key, values in series.items()],
        "alert_rule_test": [{"alertname": alert.name, "eval_time": example.at, "exp_alerts": []}],
    }


def bare(series: str) -> str:
    """A series without the labels that only a cluster gives."""
    return OF_PLATFORM.sub("", series).replace(", }", "}")


def said(group: RuleGroup, folder: Path, *, cluster: bool) -> list[str]:
    """Every text of the alerts of a group that fire by their examples."""
    files = [
        write_tests(needed(group, alert), [case(alert, e, cluster=cluster)], evaluation(e.at), folder / f"{number}.yml")
        for number, alert in enumerate(group.alerts)
        if (e := alert.example)
    ]
    done = run(str(tool("promtool")), files)
    return [text for _, text in TEXT.findall(done.stdout + done.stderr)]


@pytest.mark.parametrize(("stack", "group"), groups(), ids=lambda item: getattr(item, "name", item))
def test_no_label_leaves_a_gap(stack: str, group: RuleGroup, tmp_path: Path) -> None:
    """Promtool shows each alert's texts as people get them: no double space, and nothing between brackets."""
    texts = said(group, tmp_path, cluster=on_cluster(stack))
    assert texts or not group.alerts
    assert [text for text in texts if GAP.search(text)] == []


def test_every_stack_is_looked_at() -> None:
    """Groups of rules of both platforms are among them."""
    assert {on_cluster(stack) for stack, _ in groups()} == {True, False} and len(STACKS) > 1


def test_gaps_are_known() -> None:
    """What the test looks for is what empty labels leave."""
    alert = AlertRule(name="A", expr="x", severity="info", summary="", description="")
    assert alert.summary == "" and all(map(GAP.search, ("a  b", "a () b", "a ( b)", "a .", " a")))
    assert not any(map(GAP.search, ("a b (c): d.", "1.5 s, more")))
