"""Every alert of every shipped stack: it fires just past its condition, and stays silent just before it."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from cli.render import plan_file
from cli.runbooks import list_shipped_files
from model.base import parse_duration
from model.plan import Plan
from model.telemetry import AlertRule, Example, RuleGroup
from model.tuning import find_runbook
from tests.support.panels import list_queries
from tests.support.proving import asked_for, needed, prove_and_read, unproven
from tests.support.systems import ROOT
from tests.support.validating import tool

CLUSTER = "on a cluster"
"""Follows the name of a stack that is planned for Kubernetes, whatever its file says."""
FILES = {
    str(path.relative_to(ROOT)).removeprefix("Pulumi.").removesuffix(".yaml"): path for path in list_shipped_files()
}
STACKS = [*FILES, f"dev {CLUSTER}"]
LOOKBACK = 300
"""Seconds, by default: https://prometheus.io/docs/prometheus/latest/querying/basics/#staleness."""
PARTS = 8
"""Tests that all groups are shared out to: which ones there are is known once all stacks are planned."""
GAP = re.compile(r"  |\( | \)|\(\)| [.,:;]|^ | $|<no value>|\{\{")
"""What an empty label leaves behind in a text."""


@cache
def planned(stack: str) -> Plan:
    """The plan of a shipped stack."""
    name = stack.removesuffix(CLUSTER).strip()
    return plan_file(FILES[name], FILES[name].name.split(".")[1], target="kubernetes" if CLUSTER in stack else None)


def on_cluster(stack: str) -> bool:
    """Whether a stack is planned for a cluster."""
    return CLUSTER in stack or planned(stack).settings.target == "kubernetes"


def remove_addresses(group: RuleGroup) -> RuleGroup:
    """A group whose alerts lead to no dashboard."""
    without = ({key: text for key, text in a.annotations.items() if key != "dashboard_url"} for a in group.alerts)
    pairs = zip(group.alerts, without, strict=True)
    return replace(group, alerts=tuple(replace(alert, annotations=texts) for alert, texts in pairs))


@cache
def groups() -> list[tuple[str, RuleGroup]]:
    """Every group of rules with those alerts that no earlier stack has just so, and what these ask of their group.

    The address of a dashboard is each stack's own; what an alert does is the same with another one.
    """
    found: list[tuple[str, RuleGroup]] = []
    seen: set[str] = set()
    for stack in STACKS:
        for group in planned(stack).telemetry.rules:
            made = {alert.name: repr(remove_addresses(needed(group, alert))) for alert in group.alerts}
            fresh = [f'ALERTS{{alertname="{name}"}}' for name, text in made.items() if text not in seen]
            seen.update(made.values())
            if fresh:
                found.append((stack, asked_for([group], fresh)[0]))
    return found


def test_alerts_of_every_platform_are_among_them() -> None:
    """What only a cluster can raise is proven below as well."""
    names = {group.name for stack in STACKS for group in planned(stack).telemetry.rules}
    assert {"containers", "cluster"} <= names


@pytest.mark.parametrize("stack", STACKS)
def test_what_is_recorded_seldom_is_read_over_a_range(stack: str) -> None:
    """A sample as old as Prometheus' lookback is gone before the next one is there: alerts would begin anew."""
    plan = planned(stack)
    every = [(group, parse_duration(group.interval or "30s")) for group in plan.telemetry.rules]
    seldom = {rule.record for group, seconds in every if seconds > LOOKBACK / 2 for rule in group.recordings}
    read = re.compile(rf"\b({'|'.join(map(re.escape, seldom)) or '-'})(?:\{{[^}}]*\}})?(?![\w:{{\[])")
    queries = [alert.expr for group, _ in every for alert in group.alerts]
    queries += [rule.expr for group, seconds in every if seconds <= LOOKBACK / 2 for rule in group.recordings]
    queries += [query for board in plan.telemetry.dashboards for _, _, query in list_queries(board.model)]
    assert not seldom or any(name in query for name in seldom for query in queries)
    assert not [query for query in queries if read.search(query)]


@pytest.mark.parametrize("stack", STACKS)
def test_every_alert_can_be_acted_on(stack: str) -> None:
    """An alert says what it means and what to look at, has a runbook, and leads to a dashboard that exists."""
    plan = planned(stack)
    boards = {board.uid for board in plan.telemetry.dashboards}
    for group in plan.telemetry.rules:
        assert not unproven(group)
        for alert in group.alerts:
            assert alert.summary and alert.description.endswith(".") and alert.steps, alert.name
            assert (ROOT / "docs/runbooks" / find_runbook(alert.name, plan.system)).is_file()
            assert alert.annotations["dashboard_url"].partition("/d/")[2].partition("?")[0] in boards


@pytest.mark.exhaustive  # every alert of every stack; each module proves its own
@pytest.mark.parametrize("part", range(PARTS))
def test_every_alert_fires_and_stays_silent(part: int, tmp_path: Path) -> None:
    """Promtool agrees with every example: just past the condition, just before it, not too early, in whole sentences.

    Labels that only a cluster gives are absent elsewhere, and their absence leaves no gap in a text.
    """
    for number, (stack, group) in enumerate(groups()[part::PARTS]):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        complaint, texts = prove_and_read(group, str(tool("promtool")), folder, cluster=on_cluster(stack))
        assert not complaint, f"{stack}, {group.name}: {complaint}"
        assert texts and not [text for text in texts if GAP.search(text)], f"{stack}, {group.name}"


def test_every_platform_is_looked_at() -> None:
    """Groups of rules of both platforms are among them."""
    assert {on_cluster(stack) for stack, _ in groups()} == {True, False} and len(STACKS) > 1


def test_gaps_are_known() -> None:
    """What is looked for in texts is what empty labels leave."""
    assert all(map(GAP.search, ("a  b", "a () b", "a ( b)", "a .", " a")))
    assert not any(map(GAP.search, ("a b (c): d.", "1.5 s, more")))


def test_a_wrong_example_is_complained_of(tmp_path: Path) -> None:
    """An alert that stays silent where it should fire, or fires where it should not, is named."""
    stack, group = next(
        (stack, group) for stack, group in groups() if any(a.name == "TargetDown" for a in group.alerts)
    )
    (alert,) = [alert for alert in group.alerts if alert.name == "TargetDown"]
    assert alert.example is not None and alert.example.silent
    swapped = replace(alert.example, fires=alert.example.silent, silent=alert.example.fires)
    for example in (swapped, replace(alert.example, silent=alert.example.fires)):
        wrong = replace(group, alerts=(replace(alert, example=example),))
        complaint, _ = prove_and_read(wrong, str(tool("promtool")), tmp_path, cluster=on_cluster(stack))
        assert "TargetDown" in complaint


def test_a_rule_that_cannot_be_evaluated_is_complained_of(tmp_path: Path) -> None:
    """A join with two partners is an error of the rule, where the alert is to stay silent as well."""
    a, b = {'a{x="1"}': "1x60"}, {'b{x="1"}': "1x60"}
    twice = {'b{x="1", y="1"}': "1x60", 'b{x="1", y="2"}': "1x60"}
    example = Example(fires={**a, **b}, silent={**a, **twice}, at="30m")
    alert = AlertRule(
        name="A", expr="a * on (x) b > 0", for_="5m", severity="info", summary="s", description="d", example=example
    )
    complaint, _ = prove_and_read(RuleGroup(name="g", alerts=(alert,)), str(tool("promtool")), tmp_path, cluster=True)
    assert "found duplicate series" in complaint
