"""blackbox-exporter: asks every health endpoint from outside."""

from __future__ import annotations

from pathlib import Path

from tests.support.planned import document, explained, job, scraped_as
from tests.support.systems import plan_cluster, plan_shop


def test_health_endpoints_are_probed(tmp_path: Path) -> None:
    """Each health path of a service is a target, and its address becomes the instance."""
    probes = job(plan_shop(tmp_path), "blackbox")
    assert [target.address for target in probes.targets] == ["http://api:4000/health"]
    assert probes.prober == "blackbox-exporter:9115"


FOUND = {"services.api.kubernetes": {"namespace": "shop", "selector": {"app": "api"}, "expected": 3}}


def test_what_is_found_by_its_pods_is_asked_by_its_pods(tmp_path: Path) -> None:
    """Each pod is asked for each path, where it is, whatever address the service has elsewhere."""
    change = {**FOUND, "services.api.health": ["/health", "/ready"], "services.worker.health": ["/live"]}
    plan = plan_cluster(tmp_path, change)
    assert [target.address for target in job(plan, "blackbox").targets] == ["http://worker:8081/live"]
    for name, path in {"blackbox.api": "/health", "blackbox.api.2": "/ready"}.items():
        found = job(plan, name)
        assert found.discovery and found.discovery.port == 4000 and found.discovery.namespaces == ("shop",)
        assert found.discovery.labels["job"] == "blackbox" and found.discovery.labels["service"] == "api"
        assert (found.http_path, found.path, found.expected) == (path, "/probe", 3)
        assert found.prober == "blackbox-exporter.monitoring-dev.svc:9115" and not found.targets


def test_pods_alone_are_reason_enough(tmp_path: Path) -> None:
    """The exporter is there although no service has an address; on Docker the address is asked."""
    plan = plan_cluster(tmp_path / "a", FOUND)
    assert "blackbox-exporter" in plan.workloads
    assert {item.name for item in plan.telemetry.scrape if item.prober} == {"blackbox.api"}
    assert {item.name for item in plan_shop(tmp_path / "b", FOUND).telemetry.scrape if item.prober} == {"blackbox"}


def test_as_many_probes_are_expected_as_pods(tmp_path: Path) -> None:
    """Under the name that their series have, so that a missing one is noticed."""
    rules = [rule for group in plan_cluster(tmp_path, FOUND).telemetry.rules for rule in group.recordings]
    (expected,) = [rule for rule in rules if rule.labels.get("job") == "blackbox"]
    assert (expected.expr, expected.labels["service"]) == ("vector(3)", "api")


def test_the_module_exists(tmp_path: Path) -> None:
    """The module that the job asks for is configured."""
    plan = plan_shop(tmp_path)
    modules = document(plan, "blackbox-exporter", "blackbox.yml")["modules"]
    assert set(job(plan, "blackbox").params["module"]) <= modules.keys()


def test_it_watches_itself(tmp_path: Path) -> None:
    """The exporter is scraped and has alerts of its own."""
    plan = plan_shop(tmp_path)
    scraped_as(plan, "blackbox-exporter")
    explained(plan, "probes")


def test_nothing_to_ask_is_no_exporter(tmp_path: Path) -> None:
    """A system without health endpoints has no exporter, no rules and no empty dashboard."""
    plan = plan_shop(tmp_path, {"services.api.health": []})
    assert "blackbox-exporter" not in plan.workloads
    assert "probes" not in {board.uid for board in plan.telemetry.dashboards}
    assert "probes" not in {group.name for group in plan.telemetry.rules}
