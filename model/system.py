"""A system to watch, as written in configs/systems/<name>.yaml: services, metrics, logs, dashboards, alerts, SLOs.

The file says what the system is and promises; how it is scraped, drawn and alerted on follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from model.base import Duration, LabelName, Name, PortNumber, ProjectFiles, ServiceKey, Strict
from model.dashboard_spec import DashboardSpec
from model.errors import Inconsistent, Problem, suggest_name
from model.logs import JOURNAL_KEYS, HostLog
from model.probing import USUAL_PROBE, Probe
from model.scraping import USUAL, Scrape
from model.service import AlertName, Database, Ratio, Service, Tuning


class AlertExample(Strict):
    """Input series for the alert's unit test, one sample a minute, in promtool's notation (`0+60x120`)."""

    fires: Annotated[Mapping[str, str], Field(min_length=1)]
    """Series with which it fires at `at`."""
    silent: Annotated[Mapping[str, str], Field(min_length=1)]
    """Series with which it stays silent at `at`."""
    at: Duration = "1h"
    """When it is looked at."""


class AlertSpec(Strict):
    """An alert of the system beside those that its services' packs bring."""

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]*$")]
    """CamelCase name."""
    expr: str
    """PromQL that yields one series for each thing that is wrong."""
    for_: Annotated[Duration | None, Field(alias="for")] = None
    """How long it must be true."""
    severity: Literal["critical", "warning", "info"]
    """critical wakes people, warning waits for the morning, info is only shown."""
    summary: str
    """One line with the value."""
    description: str
    """What it means and what to look at."""
    labels: Mapping[LabelName, str] = Field(default_factory=dict)
    """Extra labels for routing."""
    steps: tuple[str, ...] = ()
    """What to look at when it fires, in order: its runbook."""
    example: AlertExample
    """Input series that prove it: in `fires` its condition holds just so, in `silent` just not."""


class ServiceLevelObjective(Strict):
    """A service-level objective."""

    service: ServiceKey
    """Which service promises it."""
    kind: Literal["availability", "latency", "ratio"]
    """Share of good requests, share of requests quicker than `threshold`, or share of `total` that is not `bad`."""
    name: Name | None = None
    """Tells two of a kind apart; the kind when absent."""
    title: str = ""
    """Name for people."""
    target: Ratio
    """Promised share, such as 0.999; never 1, which would leave no error budget."""
    floor: Ratio | None = None
    """Share below which it is red and not yellow; halfway to twice the budget when absent."""
    window: Duration = "30d"
    """Over how long."""
    threshold: Annotated[float, Field(gt=0)] | None = None
    """Latency in seconds for kind latency."""
    bad: str | None = None
    """For kind ratio: the counter of what went wrong, with label matchers where needed. Events without these labels are
    not judged; a counter of its own must be there from the start, at 0, else there is no data."""
    total: str | None = None
    """For kind ratio: the counter of everything."""

    @property
    def key(self) -> str:
        """Value of the label slo: api-availability."""
        return f"{self.service}-{self.name or self.kind}"

    @model_validator(mode="after")
    def _check_parts(self) -> ServiceLevelObjective:
        problems = []
        for name, kind, what in (
            ("threshold", "latency", "seconds within which a request counts as quick"),
            ("bad", "ratio", "the counter of what went wrong"),
            ("total", "ratio", "the counter of everything"),
        ):
            if (getattr(self, name) is not None) != (self.kind == kind):
                need = f"is required for kind {kind}" if self.kind == kind else f"belongs to kind {kind} only"
                problems.append(Problem(name, f"{need}: {what}"))
        if self.floor is not None and self.floor >= self.target:
            problems.append(Problem("floor", f"must be below the target, {self.target:g}"))
        if problems:
            raise Inconsistent(problems)
        return self


