"""The stack watches itself: every part of it is scraped, and whatever can go wrong explains itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from model.plan import Plan
from model.telemetry import AlertRule
from stack.registry import COMPONENTS
from targets.kubernetes.network import list_listening_ports
from tests.support.systems import plan_cluster, plan_shop
from tests.support.validating import everything

UNWATCHED = {"demo-workload"}
"""What stands for services that are watched as themselves."""
CREDENTIAL = re.compile(
    r"(?im)^\s*-?\s*\"?[\w.-]*(password|passwd|token|api_?key|secret_?key|credentials)\"?\s*[:=]\s*"
    r"(?!\$__file\{/run/secrets/[\w-]+\}$)\S"
)
"""What names one, without Grafana's way to name a file."""


AGENTS = frozenset({"promtail", "collector"})
"""What reads lines: one of them in each stack."""


@pytest.fixture(scope="module", params=sorted(AGENTS))
def plan(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A stack in which every component but the demo has something to do, with either agent."""
    return everything(tmp_path_factory.mktemp("shop"), agent=request.param)


@pytest.fixture(scope="module")
def alerts(plan: Plan) -> tuple[AlertRule, ...]:
    """Every alert of that stack."""
    return tuple(alert for group in plan.telemetry.rules for alert in group.alerts)


def test_every_component_is_scraped(plan: Plan) -> None:
    """Each component has a job of its name, or one for each workload, whose targets say what every target says."""
    jobs = {job.name: job for job in plan.telemetry.scrape}
    for component in COMPONENTS:
        if component.name in UNWATCHED or "docker" not in component.targets:
            continue
        if component.name in AGENTS and AGENTS & plan.workloads.keys() != {component.name}:
            assert len(AGENTS & plan.workloads.keys()) == 1
            continue
        assert component.name in plan.workloads, component.name
        names = {component.name} & jobs.keys() or {workload.name for workload in plan.workloads[component.name]}
        for target in (target for name in names for target in jobs[name].targets):
            assert {"service", "system", "environment"} <= target.labels.keys(), target.address
        assert all(jobs[name].targets for name in names), component.name


def test_every_scraped_port_is_open(plan: Plan) -> None:
    """A cluster lets nobody in at a port that its workload does not declare, whatever listens there."""
    open_ports = {item.name: list_listening_ports(item) for item in plan.list_workloads()}
    for job in plan.telemetry.scrape:
        for target in job.targets:
            host, _, port = target.address.partition(":")
            assert host not in open_ports or job.prober or int(port) in open_ports[host], target.address


def test_every_component_of_a_cluster_is_scraped(tmp_path: Path) -> None:
    """What only runs on a cluster, or is there already, has its job too: found by a discovery or by its address."""
    jobs = {job.name: job for job in plan_cluster(tmp_path).telemetry.scrape}
    for component in COMPONENTS:
        if "docker" in component.targets:
            continue
        found = jobs[component.name]
        for labels in [found.discovery.labels] if found.discovery else [target.labels for target in found.targets]:
            assert {"service", "system", "environment"} <= labels.keys(), component.name


def test_alerts_of_a_cluster_explain_themselves(tmp_path: Path) -> None:
    """They say as much as those of an engine, and compare with a number too."""
    listed = tuple(alert for group in plan_cluster(tmp_path).telemetry.rules for alert in group.alerts)
    assert "KubeNodeNotReady" in {alert.name for alert in listed}
    test_every_alert_explains_itself(listed)
    test_every_alert_has_a_threshold(listed)


def test_every_workload_is_scraped(plan: Plan) -> None:
    """No process of the stack runs unseen: each is the host of a target."""
    hosts = {target.address.partition(":")[0] for job in plan.telemetry.scrape for target in job.targets}
    assert {workload.name for workload in plan.list_workloads()} <= hosts


def test_every_alert_explains_itself(alerts: tuple[AlertRule, ...]) -> None:
    """An alert says what is wrong, what that means and how bad it is, in whole sentences."""
    assert len(alerts) > 25
    for alert in alerts:
        assert alert.severity in ("critical", "warning", "info"), alert.name
        assert alert.summary and not alert.summary.endswith("."), alert.name
        assert alert.description.endswith("."), alert.name
        assert alert.description != alert.summary, alert.name
        assert re.fullmatch(r"([A-Z][a-z0-9]*)+", alert.name), alert.name


def test_every_alert_has_a_threshold(alerts: tuple[AlertRule, ...]) -> None:
    """An alert compares with a number, else it would fire for everything that exists."""
    endless = [alert.name for alert in alerts if not re.search(r"(==|!=|<=?|>=?)\s*-?[\d(]", alert.expr)]
    assert not endless


def test_no_document_or_variable_holds_a_credential(plan: Plan, tmp_path: Path) -> None:
    """Credentials are named by their file, in documents as in the environment; the demo makes no exception."""
    for workload in (*plan.list_workloads(), *plan_shop(tmp_path, settings={"demo": "true"}).list_workloads()):
        documents = workload.config.files.items() if workload.config else ()
        variables = "\n".join(f"{name}={value}" for name, value in workload.env.items())
        for name, text in (*documents, ("environment", variables)):
            found = CREDENTIAL.search(text)
            assert not found, f"{workload.name}/{name}: {found and found[0]}"


def test_every_secret_is_a_file_in_the_one_directory(plan: Plan) -> None:
    """A workload reads its secrets below /run/secrets and nowhere else, and only those that are declared."""
    files = [secret for workload in plan.list_workloads() for secret in workload.secrets]
    assert {str(Path(file.path).parent) for file in files} == {"/run/secrets"}
    assert {file.secret for file in files} <= plan.secrets.keys()
