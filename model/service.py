"""Services and databases of a system: what is watched, and the metrics, logs and packs that each has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pydantic.alias_generators import to_camel

from model.addresses import HealthEndpoint, HostPort
from model.base import (
    DnsLabel,
    Duration,
    ExposedLabel,
    HttpPath,
    LabelName,
    MetricName,
    Name,
    PortNumber,
    Strict,
    is_name,
)
from model.errors import Inconsistent, Problem
from model.logs import USUAL_LOGS, Logs
from model.probing import USUAL_PROBE, Probe
from model.roles import TYPES, MetricType, Role
from model.scraping import USUAL, Scrape

AlertName = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]*$")]
Ratio = Annotated[float, Field(gt=0, lt=1)]
OTLP_PORT = 8080
"""Where a service that sends its metrics would listen: its stand-in of a demo does."""
SCRAPED = (
    *("address", "addresses", "on_host", "kubernetes", "port", "instance", "metrics_path", "scrape_interval"),
    *("sample_limit", "scrape"),
)
"""What is said of a service that is scraped, and means nothing of one that sends its metrics."""
PORTS = {"postgres": 5432, "redis": 6379}
"""The usual port of each kind of database."""


_UNIT = re.compile(r"_(seconds|milliseconds|ms|bytes|ratio|percent)(?:_total|_count|_sum)?$")
"""How names end that follow https://prometheus.io/docs/practices/naming/#base-units, and those that nearly do."""


def derive_unit(name: str) -> str | None:
    """The unit that a metric's name ends with, as `Metric.unit` has it; None where it says none."""
    found = _UNIT.search(name)
    return {"ms": "milliseconds"}.get(found[1], found[1]) if found else None


