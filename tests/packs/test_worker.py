"""A worker: jobs and queues."""

from __future__ import annotations

from typing import Any

import pytest

from packs import worker


def test_alerts_fire_just_past_their_conditions(proves: Any, uses: Any) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    rules = worker.rules(uses("worker"))
    proves(rules.alerts, rules.recordings)


@pytest.mark.exhaustive  # a second proof
def test_a_threshold_can_be_tuned(proves: Any, uses: Any) -> None:
    """Another threshold changes the condition, and the alert is right about it as well."""
    usual = {alert.name: alert for alert in worker.rules(uses("worker")).alerts}
    own = usual["QueueBacklog"].limit
    assert own is not None
    wish = own / 2
    rules = worker.rules(uses("worker", tune={"QueueBacklog": {"threshold": wish}}))
    tuned = {alert.name: alert for alert in rules.alerts}
    assert tuned["QueueBacklog"].limit == wish
    assert tuned["QueueBacklog"].expr != usual["QueueBacklog"].expr
    proves(rules.alerts, rules.recordings)


def test_panels_explain_themselves(uses: Any, explains: Any) -> None:
    """Each panel has a title of its own and says what it shows."""
    explains(worker.panels([uses("worker")]))


def test_jobs_that_cannot_fail_have_no_alert(uses: Any) -> None:
    """Without a label that tells failures there is nothing to alert on."""
    metrics = {"done": {"type": "counter", "role": "jobs", "labels": {"type": ["mail"]}}}
    assert worker.rules(uses("worker", metrics=metrics)).alerts == ()
