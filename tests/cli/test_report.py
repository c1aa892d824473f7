"""How a stack is, as far as its parts answer."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli import render, verify
from cli.report import build_report, describe_health, list_stopped, list_unguarded, wait_targets
from cli.verify import Health
from model.errors import ConfigError, Problem
from model.plan import Plan
from tests.support.systems import plan_shop

UP = {"labels": {"job": "api", "service": "api"}, "scrapeUrl": "http://api:1/metrics", "health": "up", "lastError": ""}
SPACE: Any = SimpleNamespace(stack="dev")


class FakeHost:
    """A place with these workloads, whose Prometheus knows these targets, one list after the other."""

    def __init__(self, health: list[Health], *answers: list[dict[str, Any]]) -> None:
        self.health, self.answers = health, [*answers]

    def explain_absences(self, names: set[str]) -> list[str]:
        """See `cli.hosts.Host`."""
        return [f"the container {name} is exited" for name in names if name == "gone"]

    def wait_healthy(self, _timeout: float) -> list[Health]:
        """See `cli.hosts.Host`."""
        return self.health

    def wait_targets(self, _timeout: float) -> list[dict[str, Any]]:
        """See `cli.hosts.Host`."""
        if not self.answers:
            raise RuntimeError("prometheus is gone")
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def discover(least: int) -> Any:
    """A plan that expects so many pods of a service."""
    job = SimpleNamespace(name="api", discovery=SimpleNamespace(labels={"service": "api"}, least=least), targets=())
    return SimpleNamespace(telemetry=SimpleNamespace(scrape=[job]), operator=None)


def test_nothing_that_runs_is_said() -> None:
    """With the command that would deploy it; nobody is asked for targets."""
    host: Any = FakeHost([])
    report = build_report(SPACE, "http://h", host)
    assert not report.good and report.unseen == ["nothing of the stack dev runs here: make up STACK=dev"]


def test_a_stack_is_looked_at_when_its_files_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs was deployed by files of before; that nobody knows what should run is no success."""

    def refuse(_: object) -> None:
        raise ConfigError([Problem("Pulumi.dev.yaml", "no")])

    monkeypatch.setattr(render, "plan_workspace", refuse)
    host: Any = FakeHost([Health("api", "healthy", "", 1)], [UP])
    report = build_report(SPACE, "http://h", host, patience=0)
    assert report.scraped == [UP] and not report.good
    assert "Pulumi.dev.yaml: no" in report.unseen[0]


def test_pods_that_come_late_are_waited_for() -> None:
    """A pod is found some seconds after it is there."""
    host: Any = FakeHost([], [UP], [UP, UP])
    assert wait_targets(host, discover(2), 5) == ([UP, UP], [])


def test_pods_that_never_come_are_said() -> None:
    """Prometheus does not speak of what it never found."""
    host: Any = FakeHost([], [UP])
    scraped, lacking = wait_targets(host, discover(2), 0)
    assert scraped == [UP] and lacking[0].startswith("api: 1 of 2 targets of the job api are known")


def test_a_prometheus_that_is_gone_is_no_empty_list() -> None:
    """Its silence is a sentence."""
    host: Any = FakeHost([])
    assert wait_targets(host, None, 0) == ([], ["the targets are not known: prometheus is gone"])


def test_who_is_down_because_it_does_not_run_is_said() -> None:
    """Prometheus says that the name leads nowhere, which reads like a fault of the network."""
    host: Any = FakeHost([])
    down = [{**UP, "health": "down", "scrapeUrl": f"http://{name}:1/metrics"} for name in ("gone", "slow", "gone")]
    assert list_stopped(host, [UP, *down]) == ["the container gone is exited"]


