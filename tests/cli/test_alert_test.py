"""A test of receivers with an Alertmanager that counts; with the real one: tests/e2e/test_notifications.py."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli import alert_test
from cli.alert_test import Counts, Way, build_alert, find_last_error, list_ways, parse_counts
from cli.routes import get_document
from model.errors import ConfigError
from model.plan import Plan
from stack.assemble import ConfigValue
from tests.support.operators import operated
from tests.support.systems import plan_shop

OWN: dict[str, Any] = {
    "receivers": [
        {"name": "office", "webhook": {"url": "http://office/"}, "ntfy": {"url": "http://ntfy/a"}},
        {"name": "night", "pagerduty": {"routingKeySecret": "key", "sendResolved": False}},
    ],
    "routes": [{"severity": "critical", "receiver": "night"}],
    "deadMansSwitch": {"url": "http://switch/"},
}
OFFICE, NIGHT = Way("office", "webhook", 2, resolved=True), Way("night", "pagerduty", 1, resolved=False)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A shop with two receivers and a dead man's switch."""
    settings = {"alertmanager": ConfigValue(json.dumps(OWN)), "key": ConfigValue("", secret=True)}
    return plan_shop(tmp_path, settings=settings)


class Counting:
    """An Alertmanager that calls both ways at once, and whose PagerDuty refuses."""

    def __init__(self, refused: bool = True) -> None:
        self.posted: list[dict[str, Any]] = []
        self._refused = refused

    def ask(self, path: str, body: str | None = None) -> str:
        """Metrics that grow with what was posted."""
        if body is not None:
            self.posted += json.loads(body)
            return ""
        office = 2 * sum(item["labels"]["receiver"] == "office" for item in self.posted)
        night = min(1, sum(item["labels"]["receiver"] == "night" for item in self.posted))
        failed = night if self._refused else 0
        return "\n".join(
            [
                "# TYPE alertmanager_notification_requests_total counter",
                _series("notification_requests_total", "webhook", "office", office),
                _series("notification_latency_seconds_sum", "webhook", "office", office * 0.25),
                _series("notification_requests_total", "pagerduty", "night", night),
                _series("notification_requests_failed_total", "pagerduty", "night", failed),
                _series("notifications_failed_total", "pagerduty", "night", failed, ',reason="clientError"'),
                "",
            ]
        )

    def read_log(self, since: float) -> str:
        """One line about the refusal."""
        err = 'night/pagerduty[0]: notify retry canceled after 1 attempts: unexpected status code 400: \\"bad key\\"'
        return f'level=ERROR msg="Notify for alerts failed" num_alerts=1 err="{err}"\n'


def _series(name: str, integration: str, receiver: str, value: float, more: str = "") -> str:
    labels = f'integration="{integration}"{more},receiver_name="{receiver}"'
    return f"alertmanager_{name}{{{labels}}} {value:g}"


def test_every_way_of_people_is_tested(plan: Plan) -> None:
    """Those that Alertmanager calls alike are one; the switch and our own receiver are nobody."""
    assert list_ways(get_document(plan), "") == [OFFICE, NIGHT]
    assert list_ways(get_document(plan), "night") == [NIGHT]
    with pytest.raises(ConfigError, match="there is no receiver 'nigth'; did you mean 'night'"):
        list_ways(get_document(plan), "nigth")


def test_nobody_to_be_tested_is_an_error(tmp_path: Path) -> None:
    """A stack that notifies nobody, or that is not running."""
    bare = plan_shop(tmp_path)
    with pytest.raises(ConfigError, match="nobody to be tested"):
        list_ways(get_document(bare), "")


def test_what_came_of_it_is_shown(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for each way, the refusal in its own words, and both alerts ended."""
    monkeypatch.setattr(alert_test, "TRIES_SECONDS", 1.0)
    out, instance = io.StringIO(), Counting()
    assert alert_test.run_alert_test(plan, [instance], "", "critical", Console(file=out, width=120)) == 1
    text = out.getvalue()
    assert "accepted │ accepted │ 0.25" in text
    assert (
        'night, pagerduty: night/pagerduty[0]: notify retry canceled after 1 attempts: unexpected status code 400: "bad'
        in text.replace("\n", " ")
    )
    ended = {item["labels"]["receiver"]: item["endsAt"] for item in instance.posted}
    assert all(datetime.fromisoformat(end) <= datetime.now(UTC) for end in ended.values())


def test_all_is_well_when_every_way_accepts(plan: Plan) -> None:
    """The status says so too; an end that is not to be sent is not waited for."""
    out = io.StringIO()
    assert (
        alert_test.run_alert_test(plan, [Counting(refused=False)], "night", "info", Console(file=out, width=120)) == 0
    )
    assert "accepted │ -" in out.getvalue()
    with pytest.raises(ConfigError, match="no Alertmanager of it is running"):
        alert_test.run_alert_test(plan, [], "", "info", Console(file=out))


def test_the_alert_says_that_it_is_a_test(plan: Plan) -> None:
    """With the labels by which its route finds it, and an end."""
    now = datetime.now(UTC)
    made = build_alert(plan, "night", "critical", now, now)
    assert {"alertname": "NotificationTest", "receiver": "night", "test": "true", "stack": plan.stack}.items() <= made[
        "labels"
    ].items()
    assert "nobody has to do anything" in made["annotations"]["description"]
    assert made["startsAt"] == made["endsAt"] == now.isoformat()
    assert "namespace" not in made["labels"]
    hooks = [{"name": "a", "webhook": {"url": "http://a.example.com/"}}]
    assert (
        build_alert(operated("agenttrace", alertmanager={"receivers": hooks}), "a", "info", now, now)["labels"][
            "namespace"
        ]
        == "monitoring-x"
    )


def test_counters_are_of_one_way() -> None:
    """By receiver and integration; an operator's names have more before them, and other Alertmanagers have none."""
    lines = "\n".join(
        [
            _series("notification_requests_total", "webhook", "office", 3),
            _series("notification_requests_total", "webhook", "other", 5),
            _series("notification_requests_failed_total", "webhook", "ns/config/office", 1),
            'alertmanager_notifications_failed_total{integration="webhook",reason="other"} 2',
        ]
    )
    result = parse_counts(lines, OFFICE)
    assert result == Counts(calls=3, failed=1, given_up=2)
    assert result.subtract(Counts(calls=1)) == Counts(calls=2, failed=1, given_up=2)
    assert result.accepted == 2


def test_the_last_error_of_a_way_is_found() -> None:
    """Of a try or of the end of all tries; those of others are left alone."""
    log = (
        'receiver=office integration=webhook[0] attempts=1 err="first"\n'
        'receiver=night integration=pagerduty[0] attempts=1 err="other"\n'
        'msg="failed" err="office/webhook[1]: notify retry canceled: last"\n'
    )
    assert find_last_error(log, OFFICE) == "office/webhook[1]: notify retry canceled: last"
    assert find_last_error("nothing", OFFICE) == ""
