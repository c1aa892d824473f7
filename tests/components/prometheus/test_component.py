"""Prometheus: its documents say what everyone contributed, and its workload runs them hardened."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.prometheus import settings
from components.prometheus.component import Prometheus
from model.errors import ConfigError
from model.plan import Plan
from model.workload import HttpProbe, Workload
from stack.assemble import ConfigValue
from stack.resource import ComponentArgs, MonitoringComponent
from targets.docker.register import DockerTarget
from tests.components.prometheus.contexts import context, section
from tests.support.mocks import by_name, run_program
from tests.support.systems import plan_cluster, plan_shop


def workload(plan: Plan) -> Workload:
    """Prometheus' workload in a plan."""
    (only,) = plan.workloads["prometheus"]
    return only


def test_prometheus_contributes_itself() -> None:
    """It is scraped, a data source, routed, and watched by alerts."""
    known = context()
    own = Prometheus().telemetry(section(known), known)
    assert own.scrape[0].targets[0].address == "prometheus:9090"
    assert own.datasources[0].default
    assert own.routes[0].prefix == "/prometheus"
    assert {"Watchdog", "TargetDown", "PrometheusBadConfig"} <= {a.name for a in own.rules[0].alerts}
    assert own.check_names() == []


def test_an_operators_prometheus_is_what_others_are_told_of() -> None:
    """Its address and its pods, wherever its web pages are; objectives are compared with its retention where given."""
    given = {"namespace": "watch", "prometheusUrl": "http://prometheus.watch.svc:9090/prom/"}
    asked = context(mode="operator", operator=given)
    own = Prometheus().telemetry(section(asked), asked)
    assert own.datasources[0].url == "http://prometheus.watch.svc:9090/prom" and own.routes == ()
    (scrape,) = own.scrape
    assert scrape.path == "/prom/metrics" and scrape.discovery is not None
    assert (scrape.discovery.namespaces, scrape.discovery.port) == (("watch",), 9090)
    alone, long = context(), context(mode="operator", retention="1d")
    assert Prometheus().workloads(section(asked), asked) == () and Prometheus().objects(section(alone), alone) == ()
    assert Prometheus().problems(section(long), long) and Prometheus().problems(section(asked), asked) == []


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
        MonitoringComponent(Prometheus, "prometheus", ComponentArgs(workloads=[workload(plan)], target=target))

    resources = run_program(program)
    container = by_name(resources, "dev-prometheus", ":Container")
    assert any(r.type == "observability:components:Prometheus" for r in resources)
    assert f"--config.file={settings.CONFIG_DIR}/prometheus.yml" in container.inputs["command"]


LOGIN = {"basicAuth": {"username": "prometheus", "passwordSecret": "metrics"}}


def test_a_login_of_services_is_one_secret(tmp_path: Path) -> None:
    """Whoever sets it is told whose it is; Prometheus has it as a file that it reads again. Stand-ins want none."""
    settings: dict[str, str | ConfigValue] = {"demo": "false", "metrics": ConfigValue("x", secret=True)}
    plan = plan_shop(tmp_path / "real", {"scrape": LOGIN}, settings)
    assert plan.secrets["metrics"].purpose.startswith("the login to the metrics of api")
    (file,) = workload(plan).secrets
    assert (file.path, file.reread) == ("/run/secrets/metrics", True)
    assert "metrics" not in plan_shop(tmp_path / "demo", {"scrape": LOGIN}, {"demo": "true"}).secrets


def test_an_operators_prometheus_is_given_no_login(tmp_path: Path) -> None:
    """Its objects name secrets that somebody else keeps: that is refused with each key, and what to do."""
    settings: dict[str, str | ConfigValue] = {"demo": "false", "metrics": ConfigValue("x", secret=True)}
    settings["prometheus"] = "operator"
    with pytest.raises(ConfigError) as error:
        plan_cluster(tmp_path, {"scrape": {**LOGIN, "headers": {"X-Scope": "a"}}}, settings)
    for key in ("basicAuth", "headers"):
        assert f"services.api.scrape.{key}: is not given to an operator's Prometheus" in str(error.value)


def test_its_log_is_copied_before_its_blocks(tmp_path: Path) -> None:
    """What leaves the log meanwhile is in a block then; an operator's samples are elsewhere, which is said."""
    (source,) = [item for item in plan_shop(tmp_path / "a").telemetry.backups if item.workload == "prometheus"]
    assert source.order == ("wal", "wbl", "chunks_head") and {"lock", "queries.active"} < set(source.exclude)
    operated = plan_cluster(tmp_path / "b", settings={"prometheus": '{"mode": "operator"}'})
    assert "prometheus" not in {item.workload for item in operated.telemetry.backups}
    assert [said for said in operated.telemetry.data_elsewhere if "an operator runs in namespace monitoring" in said]


def test_every_instance_has_the_same_data(tmp_path: Path) -> None:
    """So one of them is copied, and that there are several is known."""
    plan = plan_cluster(tmp_path, settings={"prometheus": '{"replicas": 2}'})
    assert [item.instances for item in plan.telemetry.backups if item.workload == "prometheus"] == [2]
