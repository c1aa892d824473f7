"""A system to watch, as written in configs/systems/<name>.yaml: services, metrics, logs, dashboards, alerts, SLOs.

The file says what the system is and promises; how it is scraped, drawn and alerted on follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic.alias_generators import to_camel

from model.addresses import HostPort
from model.base import DnsLabel, Duration, HttpPath, LabelName, MetricName, Name, PortNumber, Strict
from model.errors import Inconsistent, Problem, nearest
from model.logs import HostLog, Logs
from model.roles import TYPES, MetricType, Role

PackName = Literal["http", "worker", "websocket", "nodejs", "go", "python", "pool", "clickhouse", "milvus", "llm"]
RowName = Literal[
    "health", "logs", "slo", "http", "worker", "websocket", "nodejs", "go", "python", "pool", "clickhouse", "milvus",
    "llm", "process", "host", "containers", "postgres", "redis", "probes", "traefik",
]  # fmt: skip
AlertName = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]*$")]
Ratio = Annotated[float, Field(gt=0, lt=1)]
PORTS = {"postgres": 5432, "redis": 6379}
"""The usual port of each kind of database."""


class Metric(Strict):
    """A metric that a service exposes: rules and dashboards may use only what is declared here."""

    type: MetricType
    """Prometheus metric type."""
    help: str = ""
    """What it counts or measures, as the demo workload exposes it."""
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
    def _fits_its_type(self) -> Metric:
        found = []
        if self.type not in (able := TYPES[self.role]):
            words = f"{self.type!r}: a metric of the role {self.role!r} is a {' or a '.join(able)}"
            found.append(Problem("type", f"{words}; declare it so, or leave the role out"))
        if self.buckets and self.type != "histogram":
            found.append(Problem("buckets", f"only a histogram has buckets, this is a {self.type}"))
        if list(self.buckets) != sorted(set(self.buckets)):
            found.append(Problem("buckets", "each bound must be greater than the one before"))
        if found:
            raise Inconsistent(found)
        return self


class Tuning(Strict):
    """What a system says about an alert that a pack brings."""

    enabled: bool = True
    """Whether it is wanted at all."""
    threshold: float | None = None
    """The value in its condition; its own default when absent."""
    min_failures: Annotated[int | None, Field(ge=1)] = None
    """For alerts on a share of failures: how many there must be, so that one failure at night calls nobody."""
    quantile: Ratio | None = None
    """Which quantile a latency alert looks at."""
    hold: Annotated[Duration | None, Field(alias="for")] = None
    """How long it must be true."""
    severity: Literal["critical", "warning", "info"] | None = None
    """Another severity than its own."""
    labels: Mapping[LabelName, str] = Field(default_factory=dict)
    """Extra labels for routing, such as team."""
    why: str = ""
    """The reason, for those who read it later; shown with the alert as its annotation `tuned`."""


class Pods(Strict):
    """How a service's pods are found on Kubernetes."""

    namespace: DnsLabel
    """Namespace they run in."""
    selector: Annotated[Mapping[str, str], Field(min_length=1)]
    """Labels that they carry."""
    expected: Annotated[int, Field(ge=1)] = 1
    """How many there are: an alert says when fewer are found, and the capacity plan counts them."""


class Service(Strict):
    """One service of the system."""

    title: str = ""
    """Name for people; the key when absent."""
    packs: tuple[PackName, ...] = ()
    """What it is: each pack brings the metrics, rules, alerts and panels of its kind."""
    address: HostPort | None = None
    """host:port of its metrics; <key>:<port> when absent."""
    addresses: tuple[HostPort, ...] = ()
    """host:port of each instance, where it has several."""
    on_host: bool = False
    """Whether it is a process of the host and not a container: it is reached through the host's own address."""
    kubernetes: Pods | None = None
    """On Kubernetes its pods are found by these labels; by its address when absent."""
    port: PortNumber
    """Port of its metrics."""
    instance: Literal["address", "host"] = "address"
    """What its label instance holds: the address, or only the host of it."""
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
    tune: Mapping[AlertName, Tuning] = Field(default_factory=dict)
    """What is said about its packs' alerts, by name."""

    @model_validator(mode="after")
    def _one_place(self) -> Service:
        given = [name for name in ("address", "addresses", "on_host") if getattr(self, name)]
        if len(given) > 1:
            raise Inconsistent([Problem("", f"give one of {', '.join(map(to_camel, given))}")])
        return self

    def by_role(self, role: Role) -> dict[str, Metric]:
        """The declared metrics with that role."""
        return {name: metric for name, metric in self.metrics.items() if metric.role == role}


