"""Targets and alerts."""

from __future__ import annotations

from typing import Any

from tests.support.agents import build_document, faking, read


def build_target(job: str, health: str, error: str = "") -> dict[str, Any]:
    """A target as Prometheus lists it."""
    return {"labels": {"job": job, "instance": "x:1"}, "health": health, "lastError": error, "lastScrapeDuration": 0.1}


def test_targets_that_are_down_come_first() -> None:
    """Health, error and counts; chosen by health and job."""
    targets = [build_target("api", "up"), build_target("web", "down", "refused\n"), build_target("db", "unknown")]
    with faking() as fake:
        fake.answers["/api/v1/targets"] = lambda _: {"activeTargets": targets}
        document = build_document(fake)
        data = read(document, "prometheus_targets")
        assert (data["up"], data["down"]) == (1, 2)
        assert [each["job"] for each in data["targets"]] == ["db", "web", "api"]
        assert data["targets"][1]["last_error"] == "refused \u23ce "
        assert [each["job"] for each in read(document, "prometheus_targets", health="up")["targets"]] == ["api"]
        assert read(document, "prometheus_targets", job="none")["targets"] == []


def test_alerts_by_severity() -> None:
    """Firing before pending, critical before warning; chosen by state and service."""

    def build(name: str, state: str, severity: str, service: str) -> dict[str, Any]:
        labels = {"alertname": name, "severity": severity, "service": service}
        return {"labels": labels, "state": state, "value": "1e+00", "annotations": {"summary": f"{name} is so"}}

    alerts = [build("P", "pending", "critical", "a"), build("W", "firing", "warning", "a")]
    alerts.append(build("C", "firing", "critical", "b"))
    with faking() as fake:
        fake.answers["/api/v1/alerts"] = lambda _: {"alerts": alerts}
        document = build_document(fake)
        data = read(document, "prometheus_alerts")
        assert [each["alert"] for each in data["alerts"]] == ["C", "W", "P"]
        assert (data["firing"], data["pending"]) == (2, 1) and data["alerts"][0]["summary"] == "C is so"
        chosen = read(document, "prometheus_alerts", state="firing", service="a")
        assert [each["alert"] for each in chosen["alerts"]] == ["W"]
