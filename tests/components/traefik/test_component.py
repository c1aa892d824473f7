"""Traefik: one way in, by path prefix."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.planned import explained, scraped_as, workload
from tests.support.systems import plan_cluster, plan_shop


def test_the_api_is_not_published(tmp_path: Path) -> None:
    """Only the entry point for people is published; API, ping and metrics stay on an internal one."""
    found = workload(plan_shop(tmp_path), "traefik")
    assert [port.number for port in found.ports] == [8080]
    assert not any("insecure" in argument for argument in found.args)


def test_it_watches_itself(tmp_path: Path) -> None:
    """Traefik is scraped and has alerts of its own."""
    plan = plan_shop(tmp_path)
    scraped_as(plan, "traefik")
    explained(plan, "traefik")


def test_on_a_cluster_its_pods_are_scraped(tmp_path: Path) -> None:
    """By their own port: the Service in front of them, which may be open to the world, does not have it."""
    (job,) = [job for job in plan_cluster(tmp_path).telemetry.scrape if job.name == "traefik"]
    assert job.discovery and job.discovery.port == 8082 and job.discovery.namespaces == ("monitoring-dev",)
    assert job.discovery.selector["io.observability.workload"] == "traefik"


def test_refusals_are_recognised(tmp_path: Path) -> None:
    """The validator writes without colour codes, which would part the words that mean a refusal."""
    found = workload(plan_shop(tmp_path), "traefik").config
    assert found is not None
    assert "--log.nocolor=true" in found.validate
    assert re.search(found.validate_marker, '2026-11-21T08:49:32Z ERR error="error while parsing rule"')
    assert not re.search(found.validate_marker, "2026-11-21T08:49:32Z WRN aliasHeadersStrategy is not configured")


def test_it_is_what_people_connect_to(tmp_path: Path) -> None:
    """By the host of the base URL, which a platform that leads people to it has to know."""
    found = workload(plan_shop(tmp_path, settings={"baseUrl": "https://m.example.com:8443"}), "traefik")
    assert found.exposed and found.host == "m.example.com"


def test_certificates_by_acme_are_backed_up(tmp_path: Path) -> None:
    """With the account, as authorities issue few of one name; without ACME it has no data."""
    assert "traefik" not in {item.workload for item in plan_shop(tmp_path / "a").telemetry.backups}
    settings = {"tls": '{"mode": "acme", "acme": {"email": "ops@example.com"}}', "baseUrl": "https://m.example.com"}
    plan = plan_shop(tmp_path / "b", settings=settings)
    (source,) = [item for item in plan.telemetry.backups if item.workload == "traefik"]
    assert (source.volume,) == workload(plan, "traefik").volumes
