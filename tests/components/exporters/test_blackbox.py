"""blackbox-exporter: asks every health endpoint from outside."""

from __future__ import annotations

from pathlib import Path

from tests.support.planned import document, explained, job, scraped_as
from tests.support.systems import plan_shop


def test_health_endpoints_are_probed(tmp_path: Path) -> None:
    """Each health path of a service is a target, and its address becomes the instance."""
    probes = job(plan_shop(tmp_path), "blackbox")
    assert [target.address for target in probes.targets] == ["http://api:4000/health"]
    assert probes.prober == "blackbox-exporter:9115"


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