class System(Strict):
    """Everything the program knows of a system."""

    REFUSED: ClassVar[Mapping[str, str]] = JOURNAL_KEYS

    name: Name
    """Must equal the file's name."""
    title: str
    """Name for people."""
    description: str = ""
    """What the system is."""
    ports: Mapping[Name, PortNumber] = Field(default_factory=dict)
    """Host ports that its people are used to, by component."""
    services: Annotated[Mapping[ServiceKey, Service], Field(min_length=1)]
    """Its services, by short name. The name is the label `service` of their series and lines."""
    scrape: Scrape = USUAL
    """How the metrics of all its services are asked for; a service says what is otherwise."""
    probe: Probe = USUAL_PROBE
    """How the health endpoints of all its services are asked; a service says what is otherwise."""
    databases: Mapping[Name, Database] = Field(default_factory=dict)
    """Its databases."""
    host_logs: tuple[HostLog, ...] = ()
    """Log files on the host."""
    dashboards: tuple[DashboardSpec, ...] = ()
    """Its dashboards; one of everything that is known of it when there are none."""
    dashboard_files: tuple[ProjectFiles, ...] = ()
    """Dashboards as Grafana exports them (JSON): paths or patterns of paths, from the folder of this file."""
    rule_files: tuple[ProjectFiles, ...] = ()
    """Alerts and recording rules in Prometheus' own format (YAML): paths or patterns, from the folder of this file."""
    alerts: tuple[AlertSpec, ...] = ()
    """Its alerts."""
    objectives: tuple[ServiceLevelObjective, ...] = ()
    """Its service-level objectives."""
    tune: Mapping[AlertName, Tuning] = Field(default_factory=dict)
    """What is said about alerts that packs and components bring, by name, for all services."""
    expected_log_bytes: Annotated[int, Field(ge=1)] = 1_000_000_000
    """Bytes of logs a day, for the capacity plan."""

    @model_validator(mode="after")
    def _check_consistency(self) -> System:
        problems = [
            Problem(
                f"objectives[{number}].service",
                f"{objective.service!r} is no service; {suggest_name(objective.service, self.services)}",
            )
            for number, objective in enumerate(self.objectives)
            if objective.service not in self.services
        ]
        problems += _check_known("dashboards", "services", [d.services for d in self.dashboards], self.services)
        problems += _check_known("hostLogs", "writtenBy", [log.written_by for log in self.host_logs], self.services)
        problems += _check_files(self.services, self.host_logs)
        problems += _check_unique("objectives", "name", [objective.key for objective in self.objectives])
        problems += _check_unique("dashboards", "uid", [dashboard.uid for dashboard in self.dashboards])
        problems += _check_unique("alerts", "name", [alert.name for alert in self.alerts])
        if problems:
            raise Inconsistent(problems)
        return self


def _check_known(where: str, key: str, lists: list[tuple[str, ...]], services: Mapping[str, Service]) -> list[Problem]:
    return [
        Problem(f"{where}[{number}].{key}", f"{name!r} is no service; {suggest_name(name, services)}")
        for number, names in enumerate(lists)
        for name in names
        if name not in services
    ]


def _check_files(services: Mapping[str, Service], logs: tuple[HostLog, ...]) -> list[Problem]:
    """Log files that services say are theirs, and what their entries could then not say."""
    problems = []
    for key, service in services.items():
        if service.logs.file is None:
            continue
        own = {number: log for number, log in enumerate(logs) if log.job == service.logs.file}
        if not own:
            known = suggest_name(service.logs.file, (log.job for log in logs))
            problems.append(
                Problem(
                    f"services.{key}.logs.file", f"{service.logs.file!r} is the job of no entry of hostLogs; {known}"
                )
            )
        for number, log in own.items():
            if "service" in log.labels:
                text = f"services.{key}.logs.file gives its lines this label; leave one of the two out"
                problems.append(Problem(f"hostLogs[{number}].labels.service", text))
            if service.logs.format == "text" and "label_fields" in log.model_fields_set:
                text = f"has no effect on lines of format text, as services.{key}.logs says theirs is; leave it out"
                problems.append(Problem(f"hostLogs[{number}].labelFields", text))
    return problems


def _check_unique(where: str, key: str, values: list[str]) -> list[Problem]:
    return [
        Problem(f"{where}[{number}].{key}", f"{value!r} is already used by {where}[{values.index(value)}]")
        for number, value in enumerate(values)
        if values.index(value) < number
    ]
