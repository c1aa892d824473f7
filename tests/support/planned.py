"""Parts of a planned stack, by name."""

from __future__ import annotations

from typing import Any

from model.plan import Plan
from model.telemetry import AlertRule, ScrapeJob
from model.workload import Workload
from tests.support.yaml_files import read_yaml


def workload(plan: Plan, name: str) -> Workload:
    """The workload of that name."""
    return next(item for item in plan.list_workloads() if item.name == name)


def text(plan: Plan, name: str, file: str) -> str:
    """A document of a workload as it is delivered."""
    config = workload(plan, name).config
    assert config is not None
    return config.files[file]


def document(plan: Plan, name: str, file: str) -> Any:
    """A document of a workload, parsed."""
    return read_yaml(text(plan, name, file))


def job(plan: Plan, name: str) -> ScrapeJob:
    """The scrape job of that name."""
    return next(item for item in plan.telemetry.scrape if item.name == name)


def alerts(plan: Plan, group: str) -> dict[str, AlertRule]:
    """The alerts of a rule group by name."""
    return {alert.name: alert for item in plan.telemetry.rules if item.name == group for alert in item.alerts}


def scraped_as(plan: Plan, name: str) -> None:
    """Asserts that a component is scraped under its own name, with the labels that every target carries."""
    for target in job(plan, name).targets:
        assert {"service", "system", "environment"} <= target.labels.keys()
        assert str(target.labels["service"]).startswith(name)


def explained(plan: Plan, group: str) -> None:
    """Asserts that a group has alerts, and that each says what it means."""
    found = alerts(plan, group)
    assert found
    for alert in found.values():
        assert alert.summary and alert.description.endswith(".") and alert.severity in ("critical", "warning", "info")
