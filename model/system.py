"""A system to watch, as written in configs/systems/<name>.yaml: services, metrics, logs, dashboards, alerts, SLOs.

The file says what the system is and promises; how it is scraped, drawn and alerted on follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from model.base import Duration, HostPort, LabelName, MetricName, Name, PortNumber, Strict
from model.errors import Inconsistent, Problem, nearest

Role = Literal[
    "requests", "duration", "uptime", "active", "queue", "pool_active", "pool_max", "errors", "failures",
    "memory", "goroutines", "generic",
]  # fmt: skip
HttpPath = Annotated[str, Field(pattern=r"^/[^\s?#]*$")]
Ratio = Annotated[float, Field(gt=0, lt=1)]
HIGH_CARDINALITY = frozenset(
    {"request_id", "trace_id", "span_id", "user_id", "session_id", "project_id", "email", "ip"}
)
"""Values that differ from line to line: as index labels they would create a Loki stream each."""


class Metric(Strict):
    """A metric that a service exposes: rules and dashboards may use only what is declared here."""

    type: Literal["counter", "gauge", "histogram", "summary"]
    """Prometheus metric type."""
    help: str = ""
    """What it counts or measures."""
    unit: Literal["seconds", "milliseconds", "bytes", "ratio", "percent", "requests", "count", "currency"] = "count"
    """Unit of its value."""
    labels: Mapping[LabelName, tuple[str, ...]] = Field(default_factory=dict)
    """Label names, each with example values (used by the demo workload)."""
    role: Role = "generic"
    """What the metric means to the packs and to the demo workload's faults."""
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram's buckets in its unit."""
    baseline: float | None = None
    """Value the demo workload moves around."""

    @model_validator(mode="after")
    def _buckets_ascend(self) -> Metric:
        if self.buckets and self.type != "histogram":
            raise Inconsistent([Problem("buckets", f"only a histogram has buckets, this is a {self.type}")])
        if list(self.buckets) != sorted(set(self.buckets)):
            raise Inconsistent([Problem("buckets", "each bound must be greater than the one before")])
        return self


class Logs(Strict):
    """What a service writes to its log."""

    format: Literal["json", "text"] = "json"
    """Line format; JSON lines have their fields parsed."""
    fields: tuple[str, ...] = ("level", "ts", "msg")
    """Fields of a JSON line."""
    labels: tuple[LabelName, ...] = ("level",)
    """Fields that become index labels; only fields with few distinct values are allowed."""

    @model_validator(mode="after")
    def _low_cardinality(self) -> Logs:
        bad = sorted(HIGH_CARDINALITY.intersection(self.labels))
        if bad:
            message = f"{', '.join(bad)} has too many distinct values for an index label; query it with | json"
            raise Inconsistent([Problem("labels", message)])
        return self


class Service(Strict):
    """One service of the system."""

    title: str = ""
    """Name for people; the key when absent."""
    kind: Literal["http", "worker", "generic"] = "http"
    """Which telemetry pack applies."""
    address: HostPort | None = None
    """host:port of its metrics; <key>:<port> when absent."""
    port: PortNumber
    """Port of its metrics."""
    metrics_path: HttpPath = "/metrics"
    """Path of its metrics."""
    health: tuple[HttpPath, ...] = ()
    """Health endpoints, probed from outside."""
    scrape_interval: Duration | None = None
    """How often it is scraped; the environment's default when absent."""
    sample_limit: Annotated[int, Field(ge=1)] | None = None
    """Samples after which a scrape is refused."""
    labels: Mapping[LabelName, str] = Field(default_factory=dict)
    """Extra labels of every series."""
    metrics: Mapping[MetricName, Metric] = Field(default_factory=dict)
    """Metrics it exposes beside the usual process metrics."""
    status_label: LabelName = "status"
    """Label of the requests counter that holds the HTTP status."""
    path_label: LabelName = "path"
    """Label of the requests counter and duration histogram that holds the endpoint."""
    logs: Logs = Field(default_factory=Logs)
    """Its log lines."""
    error_ratio: Ratio = 0.05
    """Share of failed requests above which people are called (the default 5% is what users notice)."""
    latency_p95: Annotated[float, Field(gt=0)] = 1.0
    """95th percentile of the duration, in seconds, above which people are warned."""

    def by_role(self, role: Role) -> dict[str, Metric]:
        """The declared metrics with that role."""
        return {name: metric for name, metric in self.metrics.items() if metric.role == role}


class Database(Strict):
    """A database that is watched through an exporter."""

    kind: Literal["postgres", "redis"]
    """Which exporter reads it."""
    address: HostPort
    """host:port of the database."""
    user: str = "postgres"
    """User that the exporter logs in as."""
    database: str = "postgres"
    """Database that the exporter connects to."""
    ssl_mode: Literal["disable", "require", "verify-ca", "verify-full"] = "disable"
    """PostgreSQL's sslmode."""
    password_secret: Name | None = None
    """Configuration key of the secret that holds the password."""


