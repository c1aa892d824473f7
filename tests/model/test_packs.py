"""What a system contributes: scrape jobs, the rules that follow from its metrics' roles, its alerts and dashboards."""

from __future__ import annotations

from typing import Any

import pytest

from model.errors import ConfigError
from model.load import parse
from model.packs import system_telemetry
from model.plan import Context
from model.settings import Settings
from model.system import System
from model.telemetry import AlertRule, RuleGroup, Telemetry
from tests.support.systems import ABSENT, SYSTEM, changed

METRICS = "services/api/metrics"


def context(changes: dict[str, Any] | None = None, **settings: Any) -> Context:
    """A context of the shop with changes to its system."""
    return Context(
        stack="dev",
        settings=parse(Settings, {"system": "shop", **settings}, "settings"),
        system=parse(System, changed(SYSTEM, changes or {}), "shop"),
        sections={},
        address=lambda name, port: f"stand-in-{name}:{port}",
        images={},
    )


def made(changes: dict[str, Any] | None = None, **settings: Any) -> Telemetry:
    """The telemetry of the shop."""
    return system_telemetry(context(changes, **settings))


def group(telemetry: Telemetry, name: str) -> RuleGroup:
    """The rule group of that name."""
    return next(group for group in telemetry.rules if group.name == name)


def alert(telemetry: Telemetry, name: str) -> AlertRule:
    """The alert of that name."""
    return next(alert for group in telemetry.rules for alert in group.alerts if alert.name == name)


def test_every_service_is_scraped() -> None:
    """The job is called like the service; without an address it is found under its own name and port."""
    jobs = {job.name: job for job in made({"services.worker.address": "10.0.0.7:9999"}).scrape}
    assert {name: job.targets[0].address for name, job in jobs.items()} == {
        "api": "api:4000",
        "worker": "10.0.0.7:9999",
    }


def test_targets_carry_their_identity() -> None:
    """Service, system and environment are labels of every target, and no label of a system can replace them."""
    (target,) = made({"services.api.labels": {"team": "a", "service": "other"}}, environment="test").scrape[0].targets
    assert target.labels == {"team": "a", "service": "api", "system": "shop", "environment": "test"}


def test_a_demo_scrapes_the_stand_in() -> None:
    """In a demo the stand-in is scraped, wherever the real service lives."""
    jobs = made({"services.api.address": "10.0.0.7:9999"}, demo=True).scrape
    assert jobs[0].targets[0].address == "stand-in-api:4000"


def test_scrape_settings_arrive() -> None:
    """Path, interval and sample limit are the service's own."""
    api = {"services.api.metricsPath": "/m", "services.api.scrapeInterval": "7s", "services.api.sampleLimit": 9}
    job = made(api).scrape[0]
    assert (job.path, job.interval, job.sample_limit) == ("/m", "7s", 9)


def test_errors_are_found_by_the_status_label() -> None:
    """The share of errors counts 5xx by the service's own status label, and fires beyond its own limit."""
    metric = {"type": "counter", "role": "requests", "labels": {"status_code": ["200", "500"]}}
    changes = {
        f"{METRICS}/shop_requests_total": metric,
        "services/api/statusLabel": "status_code",
        "services/api/errorRatio": 0.01,
    }
    telemetry = made(changes)
    ratio = group(telemetry, "shop-api").recordings[1]
    assert 'shop_requests_total{service="api", status_code=~"5.."}' in ratio.expr
    rule = alert(telemetry, "ApiHighErrorRatio")
    assert rule.expr == f'{ratio.record}{{service="api"}} > 0.01'
    assert (rule.severity, rule.hold) == ("critical", "5m")
    assert "1%" in rule.description


@pytest.mark.parametrize(("unit", "limit"), [("seconds", "0.75"), ("milliseconds", "750")])
def test_latency_is_compared_in_the_metrics_unit(unit: str, limit: str) -> None:
    """A threshold in seconds becomes one in the unit that the metric counts in."""
    changes = {f"{METRICS}/shop_duration_seconds/unit": unit, "services/api/latencyP95": 0.75}
    rule = alert(made(changes), "ApiSlowRequests")
    assert rule.expr.endswith(f"> {limit}")
    assert (rule.severity, rule.hold) == ("warning", "5m")