def test_who_has_too_few_targets_is_named(tmp_path: Path) -> None:
    """A service that is found by its pods: one that was never found is in no list, and nobody else speaks of it."""
    pods = {"namespace": "shop", "selector": {"app": "api"}, "expected": 2}
    plan = plan_shop(tmp_path, {"services.api.kubernetes": pods}, {"demo": "false", "target": "kubernetes"})
    found = [{"job": job.name, **job.discovery.labels} for job in plan.telemetry.scrape if job.discovery]
    others = [{**UP, "labels": labels} for labels in found for _ in range(2) if labels["job"] != "api"]
    others += list_written(plan)
    (sentence,) = verify.list_lacking(plan, [*others, UP])
    assert sentence.startswith("api: 1 of 2 targets of the job api are known; are its pods there")
    assert verify.list_lacking(plan, [*others, UP, UP]) == []


def list_written(plan: Plan) -> list[dict[str, Any]]:
    """The targets whose addresses stand in the configuration, as Prometheus knows them."""
    written = [(job.name, item.labels) for job in plan.telemetry.scrape for item in job.targets]
    return [{**UP, "labels": {"job": name, **labels}} for name, labels in written]


def test_a_configuration_that_has_not_arrived_is_no_stack_without_targets(tmp_path: Path) -> None:
    """All that is known is up, and most is not known: each job that lacks a target is named."""
    plan = plan_shop(tmp_path)
    written = list_written(plan)
    assert verify.list_lacking(plan, written) == []
    lacking = verify.list_lacking(plan, written[:1])
    assert len(lacking) >= len({item["labels"]["job"] for item in written}) - 1
    assert "; what does Prometheus say of its configuration, in its log?" in lacking[0]


def published(plan: Plan) -> list[Health]:
    """The plan's workloads as an engine has them, each at the first port that it publishes."""
    first = {w.name: next((p.publish for p in w.ports if p.publish), None) for w in plan.list_workloads()}
    return [Health(name, "healthy", f"http://127.0.0.1:{port}" if port else "", 0) for name, port in first.items()]


def test_an_address_opens_something_or_is_an_api(tmp_path: Path) -> None:
    """A page's address has its path; where no page is, the address is for programs."""
    otel = '{"enabled": true, "grpcPort": 4317, "httpPort": 4318}'
    more = {"otel": otel, "jaeger": '{"enabled": true, "port": 16686}', "mcp": '{"enabled": true, "port": 8001}'}
    plan = plan_shop(tmp_path, {}, {"demo": "true", **more})
    shown = {item.workload: item for item in describe_health(plan, published(plan)) if item.url}
    assert {name for name, item in shown.items() if item.api} == {"loki", "otel", "mcp"}
    assert shown["prometheus"].url == "http://127.0.0.1:9090/prometheus/"
    assert shown["jaeger"].url == "http://127.0.0.1:16686/jaeger/"
    assert shown["traefik"].url == "http://127.0.0.1:8080/"
    assert shown["api"].url == "http://127.0.0.1:4000"


def test_what_is_not_published_has_no_address(tmp_path: Path) -> None:
    """What is published nowhere, or is not in the plan any more, stays as it is."""
    plan, others = plan_shop(tmp_path), [Health("loki", "healthy", "", 0), Health("old", "healthy", "http://h:1", 0)]
    assert describe_health(plan, others) == others


def test_tls_has_people_come_by_the_stacks_name(tmp_path: Path) -> None:
    """By an address of the engine, or without TLS, the entry point answers nothing."""
    plan = plan_shop(tmp_path, {}, {"baseUrl": "https://shop.example.com", "tls": '{"mode": "internal"}'})
    (entry,) = (item for item in describe_health(plan, published(plan)) if item.workload == "traefik")
    assert entry.url == "https://shop.example.com/"


def test_who_asks_for_no_login_at_its_own_port_is_known(tmp_path: Path) -> None:
    """All but the entry point, and those with a login of their own: Grafana, and the MCP server with its tokens."""
    plan = plan_shop(tmp_path, {}, {"demo": "true", "mcp": '{"enabled": true, "port": 8001}'})
    assert set(list_unguarded(plan, published(plan))) == {"alertmanager", "api", "loki", "prometheus", "worker"}