class HostLog(Strict):
    """Log files on the host."""

    path: HttpPath
    """Glob of absolute paths."""
    job: Name
    """Value of the job label."""
    labels: Mapping[LabelName, str] = Field(default_factory=dict)
    """Constant labels."""


class Threshold(Strict):
    """A value from which a panel changes colour."""

    value: float
    """In the panel's unit."""
    colour: Literal["green", "yellow", "orange", "red", "blue"]
    """Colour from that value upwards."""


class Query(Strict):
    """One query of a panel."""

    expr: str
    """PromQL, or LogQL on a logs panel."""
    legend: str = ""
    """Legend template such as {{service}}."""


class Panel(Strict):
    """One panel."""

    title: str
    """Heading."""
    kind: Literal["timeseries", "stat", "gauge", "table", "bargauge", "logs", "heatmap"] = "timeseries"
    """Visualisation."""
    description: str = ""
    """What it shows and when to worry."""
    unit: str = "short"
    """Grafana unit id such as s, ms, reqps, percentunit, bytes."""
    queries: Annotated[tuple[Query, ...], Field(min_length=1)]
    """What is drawn."""
    thresholds: tuple[Threshold, ...] = ()
    """Colours by value."""
    width: Annotated[int, Field(ge=1, le=24)] = 12
    """Of the 24 columns of Grafana's grid."""
    height: Annotated[int, Field(ge=2, le=30)] = 8
    """In rows of Grafana's grid."""


class Row(Strict):
    """Panels under one heading."""

    title: str
    """Heading."""
    panels: Annotated[tuple[Panel, ...], Field(min_length=1)]
    """From left to right, wrapped."""
    collapsed: bool = False
    """Whether the row starts folded."""


class DashboardSpec(Strict):
    """A dashboard of the system."""

    uid: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,40}$")]
    """Stable identifier: part of the URL."""
    title: str
    """Heading."""
    description: str = ""
    """What questions it answers."""
    refresh: Literal["10s", "30s", "1m", "5m"] = "30s"
    """How often it redraws."""
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]
    """From top to bottom."""


class AlertSpec(Strict):
    """An alert of the system beside those that its services' packs bring."""

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]*$")]
    """CamelCase name."""
    expr: str
    """PromQL that yields one series for each thing that is wrong."""
    hold: Annotated[Duration | None, Field(alias="for")] = None
    """How long it must be true."""
    severity: Literal["critical", "warning", "info"]
    """critical wakes people, warning waits for the morning, info is only shown."""
    summary: str
    """One line with the value."""
    description: str
    """What it means and what to look at."""
    labels: Mapping[LabelName, str] = Field(default_factory=dict)
    """Extra labels for routing."""


class Objective(Strict):
    """A service-level objective."""

    service: Name
    """Which service promises it."""
    kind: Literal["availability", "latency"]
    """Share of good requests, or share of requests quicker than `threshold`."""
    target: Ratio
    """Promised share, such as 0.999; never 1, which would leave no error budget."""
    window: Duration = "30d"
    """Over how long."""
    threshold: Annotated[float, Field(gt=0)] | None = None
    """Latency in seconds for kind latency."""

    @model_validator(mode="after")
    def _threshold_fits(self) -> Objective:
        if (self.threshold is not None) != (self.kind == "latency"):
            need = "is required for kind latency" if self.kind == "latency" else "belongs to kind latency only"
            raise Inconsistent([Problem("threshold", f"{need}: seconds within which a request counts as quick")])
        return self


class System(Strict):
    """Everything the program knows of a system."""

    name: Name
    """Must equal the file's name."""
    title: str
    """Name for people."""
    description: str = ""
    """What the system is."""
    ports: Mapping[Name, PortNumber] = Field(default_factory=dict)
    """Host ports that its people are used to, by component."""
    services: Annotated[Mapping[Name, Service], Field(min_length=1)]
    """Its services, by short name."""
    databases: Mapping[Name, Database] = Field(default_factory=dict)
    """Its databases."""
    host_logs: tuple[HostLog, ...] = ()
    """Log files on the host."""
    dashboards: tuple[DashboardSpec, ...] = ()
    """Its dashboards."""
    alerts: tuple[AlertSpec, ...] = ()
    """Its alerts."""
    objectives: tuple[Objective, ...] = ()
    """Its service-level objectives."""

    @model_validator(mode="after")
    def _consistent(self) -> System:
        found = [
            Problem(
                f"objectives[{number}].service",
                f"{objective.service!r} is no service; {nearest(objective.service, self.services)}",
            )
            for number, objective in enumerate(self.objectives)
            if objective.service not in self.services
        ]
        found += _twice("dashboards", "uid", [dashboard.uid for dashboard in self.dashboards])
        found += _twice("alerts", "name", [alert.name for alert in self.alerts])
        if found:
            raise Inconsistent(found)
        return self


def _twice(where: str, key: str, values: list[str]) -> list[Problem]:
    return [
        Problem(f"{where}[{number}].{key}", f"{value!r} is already used by {where}[{values.index(value)}]")
        for number, value in enumerate(values)
        if values.index(value) < number
    ]