def test_the_quantile_of_a_histogram_keeps_le() -> None:
    """Buckets are summed by le: without it a quantile is nonsense."""
    recording = group(made(), "shop-api").recordings[2]
    assert recording.expr.startswith("histogram_quantile(0.95, sum by (le, ")
    assert 'shop_duration_seconds_bucket{service="api"}[5m]' in recording.expr


def test_the_quantile_of_a_summary_is_its_own() -> None:
    """A summary has its quantile already."""
    recording = group(made({f"{METRICS}/shop_duration_seconds/type": "summary"}), "shop-api").recordings[2]
    assert 'shop_duration_seconds{service="api", quantile="0.95"}' in recording.expr


def test_a_generic_service_has_no_rules() -> None:
    """A service of kind generic is scraped and nothing more."""
    telemetry = made({"services.api.kind": "generic"})
    assert [group.name for group in telemetry.rules] == ["shop"]


def test_a_workers_queues_are_watched() -> None:
    """Each metric of role queue has an alert of its own name."""
    queue = {"type": "gauge", "role": "queue", "labels": {"queue": ["mail"]}}
    telemetry = made({"services.worker.metrics": {"mail_depth": queue, "pdf_depth": queue}})
    rules = group(telemetry, "shop-worker").alerts
    assert [rule.name for rule in rules] == ["WorkerQueueBacklog", "WorkerQueueBacklog2"]
    assert rules[0].expr == 'mail_depth{service="worker"} > 10000'


def test_names_of_two_services_do_not_clash() -> None:
    """Two services of one kind give no alert and no group of the same name."""
    telemetry = made({"services.shop-front": SYSTEM["services"]["api"] | {"port": 4001}})
    assert telemetry.problems() == []
    assert alert(telemetry, "ShopFrontHighErrorRatio").expr.endswith("> 0.05")


def test_the_systems_alerts_become_rules() -> None:
    """An alert of the system arrives with all its words, and leads to the system's first dashboard."""
    rule = alert(made({"alerts.0.labels": {"team": "a"}}, baseUrl="https://m.example.com"), "ShopSlow")
    assert rule == AlertRule(
        name="ShopSlow",
        expr="up == 0",
        hold="5m",
        severity="warning",
        summary="Slow",
        description="The shop is slow.",
        labels={"team": "a"},
        annotations={"dashboard": "https://m.example.com/d/shop-overview"},
    )


def test_a_system_without_dashboards_has_no_links() -> None:
    """An alert leads nowhere when there is no dashboard."""
    assert alert(made({"dashboards": ABSENT}), "ShopSlow").annotations == {}


def test_dashboards_stand_in_the_systems_folder() -> None:
    """A system's dashboards are tagged with its name, and their folder has its title."""
    (board,) = made().dashboards
    assert (board.uid, board.folder, board.model["tags"]) == ("shop-overview", "Shop", ["shop"])


def test_a_status_label_that_no_metric_has_is_refused() -> None:
    """Errors that can never be counted are a mistake, told with the nearest label."""
    with pytest.raises(ConfigError, match=r"services\.api\.statusLabel: 'statuss' is no label.*did you mean 'status'"):
        made({"services.api.statusLabel": "statuss"})


def test_a_duration_without_a_unit_of_time_is_refused() -> None:
    """A threshold in seconds cannot be compared with bytes."""
    with pytest.raises(ConfigError, match=r"shop_duration_seconds\.unit: 'bytes' is no unit of time"):
        made({f"{METRICS}/shop_duration_seconds/unit": "bytes"})


def test_empty_queries_of_all_dashboards_are_refused() -> None:
    """The problems of every dashboard are reported together, by their place in the system's file."""
    board = changed(SYSTEM["dashboards"][0], {"rows.0.panels.0.queries.0.expr": ""})
    with pytest.raises(ConfigError) as raised:
        made({"dashboards": [board, board | {"uid": "other"}]})
    places = [problem.where for problem in raised.value.problems]
    assert [place.partition(".rows")[0] for place in places] == [
        "configs/systems/shop.yaml: dashboards[0]",
        "configs/systems/shop.yaml: dashboards[1]",
    ]
