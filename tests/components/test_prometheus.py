"""Prometheus: its documents say what everyone contributed, and its workload runs them hardened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from components import prometheus
from components.base import ComponentArgs
from components.discovery import listed
from model.load import parse
from model.plan import Context, Plan
from model.settings import ComponentSettings, Settings
from model.system import System
from model.telemetry import (
    AlertRule,
    RecordingRule,
    RuleGroup,
    ScrapeJob,
    ScrapeTarget,
    Telemetry,
)
from model.workload import HttpProbe, Workload
from targets.docker.register import DockerTarget
from tests.support.mocks import by_name, run_program
from tests.support.systems import SYSTEM, plan_shop

ALERT = AlertRule(name="Down", expr="up == 0", hold="1m", severity="critical", summary="s", description="d")


def context(telemetry: Telemetry | None = None, *, others: tuple[str, ...] = (), **own: Any) -> Context:
    """A context of Prometheus and some other components."""
    section = parse(prometheus.Settings, own, "prometheus")
    return Context(
        stack="dev",
        settings=parse(Settings, {"system": "shop"}, "settings"),
        system=parse(System, SYSTEM, "shop"),
        sections={"prometheus": section, **{name: ComponentSettings() for name in others}},
        address=lambda name, port: f"{name}:{port}",
        images={},
        telemetry=telemetry or Telemetry(),
    )


def job(**more: Any) -> ScrapeJob:
    """A scrape job of one target."""
    return ScrapeJob(
        **{"name": "api", "targets": (ScrapeTarget(address="api:4000", labels={"service": "api"}),), **more}
    )


def documents(telemetry: Telemetry, **own: Any) -> dict[str, Any]:
    """The parsed documents for a telemetry."""
    files = prometheus.documents(context(telemetry, **own))
    return {path: yaml.safe_load(text) for path, text in files.items()}


def workload(plan: Plan) -> Workload:
    """Prometheus' workload in a plan."""
    (only,) = plan.workloads["prometheus"]
    return only


# -- documents -------------------------------------------------------------------------------------------------------


USUAL = {"__metrics_path__": "/metrics", "__scrape_interval__": "15s", "__scrape_timeout__": "10s"}


def test_jobs_share_an_entry_and_have_a_targets_file_each() -> None:
    """Targets stand in files of their own, which Prometheus re-reads by itself, and say what they are scraped as."""
    files = documents(Telemetry(scrape=(job(), job(name="web"))))
    assert files["prometheus.yml"]["scrape_configs"] == [
        {
            "job_name": "services",
            "scheme": "http",
            "sample_limit": 50_000,
            "file_sd_configs": [{"files": ["targets/services/*.yml"]}],
        }
    ]
    assert files["targets/services/api.yml"] == [
        {"targets": ["api:4000"], "labels": {"service": "api", "job": "api", **USUAL}}
    ]
    assert files["targets/services/web.yml"][0]["labels"]["job"] == "web"


def test_many_services_are_few_entries() -> None:
    """Each entry costs one of the host's 128 inotify instances, so their number must not follow the services'."""
    many = Telemetry(scrape=tuple(job(name=f"s{n}") for n in range(500)))
    assert len(documents(many)["prometheus.yml"]["scrape_configs"]) == 1


def test_what_a_job_says_wins_over_the_defaults() -> None:
    """Interval, time-out, limit, parameters and relabelling are taken from the job."""
    relabel = {"source_labels": ["a"], "target_label": "b"}
    special = job(interval="5s", params={"module": ("x",)}, relabel=(relabel,), metric_relabel=(relabel,), path="/m")
    limited = job(name="limited", sample_limit=7)
    files = documents(Telemetry(scrape=(special, limited)))
    entry, other = files["prometheus.yml"]["scrape_configs"]
    assert (entry["job_name"], entry["params"]) == ("api", {"module": ["x"]})
    assert entry["relabel_configs"] == entry["metric_relabel_configs"] == [relabel]
    labels = files["targets/api/api.yml"][0]["labels"]
    assert (labels["__metrics_path__"], labels["__scrape_interval__"], labels["__scrape_timeout__"]) == (
        "/m",
        "5s",
        "5s",
    )
    assert (other["job_name"], other["sample_limit"]) == ("services-7", 7)
    assert "targets/services-7/limited.yml" in files


def test_labels_of_a_series_can_win_over_those_of_its_target() -> None:
    """An exporter that tells of others says whom; its entry is its own, since no label of a target can ask for that."""
    files = documents(Telemetry(scrape=(job(), job(name="objects", honor_labels=True))))
    entry, other = files["prometheus.yml"]["scrape_configs"]
    assert "honor_labels" not in entry
    assert (other["job_name"], other["honor_labels"]) == ("objects", True)
    assert "targets/objects/objects.yml" in files


def test_targets_of_the_same_labels_stand_together() -> None:
    """A thousand targets of one service are one group."""
    targets = tuple(ScrapeTarget(address=f"h:{n}", labels={"b": "1", "a": str(n % 2)}) for n in range(4))
    assert listed(job(targets=targets), context().settings.scrape_interval) == [
        {"targets": ["h:0", "h:2"], "labels": {"a": "0", "b": "1", "job": "api", **USUAL}},
        {"targets": ["h:1", "h:3"], "labels": {"a": "1", "b": "1", "job": "api", **USUAL}},
    ]