class Metric(Strict):
    """A metric that a service exposes: rules and dashboards may use only what is declared here."""

    type: MetricType
    """Prometheus metric type."""
    help: str = ""
    """What it counts or measures, as the demo workload exposes it."""
    unit: Literal["seconds", "milliseconds", "bytes", "ratio", "percent", "requests", "count", "currency"] = "count"
    """Unit of its value; when absent the one that its name ends with, such as `_seconds`, else `count`."""
    labels: Mapping[ExposedLabel, tuple[str, ...]] = Field(default_factory=dict)
    """Label names, each with example values (used by the demo workload)."""
    role: Role = "generic"
    """What the metric means to the packs and to the demo workload's faults."""
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram's buckets in its unit."""
    baseline: float | None = None
    """Value the demo workload moves around."""

    @model_validator(mode="after")
    def _check_type(self) -> Metric:
        problems = []
        if self.type not in (able := TYPES[self.role]):
            message = f"{self.type!r}: a metric of the role {self.role!r} is a {' or a '.join(able)}"
            problems.append(Problem("type", f"{message}; declare it so, or leave the role out"))
        if self.buckets and self.type != "histogram":
            problems.append(Problem("buckets", f"only a histogram has buckets, this is a {self.type}"))
        if list(self.buckets) != sorted(set(self.buckets)):
            problems.append(Problem("buckets", "each bound must be greater than the one before"))
        if problems:
            raise Inconsistent(problems)
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
    for_: Annotated[Duration | None, Field(alias="for")] = None
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
    packs: tuple[str, ...] = ()
    """What it is: each pack brings the metrics, rules, alerts and panels of its kind."""
    address: HostPort | None = None
    """host:port of its metrics; <key>:<port> when absent."""
    addresses: tuple[HostPort, ...] = ()
    """host:port of each instance, where it has several."""
    on_host: bool = False
    """Whether it is a process of the host and not a container: it is reached through the host's own address."""
    kubernetes: Pods | None = None
    """On Kubernetes its pods are found by these labels; by its address when absent."""
    port: PortNumber = OTLP_PORT
    """Port of its metrics; required where it is scraped."""
    otlp: bool = False
    """Whether it sends its metrics to the stack's OpenTelemetry gateway, as service.name its key here, and so is not
    scraped. Its metrics have the names that Prometheus gives them: http.server.request.duration in seconds is
    http_server_request_duration_seconds."""
    instance: Literal["address", "host"] = "address"
    """What its label instance holds: the address, or only the host of it."""
    metrics_path: HttpPath = "/metrics"
    """Path of its metrics."""
    health: tuple[HealthEndpoint, ...] = ()
    """Health endpoints, probed from outside: paths at each of its addresses, or whole addresses."""
    probe: Probe = USUAL_PROBE
    """How its health endpoints are asked, where an answer of 200 to 299 to plain HTTP is not what they give."""
    scrape_interval: Duration | None = None
    """How often it is scraped; the environment's default when absent."""
    sample_limit: Annotated[int, Field(ge=1)] | None = None
    """Samples after which a scrape is refused."""
    scrape: Scrape = USUAL
    """How its metrics are asked for, where plain HTTP without a login is not enough."""
    labels: Mapping[LabelName, str] = Field(default_factory=dict)
    """Extra labels of every series."""
    metrics: Mapping[MetricName, Metric] = Field(default_factory=dict)
    """Metrics it exposes beside the usual process metrics."""
    status_label: ExposedLabel = "status"
    """Label of the requests counter that holds the HTTP status; where no counter is declared, of the durations, whose
    count is then that of requests."""
    path_label: ExposedLabel = "path"
    """Label of the requests counter and duration histogram that holds the endpoint."""
    logs: Logs = Field(default_factory=lambda: USUAL_LOGS)
    """Its log lines."""
    tune: Mapping[AlertName, Tuning] = Field(default_factory=dict)
    """What is said about its packs' alerts, by name."""

    @model_validator(mode="after")
    def _check_way(self) -> Service:
        """It is scraped or sends; paths of health endpoints stand at an address of those that are scraped."""
        problems = []
        if self.otlp:
            said = [name for name in SCRAPED if name in self.model_fields_set]
            text = "has no effect with otlp: true, as the service sends its metrics and is not scraped; leave it out"
            problems += [Problem(to_camel(name), text) for name in said]
            problems += [
                Problem(
                    f"health[{number}]", f"{each!r} is a path, and with otlp: true there is no address: give all of it"
                )
                for number, each in enumerate(self.health)
                if each.startswith("/")
            ]
            if not (self.metrics or self.packs):
                text = "is required with otlp: true, or packs that bring some: what arrives says that it is up"
                problems.append(Problem("metrics", text))
        elif "port" not in self.model_fields_set:
            problems.append(Problem("port", "is required: the port of its metrics, or otlp: true if it sends them"))
        if problems:
            raise Inconsistent(problems)
        return self

    @model_validator(mode="after")
    def _check_address(self) -> Service:
        declared = [name for name in ("address", "addresses", "on_host") if getattr(self, name)]
        if len(declared) > 1:
            raise Inconsistent([Problem("", f"give one of {', '.join(map(to_camel, declared))}")])
        return self

    @field_validator("metrics")
    @classmethod
    def _read_units(cls, metrics: Mapping[str, Metric]) -> Mapping[str, Metric]:
        """A metric has the unit that its name says, unless it says another one itself."""
        silent = {name: derive_unit(name) for name, metric in metrics.items() if "unit" not in metric.model_fields_set}
        units = {name: unit for name, unit in silent.items() if unit}
        return {
            name: metric.model_copy(update={"unit": units[name]}) if name in units else metric
            for name, metric in metrics.items()
        }

    def find_metrics(self, role: Role) -> dict[str, Metric]:
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
    def _check_address(self) -> Database:
        problems = []
        if self.on_host == (self.address is not None):
            problems.append(Problem("address", "give either address (host:port) or onHost: true"))
        if self.port is not None and not self.on_host:
            problems.append(
                Problem("port", "is that of a database on the host: say onHost: true, or give the port in address")
            )
        if self.kind != "postgres":
            problems += [
                Problem(to_camel(name), f"has an effect for kind postgres only, and this is {self.kind}; leave it out")
                for name in ("user", "database", "ssl_mode")
                if name in self.model_fields_set
            ]
        if problems:
            raise Inconsistent(problems)
        return self

    @property
    def listens(self) -> int:
        """The port that it listens on."""
        return self.port or int(self.address.rpartition(":")[2] if self.address else PORTS[self.kind])

    def derive_stand_in_name(self, key: str) -> str:
        """The name of the workload that stands in for the database `key` in a demo: its host's where that is a name."""
        host = self.address.rpartition(":")[0] if self.address else key
        return host if is_name(host) else key
