"""Routes by labels: one that no alert can take is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model.load import parse_model
from model.routes import Route
from model.routing import check_routing, list_alert_labels
from model.telemetry import AlertRule, RuleGroup, ScrapeJob, ScrapeTarget, Telemetry
from tests.support.systems import plan_shop

ALERTS = (
    AlertRule(
        name="Slow", expr="sum by (queue) (x{zone=\"a\"})", severity="warning", summary="{{ $labels.shard }}",
        description="", labels={"team": "payments", "owner": "{{ $labels.shard }}"}, service="api",
    ),
)  # fmt: skip
TELEMETRY = Telemetry(
    rules=(RuleGroup(name="a", alerts=ALERTS),),
    scrape=(ScrapeJob(name="web", targets=(ScrapeTarget(address="w:1", labels={"service": "web", "tier": "1"}),)),),
)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ({"team": "payments"}, None),
        ({"owner": "anybody"}, None),
        ({"queue": "any", "zone": "b", "shard": "c", "pod": "d"}, None),
        ({"service": "web", "tier": "1", "stack": "dev", "alertname": "Slow"}, None),
        ({"tema": "payments"}, "no alert carries a label 'tema'; did you mean 'team'?"),
        ({"team": "paymets"}, "'paymets': no alert has this value; did you mean 'payments'?"),
        ({"service": "wbe"}, "'wbe': no alert has this value"),
        ({"stack": "prod"}, "'prod': no alert has this value; valid are: dev"),
    ],
)
def test_a_route_that_nothing_takes_is_refused(labels: dict[str, str], says: str | None) -> None:
    """Names that no alert has, and values where all of them are planned, are refused with the nearest right ones."""
    route = Route(labels=labels, receiver="x")
    messages = [str(problem) for problem in check_routing("file: am", [route], (), TELEMETRY, "dev")]
    assert bool(messages) is bool(says)
    if says:
        assert messages[0].startswith(f"file: am.routes[0].labels.{next(iter(labels))}: {says}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('team=~"pay.*"', None),
        ('team!="payments"', None),
        ('zone=~"any.*"', None),
        ('team=~"shop.*"', "'shop.*': no alert has this value; valid are: payments"),
        ('tema!="a"', "no alert carries a label 'tema'; did you mean 'team'?"),
    ],
)
def test_matchers_that_nothing_fulfils_are_refused(text: str, says: str | None) -> None:
    """Below other routes too: expressions with the values that are planned, names in any case."""
    inner = Route(matchers=(text,), receiver="x")
    messages = [str(p) for p in check_routing("am", [Route(severity="warning", routes=(inner,))], (), TELEMETRY, "dev")]
    assert messages == ([f"am.routes[0].routes[0].matchers[0]: {says}"] if says else [])


FORMER = "PodNotReady is called KubePodNotReady since 0.2"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('alertname="PodNotReady"', f"'PodNotReady': {FORMER}"),
        ('alertname!="PodNotReady"', f"'PodNotReady': {FORMER}"),
        ('alertname=~"Slow|PodNotReady"', f"'Slow|PodNotReady': {FORMER}"),
        (
            'alertname!~"(JobFailed|PodNotReady)"',
            "'(JobFailed|PodNotReady)': JobFailed is called KubeJobFailed since 0.2, ",
        ),
        ('alertname=~"Slow|(Kube)?PodNotReady"', None),
        ('alertname=~"Slow|Pod.*"', None),
        ('team!="PodNotReady"', None),
    ],
)
def test_matchers_that_name_a_former_alert_are_refused(text: str, says: str | None) -> None:
    """Each former name with the present one, unless that one is matched as well; patterns and other labels stand."""
    found = [str(p) for p in check_routing("am", [Route(matchers=(text,), receiver="x")], (), TELEMETRY, "dev")]
    assert bool(found) is bool(says)
    assert not says or found[0].startswith(f"am.routes[0].matchers[0]: {says}")


def test_a_label_with_a_former_name_is_refused_unless_an_alert_has_it() -> None:
    """A system may call an alert of its own as one was called before."""
    route = Route(labels={"alertname": "PodNotReady"}, receiver="x")
    own = Telemetry(rules=(RuleGroup(name="a", alerts=(replace(ALERTS[0], name="PodNotReady"),)),))
    assert [str(p) for p in check_routing("am", [route], (), TELEMETRY, "dev")] == [
        f"am.routes[0].labels.alertname: 'PodNotReady': {FORMER}"
    ]
    assert check_routing("am", [route], (), own, "dev") == []


def test_groups_are_made_by_labels_that_alerts_have() -> None:
    """A misspelt label would put everything into one notification."""
    route = parse_model(Route, {"severity": "warning", "groupBy": ["alertname", "servise"]}, "route")
    messages = [str(p) for p in check_routing("am", [route], ("team", "x", "..."), TELEMETRY, "dev")]
    assert [text.split(";")[0] for text in messages] == [
        "am.groupBy[1]: no alert carries a label 'x'",
        "am.routes[0].groupBy[1]: no alert carries a label 'servise'",
    ]


@pytest.mark.parametrize("name", ["mountpoint", "instance", "database"])
def test_labels_of_shipped_alerts_are_known(name: str, tmp_path: Path) -> None:
    """What alerts of the stack itself carry can be routed on, with any value."""
    databases: dict[str, Any] = {"databases": {"cache": {"kind": "redis", "address": "redis:6379"}}}
    known = list_alert_labels(plan_shop(tmp_path, databases).telemetry, "dev")
    assert name in known
