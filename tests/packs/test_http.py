"""An HTTP service: rate, errors, duration."""

from __future__ import annotations

from typing import Any

import pytest

from packs import http


def test_alerts_fire_just_past_their_conditions(proves: Any, uses: Any) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    rules = http.rules(uses("http"))
    proves(rules.alerts, rules.recordings)


@pytest.mark.exhaustive  # a second proof
def test_a_threshold_can_be_tuned(proves: Any, uses: Any) -> None:
    """Another threshold changes the condition, and the alert is right about it as well."""
    usual = {alert.name: alert for alert in http.rules(uses("http")).alerts}
    own = usual["HighErrorRatio"].limit
    assert own is not None
    wish = own / 2
    rules = http.rules(uses("http", tune={"HighErrorRatio": {"threshold": wish}}))
    tuned = {alert.name: alert for alert in rules.alerts}
    assert tuned["HighErrorRatio"].limit == wish
    assert tuned["HighErrorRatio"].expr != usual["HighErrorRatio"].expr
    proves(rules.alerts, rules.recordings)


def test_panels_explain_themselves(uses: Any, explains: Any) -> None:
    """Each panel has a title of its own and says what it shows."""
    explains(http.panels([uses("http")]))


def test_milliseconds_and_another_status_label(proves: Any, uses: Any) -> None:
    """Names, unit and status label are mappings: the same alerts hold for any of them."""
    metrics = {
        "hits": {"type": "counter", "role": "requests", "labels": {"code": ["200", "500"]}},
        "took_ms": {"type": "histogram", "role": "duration", "unit": "milliseconds", "buckets": [100, 1000]},
    }
    rules = http.rules(uses("http", metrics=metrics, statusLabel="code"))
    proves(rules.alerts, rules.recordings)
    assert 'code=~"5.."' in rules.recordings[1].expr


def test_a_summary_is_alerted_on(proves: Any, uses: Any) -> None:
    """A summary has no buckets: its own quantile is recorded."""
    metrics = {"took": {"type": "summary", "role": "duration", "unit": "seconds"}}
    rules = http.rules(uses("http", metrics=metrics))
    proves(rules.alerts, rules.recordings)


@pytest.mark.parametrize("kind", ["histogram", "summary"])
def test_the_count_of_durations_by_status_is_that_of_requests(proves: Any, uses: Any, kind: str) -> None:
    """OpenTelemetry has no counter: failures are counted all the same, by the status that its durations have."""
    took = {"type": kind, "role": "duration", "unit": "seconds", "labels": {"code": ["200", "500"]}}
    rules = http.rules(uses("http", metrics={"took": took}, statusLabel="code"))
    proves(rules.alerts, rules.recordings)
    assert {alert.name for alert in rules.alerts} == {"HighErrorRatio", "SlowRequests"}
    assert 'took_count{service="x", code=~"5.."}' in rules.recordings[1].expr


def test_a_declared_counter_is_the_one_that_counts(uses: Any) -> None:
    """Durations are counted only where nothing else is, and where their label holds a status."""
    took = {"type": "histogram", "role": "duration", "unit": "seconds", "labels": {"status": ["200", "500"]}}
    hits = {"type": "counter", "role": "requests", "labels": {"status": ["200", "500"]}}
    assert "took_count" not in uses("http", metrics={"took": took, "hits": hits}).service.metrics
    words = {**took, "labels": {"status": ["ok", "failed"]}}
    assert "took_count" not in uses("http", metrics={"took": words}).service.metrics
    assert "took_count" not in uses(metrics={"took": took}).service.metrics