class Database(Strict):
    """A database that is watched through an exporter."""

    kind: Literal["postgres", "redis"]
    """Which exporter reads it."""
    address: HostPort | None = None
    """host:port of the database; where it is a process of the host, say onHost instead."""
    on_host: bool = False
    """Whether it is a process of the host and not a container: it is reached through the host's own address."""
    port: PortNumber | None = None
    """Port of a database on the host; that of its kind when absent (5432, 6379)."""
    user: str = "postgres"
    """For kind postgres: user that the exporter logs in as."""
    database: str = "postgres"
    """For kind postgres: database that the exporter connects to."""
    ssl_mode: Literal["disable", "require", "verify-ca", "verify-full"] = "disable"
    """For kind postgres: its sslmode."""
    password_secret: Name | None = None
    """Configuration key of the secret that holds the password."""

    @model_validator(mode="after")
    def _one_place(self) -> Database:
        found = []
        if self.on_host == (self.address is not None):
            found.append(Problem("address", "give either address (host:port) or onHost: true"))
        if self.port is not None and not self.on_host:
            found.append(
                Problem("port", "is that of a database on the host: say onHost: true, or give the port in address")
            )
        if self.kind != "postgres":
            found += [
                Problem(to_camel(name), f"has an effect for kind postgres only, and this is {self.kind}; leave it out")
                for name in ("user", "database", "ssl_mode")
                if name in self.model_fields_set
            ]
        if found:
            raise Inconsistent(found)
        return self

    @property
    def listens(self) -> int:
        """The port that it listens on."""
        return self.port or int(self.address.rpartition(":")[2] if self.address else PORTS[self.kind])

    def stand_in(self, key: str) -> str:
        """The name of the workload that stands in for the database `key` in a demo."""
        return self.address.rpartition(":")[0] if self.address else key


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
    kind: Literal["timeseries", "stat", "gauge", "table", "bargauge", "logs", "heatmap", "dashboards"] = "timeseries"
    """Visualisation; "dashboards" lists those with the tag `tag`."""
    tag: str = ""
    """For kind dashboards: which ones are listed."""
    description: str = ""
    """What it shows and when to worry."""
    unit: str = "short"
    """Grafana unit id such as s, ms, reqps, percentunit, bytes."""
    queries: tuple[Query, ...] = ()
    """What is drawn."""
    thresholds: tuple[Threshold, ...] = ()
    """Colours by value."""
    width: Annotated[int, Field(ge=1, le=24)] = 12
    """Of the 24 columns of Grafana's grid."""
    height: Annotated[int, Field(ge=2, le=30)] = 8
    """In rows of Grafana's grid."""

    @model_validator(mode="after")
    def _draws_something(self) -> Panel:
        lists = self.kind == "dashboards"
        if not lists and not self.queries:
            raise Inconsistent([Problem("queries", "must have at least 1 entry")])
        if lists != bool(self.tag):
            need = "is required for kind dashboards" if lists else "belongs to kind dashboards only"
            raise Inconsistent([Problem("tag", f"{need}: which dashboards are listed")])
        return self


class Row(Strict):
    """Panels under one heading: those of a pack, or ones of its own."""

    title: str = ""
    """Heading; that of the pack when absent."""
    pack: RowName | None = None
    """The pack whose panels these are."""
    panels: tuple[Panel, ...] = ()
    """From left to right, wrapped; after those of the pack."""
    collapsed: bool = False
    """Whether the row starts folded."""

    @model_validator(mode="after")
    def _shows_something(self) -> Row:
        if not self.pack and not self.panels:
            raise Inconsistent([Problem("panels", "must have at least 1 entry, or pack must name a pack")])
        if not self.pack and not self.title:
            raise Inconsistent([Problem("title", "is required for a row of its own panels")])
        return self


class DashboardSpec(Strict):
    """A dashboard of the system."""

    uid: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,40}$")]
    """Stable identifier: part of the URL."""
    title: str
    """Heading."""
    description: str = ""
    """What questions it answers."""
    services: tuple[Name, ...] = ()
    """The services it is about; all of the system when absent."""
    refresh: Literal["10s", "30s", "1m", "5m"] = "30s"
    """How often it redraws."""
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]
    """From top to bottom."""


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
    steps: tuple[str, ...] = ()
    """What to look at when it fires, in order: its runbook."""
    example: AlertExample
    """Input series that prove it: in `fires` its condition holds just so, in `silent` just not."""


class Objective(Strict):
    """A service-level objective."""

    service: Name
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
    def _parts_fit(self) -> Objective:
        found = []
        for name, kind, what in (
            ("threshold", "latency", "seconds within which a request counts as quick"),
            ("bad", "ratio", "the counter of what went wrong"),
            ("total", "ratio", "the counter of everything"),
        ):
            if (getattr(self, name) is not None) != (self.kind == kind):
                need = f"is required for kind {kind}" if self.kind == kind else f"belongs to kind {kind} only"
                found.append(Problem(name, f"{need}: {what}"))
        if self.floor is not None and self.floor >= self.target:
            found.append(Problem("floor", f"must be below the target, {self.target:g}"))
        if found:
            raise Inconsistent(found)
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
    tune: Mapping[AlertName, Tuning] = Field(default_factory=dict)
    """What is said about alerts that packs and components bring, by name, for all services."""
    expected_log_bytes: Annotated[int, Field(ge=1)] = 1_000_000_000
    """Bytes of logs a day, for the capacity plan."""

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
        found += _unknown("dashboards", "services", [d.services for d in self.dashboards], self.services)
        found += _unknown("hostLogs", "writtenBy", [log.written_by for log in self.host_logs], self.services)
        found += _twice("objectives", "name", [objective.key for objective in self.objectives])
        found += _twice("dashboards", "uid", [dashboard.uid for dashboard in self.dashboards])
        found += _twice("alerts", "name", [alert.name for alert in self.alerts])
        if found:
            raise Inconsistent(found)
        return self


def _unknown(where: str, key: str, lists: list[tuple[str, ...]], services: Mapping[str, Service]) -> list[Problem]:
    return [
        Problem(f"{where}[{number}].{key}", f"{name!r} is no service; {nearest(name, services)}")
        for number, names in enumerate(lists)
        for name in names
        if name not in services
    ]


def _twice(where: str, key: str, values: list[str]) -> list[Problem]:
    return [
        Problem(f"{where}[{number}].{key}", f"{value!r} is already used by {where}[{values.index(value)}]")
        for number, value in enumerate(values)
        if values.index(value) < number
    ]
