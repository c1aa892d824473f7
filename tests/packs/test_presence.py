"""Metrics that rules need and nobody exposes."""

from __future__ import annotations

from packs import http, presence, web
from packs.base import Subject
from tests.conftest import Proves, Uses

METRICS = {
    "x_requests_total": {"type": "counter", "role": "requests", "labels": {"status": ["200", "500"]}},
    "x_seconds": {"type": "histogram", "unit": "seconds", "role": "duration"},
    "x_idle": {"type": "gauge"},
}


def test_what_rules_use_must_be_there(uses: Uses, proves: Proves) -> None:
    """The metrics of rules are asked for by what is exposed of them, others are not; the alert is right about it."""
    subject = uses("http", metrics=METRICS)
    rules = http.rules(subject)
    (alert,) = presence.build_alerts(
        subject, [rule.expr for rule in rules.recordings] + [rule.expr for rule in rules.alerts]
    )
    assert '"x_requests_total"' in alert.expr and '"x_seconds_count"' in alert.expr and "x_idle" not in alert.expr
    proves([alert])


def test_a_part_of_a_name_is_no_use(uses: Uses) -> None:
    """A metric whose name only begins or ends like another one is not asked for."""
    subject = uses(metrics={"x_idle": {"type": "gauge"}})
    assert presence.build_alerts(subject, ["x_idle_ratio > 1", "my_x_idle > 1", "a:x_idle"]) == ()
    assert len(presence.build_alerts(subject, ["sum(x_idle) > 1"])) == 1


def test_a_quiet_service_is_no_mistake(uses: Uses) -> None:
    """What was there an hour, six hours or a day ago is known to exist."""
    (alert,) = presence.build_alerts(uses(metrics=METRICS), ["x_idle"])
    assert [alert.expr.count(offset) for offset in ("offset 1h", "offset 6h", "offset 1d")] == [1, 1, 1]


def test_what_tells_of_others_is_not_looked_for(uses: Uses) -> None:
    """A metric that keeps a label `service` of its own has no series of this service, and that is no mistake."""
    subject = uses(metrics={"x_idle": {"type": "gauge", "labels": {"service": ["other"]}}})
    assert presence.build_alerts(subject, ["sum(x_idle) > 1"]) == ()


def test_what_browsers_send_is_not_looked_for(uses: Uses) -> None:
    """A page without errors has no series of them; a metric of its process is looked for, whatever it is called."""
    subject = uses("web", metrics={"browser_pool_size": {"type": "gauge"}})
    queries = [alert.expr for alert in web.rules(subject).alerts]
    assert presence.build_alerts(subject, queries) == ()
    (alert,) = presence.build_alerts(subject, [*queries, "browser_pool_size"])
    assert all(name not in alert.expr for name in web.METRICS) and '"browser_pool_size"' in alert.expr


def test_what_other_rules_use_must_be_there(uses: Uses) -> None:
    """A metric counts as used when any part of it stands in the expressions of others, and as a whole word."""
    subject = uses(metrics=METRICS)
    for expression in ("x_idle", "rate(x_seconds_bucket[5m])", 'x_requests_total{a="b"}'):
        assert len(presence.build_alerts(subject, [], presence.list_series([expression]))) == 1
    assert presence.build_alerts(subject, [], presence.list_series(["x_idle_ratio", "a:x_idle"])) == ()


def test_a_sender_has_no_page_to_open(uses: Uses) -> None:
    """What to do first is about what arrives where a service sends its metrics, and about its page elsewhere."""
    scraped = uses(metrics=METRICS)
    service = scraped.service.model_copy(update={"otlp": True})
    sender = Subject(scraped.system.model_copy(update={"services": {"x": service}}), "x")
    for subject, words in ((scraped, "open its metrics page"), (sender, "Look at what arrives")):
        (alert,) = presence.build_alerts(subject, ["x_idle"])
        assert words in alert.steps[0] and ("answers its scrapes" in alert.description) == (subject is scraped)
        assert "{{" not in alert.steps[0]