def test_rule_groups_become_files() -> None:
    """Recordings come before the alerts that use them, and an alert carries its severity and texts."""
    group = RuleGroup(
        name="api",
        interval="30s",
        recordings=(
            RecordingRule(record="a:b:c", expr="x"),
            RecordingRule(record="d:e:f", expr="y", labels={"l": "1"}),
        ),
        alerts=(replace(ALERT, labels={"team": "t"}, annotations={"runbook_url": "u"}),),
    )
    (written,) = documents(Telemetry(rules=(group,)))["rules/api.yml"]["groups"]
    assert written["interval"] == "30s"
    assert written["rules"] == [
        {"record": "a:b:c", "expr": "x"},
        {"record": "d:e:f", "expr": "y", "labels": {"l": "1"}},
        {
            "alert": "Down",
            "expr": "up == 0",
            "for": "1m",
            "labels": {"severity": "critical", "team": "t"},
            "annotations": {"summary": "s", "description": "d", "runbook_url": "u"},
        },
    ]


def test_alerts_go_to_alertmanager_when_there_is_one() -> None:
    """Without Alertmanager nothing is notified, and nothing fails for that."""
    assert "alerting" not in prometheus.config(context())
    targets = prometheus.config(context(others=("alertmanager",)))["alerting"]["alertmanagers"][0]["static_configs"]
    assert targets == [{"targets": ["alertmanager:9093"]}]


def test_documents_keep_their_order() -> None:
    """The same plan always gives the same text."""
    telemetry = Telemetry(scrape=(job(),), rules=(RuleGroup(name="api", alerts=(ALERT,)),))
    assert prometheus.documents(context(telemetry)) == prometheus.documents(context(telemetry))
    assert next(iter(prometheus.config(context(telemetry)))) == "global"


# -- telemetry -------------------------------------------------------------------------------------------------------


def test_prometheus_contributes_itself() -> None:
    """It is scraped, a data source, routed, and watched by alerts."""
    own = prometheus.telemetry(context())
    assert own.scrape[0].targets[0].address == "prometheus:9090"
    assert own.datasources[0].default
    assert own.routes[0].prefix == "/prometheus"
    assert {"Watchdog", "TargetDown", "PrometheusConfigReloadFailed"} <= {a.name for a in own.rules[0].alerts}
    assert own.problems() == []


def test_an_operators_prometheus_is_what_others_are_told_of() -> None:
    """Its address and its pods, wherever its web pages are; objectives are compared with its retention where given."""
    given = {"namespace": "watch", "prometheusUrl": "http://prometheus.watch.svc:9090/prom/"}
    asked = context(mode="operator", operator=given)
    own = prometheus.telemetry(asked)
    assert own.datasources[0].url == "http://prometheus.watch.svc:9090/prom" and own.routes == ()
    (scrape,) = own.scrape
    assert scrape.path == "/prom/metrics" and scrape.discovery is not None
    assert (scrape.discovery.namespaces, scrape.discovery.port) == (("watch",), 9090)
    assert prometheus.workloads(asked) == () and prometheus.declared(context()) == ()
    long = context(mode="operator", retention="1d")
    assert [problem.where for problem in prometheus.problems(long)] and prometheus.problems(asked) == []


# -- workload --------------------------------------------------------------------------------------------------------


def test_settings_reach_the_command_line(tmp_path: Path) -> None:
    """Retention, sizes and time-outs are arguments in Prometheus' own notation."""
    settings = {"prometheus": '{"retention": "30d", "retentionSize": "16GiB", "memory": "2GiB", "port": 19090}'}
    made = workload(plan_shop(tmp_path, settings=settings))
    assert "--storage.tsdb.retention.time=30d" in made.args
    assert "--storage.tsdb.retention.size=16GB" in made.args
    assert "--web.external-url=http://127.0.0.1:8080/prometheus/" in made.args
    assert made.limits.memory == 2 * 2**30
    assert made.ports[0].publish == 19090


def test_the_workload_can_prove_itself(tmp_path: Path) -> None:
    """It is probed, validates before it switches, reloads in place, and keeps its data."""
    made = workload(plan_shop(tmp_path))
    assert isinstance(made.probe, HttpProbe)
    assert made.config is not None
    assert made.config.validate[0] == "/bin/promtool"
    assert made.config.reload is not None
    assert made.config.reload.success_metric == "prometheus_config_last_reload_successful"
    assert made.volumes[0].retain
    assert made.exemptions == ()


def test_the_resource_works_alone(tmp_path: Path) -> None:
    """Someone else's program can deploy Prometheus by itself, through the typed resource."""
    plan = plan_shop(tmp_path)

    def program() -> None:
        target = DockerTarget("dev", plan.settings.docker, plan.images, {})
        prometheus.Prometheus("prometheus", ComponentArgs(workloads=[workload(plan)], target=target))

    resources = run_program(program)
    container = by_name(resources, "dev-prometheus", ":Container")
    assert any(r.type == "observability:components:Prometheus" for r in resources)
    assert f"--config.file={prometheus.CONFIG_DIR}/prometheus.yml" in container.inputs["command"]
