"""What a system contributes: scrape jobs, the rules that follow from its metrics' roles, its alerts and dashboards."""

from __future__ import annotations

from typing import Any

import pytest

from model.component import Planning
from model.errors import ConfigError
from model.load import parse_model
from model.settings import Settings
from model.system import System
from model.telemetry import AlertRule, RuleGroup, Telemetry
from packs.system import expand_system
from tests.support.systems import SYSTEM, changed, contributed

METRICS = "services/api/metrics"


def context(changes: dict[str, Any] | None = None, **settings: Any) -> Planning:
    """A context of the shop with changes to its system."""
    return Planning(
        stack="dev",
        settings=parse_model(Settings, {"system": "shop", **settings}, "settings"),
        system=expand_system(parse_model(System, changed(SYSTEM, changes or {}), "shop")),
        sections={},
        address=lambda name, port: f"stand-in-{name}:{port}",
        images={},
    )


def made(changes: dict[str, Any] | None = None, **settings: Any) -> Telemetry:
    """The telemetry of the shop."""
    return contributed(context(changes, **settings))


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


def test_a_stand_in_keeps_the_labels_that_its_service_keeps() -> None:
    """It has those that are declared, so they are the same series; all else of its scrape is plain."""
    how = {"services.api.scrape": {"honorLabels": True, "scheme": "https"}}
    (api,) = [job for job in contributed(context(how, demo=True)).scrape if job.name == "api"]
    assert api.honor_labels and api.scheme == "http"


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
        "services/api/tune": {"HighErrorRatio": {"threshold": 0.01}},
    }
    telemetry = made(changes)
    ratio = group(telemetry, "shop-api").recordings[1]
    assert 'shop_requests_total{service="api", status_code=~"5.."}' in ratio.expr
    rule = alert(telemetry, "HighErrorRatio")
    assert rule.expr.startswith(f'{ratio.record}{{service="api"}} > 0.01 and ')
    assert (rule.severity, rule.for_) == ("critical", "5m")
    assert "1%" in rule.description


@pytest.mark.parametrize(("unit", "scale"), [("seconds", ""), ("milliseconds", " / 1000")])
def test_latency_is_recorded_in_seconds(unit: str, scale: str) -> None:
    """Whatever unit the metric counts in, the recorded quantile and the threshold are in seconds."""
    changes = {
        f"{METRICS}/shop_duration_seconds/unit": unit,
        "services/api/tune": {"SlowRequests": {"threshold": 0.75}},
    }
    if unit == "milliseconds":
        changes["objectives"] = []
    telemetry = made(changes)
    assert all(r.expr.endswith(f"){scale}") for r in group(telemetry, "shop-api").recordings[2:])
    rule = alert(telemetry, "SlowRequests")
    assert rule.expr == 'service:request_duration_seconds:p95_5m{service="api"} > 0.75'
    assert (rule.severity, rule.for_) == ("warning", "5m")


def test_the_quantile_is_the_one_that_is_asked_for() -> None:
    """A latency alert looks at p99 where the system says so."""
    telemetry = made({"services/api/tune": {"SlowRequests": {"quantile": 0.99}}})
    assert alert(telemetry, "SlowRequests").expr.startswith("service:request_duration_seconds:p99_5m{")


def test_the_quantile_of_a_histogram_keeps_le() -> None:
    """Buckets are summed by le: without it a quantile is nonsense."""
    recording = group(made(), "shop-api").recordings[3]
    assert recording.expr.startswith("histogram_quantile(0.95, sum by (le, ")
    assert 'shop_duration_seconds_bucket{service="api"}[5m]' in recording.expr


def test_the_quantile_of_a_summary_is_its_own() -> None:
    """A summary has its quantile already."""
    recording = group(made({f"{METRICS}/shop_duration_seconds/type": "summary"}), "shop-api").recordings[3]
    assert 'shop_duration_seconds{service="api", quantile="0.95"}' in recording.expr


def test_a_service_without_packs_has_no_rules() -> None:
    """Such a service is scraped and nothing more."""
    telemetry = made({"services.api.packs": [], "services.worker.packs": [], "objectives": []})
    assert [group.name for group in telemetry.rules] == ["shop"]


