"""Alerts about targets that are not found: each fires just past its condition and stays silent just before."""

from __future__ import annotations

from components.prometheus import discovery_alerts as pack
from model.telemetry import Discovery, ScrapeJob, ScrapeTarget
from tests.conftest import Proves
from tests.support.boards import keeps_identity

IDENTITY = {"service": "api", "system": "any", "environment": "test"}


def target(address: str, service: str = "api") -> ScrapeTarget:
    """A static target of a service."""
    return ScrapeTarget(address=address, labels={**IDENTITY, "service": service})


def test_every_alert_is_proven(proves: Proves) -> None:
    """Each alert fires just past its condition, not just before it, and not early."""
    proves(pack.alerts(cluster=True))
    proves(pack.build_target_count_rules([])[1].alerts)


def test_alerts_keep_the_labels_of_their_service() -> None:
    """What is summed keeps service and environment, which routes look at."""
    keeps_identity([*pack.alerts(cluster=True), *pack.build_target_count_rules([])[1].alerts])


def test_only_a_cluster_is_asked() -> None:
    """Without a cluster nothing counts its failures."""
    assert {a.name for a in pack.alerts(cluster=True)} - {a.name for a in pack.alerts()} == {
        "PrometheusKubernetesListWatchFailures"
    }


def test_every_job_and_service_has_its_number() -> None:
    """Static targets are counted for each service, found ones are as many as there must be."""
    found = Discovery(selector={"app": "api"}, port=80, labels=IDENTITY, expected=3, least=2)
    jobs = [
        ScrapeJob(name="pods", discovery=found),
        ScrapeJob(name="two", targets=(target("a:1"), target("b:1"), target("c:1", "web"))),
    ]
    numbers = {(rule.labels["job"], rule.labels["service"]): rule.expr for rule in pack.list_target_counts(jobs)}
    assert numbers == {("pods", "api"): "vector(2)", ("two", "api"): "vector(2)", ("two", "web"): "vector(1)"}
