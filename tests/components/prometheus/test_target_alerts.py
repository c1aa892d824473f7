"""Alerts about targets: each fires just past its condition and stays silent just before."""

from __future__ import annotations

import pytest

from components.prometheus import target_alerts as pack
from model.telemetry import AlertRule
from packs.base import Tune
from tests.conftest import Proves
from tests.support.boards import keeps_identity, tuned

THRESHOLDS = {"TargetFlapping": 0.7}
"""Another value for every alert that has one."""


def on_cluster(tune: Tune) -> tuple[AlertRule, ...]:
    """The alerts of a stack whose platform finds targets."""
    return pack.alerts(tune, cluster=True)


def test_every_alert_is_proven(proves: Proves) -> None:
    """Each alert fires just past its condition, not just before it, and not early; with and without a cluster."""
    proves(pack.alerts({}))
    proves(on_cluster({}))


@pytest.mark.exhaustive  # a second proof
def test_every_tuned_alert_is_proven(proves: Proves) -> None:
    """Another threshold stands in the expression, the words and the limit, and the examples follow it."""
    proves(tuned(pack.alerts, THRESHOLDS))


def test_alerts_keep_the_labels_of_their_service() -> None:
    """What is summed keeps service and environment, which routes look at."""
    keeps_identity(on_cluster({}))


def test_probes_are_no_targets() -> None:
    """A dead blackbox-exporter is told of as itself: `up` of what it asks about carries the labels of services."""
    for alert in on_cluster({}):
        if "up{" in alert.expr:
            assert alert.expr.count("up{") == alert.expr.count('up{job!="blackbox"'), alert.name


def test_pods_and_static_targets_have_an_alert_each() -> None:
    """On a cluster a pod is not a static target as well; elsewhere any target is one, whatever labels it has."""
    there, here = ({alert.name: alert for alert in found} for found in (on_cluster({}), pack.alerts({})))
    assert 'pod="", node=""' in there["TargetDown"].expr and "pod" not in here["TargetDown"].expr
    assert there.keys() - here.keys() == {"DiscoveredTargetDown", "PrometheusAllTargetsMissing"}
    assert there["DiscoveredTargetDown"].severity == "warning"