def test_packs_bring_their_usual_metrics() -> None:
    """Three lines are a whole HTTP service: its pack says what such a service measures."""
    telemetry = made({"services.billing": {"port": 8080, "packs": ["http"]}})
    names = [rule.name for rule in group(telemetry, "shop-billing").alerts]
    assert names == ["HighErrorRatio", "SlowRequests", "MetricMissing"]
    (outcomes,) = group(telemetry, "shop-billing-outcomes").alerts
    assert (outcomes.name, outcomes.service) == ("OutcomeUnknown", "billing")
    assert "rate(http_requests_total{" in group(telemetry, "shop-billing").recordings[0].expr


def test_a_service_that_declares_its_own_metrics_gets_no_others() -> None:
    """What a service says of its requests replaces all that the pack would assume."""
    assert "http_requests_total" not in context().system.services["api"].metrics


def test_two_packs_bring_the_same_rule_once() -> None:
    """Every process has the alert on open files, however many packs say so."""
    telemetry = made({"services.billing": {"port": 8080, "packs": ["go", "python", "nodejs"]}})
    names = [rule.name for rule in group(telemetry, "shop-billing").alerts]
    assert sorted(names) == ["EventLoopLag", "GoroutineLeak", "MemoryLeak", "MetricMissing", "OpenFilesHigh"]


def test_names_of_two_services_do_not_clash() -> None:
    """Two services of one kind have alerts of one name, told apart by their service."""
    telemetry = made({"services.shop-front": SYSTEM["services"]["api"] | {"port": 4001}})
    assert telemetry.check_names() == []
    named = [rule.service for group in telemetry.rules for rule in group.alerts if rule.name == "HighErrorRatio"]
    assert named == ["api", "shop-front"]


def test_the_systems_alerts_become_rules() -> None:
    """An alert of the system arrives with all its words, its steps and its example."""
    rule = alert(made({"alerts.0.labels": {"team": "a"}}), "ShopSlow")
    assert (rule.expr, rule.for_, rule.severity, rule.summary) == ("up == 0", "5m", "warning", "Slow")
    assert (rule.labels, rule.steps) == ({"team": "a"}, ("Look at the shop.",))
    assert rule.example is not None and rule.example.at == "1h"


def test_alerts_lead_to_the_dashboard_of_their_service() -> None:
    """A dashboard about a service alone is where its alerts lead; others lead to the system's first."""
    board = changed(SYSTEM["dashboards"][0], {"uid": "shop-worker", "services": ["worker"]})
    telemetry = made({"dashboards": [SYSTEM["dashboards"][0], board]})
    assert (group(telemetry, "shop-worker").board, group(telemetry, "shop-api").board) == (
        "shop-worker",
        "shop-overview",
    )


def test_a_process_of_the_host_is_reached_through_the_host() -> None:
    """Containers reach a process of the host under the host's name; in a demo its stand-in is a container."""
    changes = {"services.worker.onHost": True}
    assert made(changes).scrape[1].targets[0].address == "host.docker.internal:8081"
    assert made(changes, demo=True).scrape[1].targets[0].address == "stand-in-worker:8081"


def test_every_instance_is_a_target() -> None:
    """A service of several instances is one job; the label instance may be the host alone."""
    changes = {"services.worker.addresses": ["10.0.0.7:80", "10.0.0.8:80"], "services.worker.instance": "host"}
    targets = made(changes).scrape[1].targets
    assert [(t.address, t.labels["instance"]) for t in targets] == [
        ("10.0.0.7:80", "10.0.0.7"),
        ("10.0.0.8:80", "10.0.0.8"),
    ]


def test_rows_of_packs_are_filled() -> None:
    """A row that names a pack has its panels, for the services of its dashboard."""
    board = changed(SYSTEM["dashboards"][0], {"rows": [{"pack": "http"}, {"pack": "logs"}]})
    model = made({"dashboards": [board]}).dashboards[0].model
    titles = [panel["title"] for panel in model["panels"]]
    assert {"Requests", "Request rate", "Error ratio", "Logs", "Errors in logs"} <= set(titles)


def test_a_row_of_a_pack_that_nobody_uses_is_refused() -> None:
    """An empty row is a mistake, told with the packs that are used."""
    board = changed(SYSTEM["dashboards"][0], {"rows": [{"pack": "milvus"}]})
    with pytest.raises(ConfigError, match=r"rows\[0\]\.pack: no service of this dashboard uses the pack 'milvus'"):
        made({"dashboards": [board]})


def test_dashboards_stand_in_the_systems_folder() -> None:
    """A system's dashboards are tagged with its name, and their folder has its title."""
    board, objectives = made().dashboards
    assert objectives.uid == "shop-slo"
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
