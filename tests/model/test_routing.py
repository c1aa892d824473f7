"""Routes by labels: one that no alert can take is refused."""

from __future__ import annotations

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
