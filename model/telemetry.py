"""What a component or a service contributes to the monitoring: collected from everyone, listed nowhere else.

Every component hands out one `Telemetry`; Prometheus, Alertmanager, Grafana, Promtail and Traefik read the merged one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from model.backups import BackupSource
from model.dashboard_spec import Panel
from model.errors import Problem
from model.lines import LineFormat, LineTime, Multiline
from model.route import Route
from model.scraping import USUAL, Scrape
from model.stores import AlertReceiver, DockerApi, LogStore

Severity = Literal["critical", "warning", "info"]
TracingKind = Literal["jaeger", "tempo"]
TRACING: tuple[str, ...] = get_args(TracingKind)
"""Kinds of data sources that hold traces."""
TRACES = "tracing"
"""Uid of the data source that log lines lead to by their trace_id."""

EVALUATION = "scraping and the evaluation of rules"
NOTIFICATION = "notifications"
DRAWING = "the drawing of dashboards"
DOCKER_API = "the read-only API of the Docker engine"
LOG_STORE = "a store of log lines"
LOG_FILES = "the reading of the host's log files"
METRIC_STORE = "a store of metrics that are sent to it"
OTLP = "an address for telemetry in OpenTelemetry's protocol"
STAND_INS = "stand-ins for services"
EDGE = "an entry point for people"
BACKUPS = "backups of the stack's own data"
"""What parts of a stack offer each other, as it completes "nothing here offers ..."."""


def name_source_offer(uid: str) -> str:
    """The offer of a data source."""
    return f"the data source {uid}"


def name_series_offer(row: str) -> str:
    """The offer of the series that a pack's row draws, where a component brings them and no service."""
    return f"the series that the row {row!r} draws"


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a contributor cannot do without: one of the offers above.

    `why` is a sentence such as "promtail sends its lines to it"; `where` is the key that causes the need, for when
    there is nothing that could be switched on.
    """

    what: str
    why: str
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class ScrapeTarget:
    """One address (`host:port`) to scrape, with the labels every series of it carries."""

    address: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """Targets that the platform knows: its nodes, or the pods with these labels in `namespaces` (empty: all).

    A pod is one target, at `port`, whether or not a container of it declares that port. `labels` are what every series
    carries; `job` among them stands for the job's own name. `expected` is how many there
    are expected to be, for the capacity plan; with fewer than `least` something is missing.
    """

    role: Literal["pod", "node"] = "pod"
    namespaces: tuple[str, ...] = ()
    selector: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    expected: int = 1
    least: int = 1


@dataclass(frozen=True, kw_only=True)
class SeriesCount:
    """Series of a job for the capacity plan: of each target, each node and pod of a cluster, each container of a host.

    The numbers were counted in running stacks; a pod of a cluster has two containers on average.
    """

    target: int = 0
    node: int = 0
    pod: int = 0
    container: int = 0


UNCOUNTED = SeriesCount(target=200)
"""What a job is expected to have that does not say."""


@dataclass(frozen=True, kw_only=True)
class ScrapeJob:
    """A Prometheus job. Durations are Prometheus durations (`30s`); None takes the stack's default.

    `static` targets are written to a file of their own, which Prometheus re-reads without a reload. `sample_limit`
    is the number of samples after which a scrape counts as failed. Targets of a `discovery` stand in for static ones;
    `platform_login` shows them the platform's own token. With `honor_labels` a series keeps labels of its own where the
    target has one of the same name, for exporters that tell of others. A `prober` (`host:port`) is asked in place
    of the targets, which are then what it is asked about: addresses that are whole URLs, or `http_path` of each pod
    that is discovered, by `http_scheme`. `scrape` is how a service is asked. `series` is for the capacity plan.
    `relabel` and `metric_relabel` hold entries of
    https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config.
    """

    name: str
    targets: tuple[ScrapeTarget, ...] = ()
    discovery: Discovery | None = None
    platform_login: bool = False
    honor_labels: bool = False
    prober: str | None = None
    http_path: str | None = None
    http_scheme: Literal["http", "https"] = "http"
    path: str = "/metrics"
    scheme: Literal["http", "https"] = "http"
    interval: str | None = None
    timeout: str | None = None
    sample_limit: int | None = None
    params: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    relabel: tuple[Mapping[str, Any], ...] = ()
    metric_relabel: tuple[Mapping[str, Any], ...] = ()
    series: SeriesCount = UNCOUNTED
    scrape: Scrape = USUAL

    @property
    def expected(self) -> int:
        """How many targets there are, or are expected to be found."""
        return self.discovery.expected if self.discovery else len(self.targets)


SENT_VALUES = "otel_sent_datapoints_total"
"""What the gateway has counted of a service's metrics; its label `sender` is the service's key. Whatever is sent
counts, as a service without requests may have nothing that rules need."""


@dataclass(frozen=True, kw_only=True)
class PushedMetrics:
    """Metrics that a service sends, so that nothing is scraped: whether it is up follows from whether they arrive.

    `labels` are those that a target would have: job, service and environment; `series` is for the capacity plan.
    """

    labels: Mapping[str, str]
    series: SeriesCount = UNCOUNTED


@dataclass(frozen=True, kw_only=True)
class RecordingRule:
    """A precomputed series; the name follows level:metric:operations."""

    record: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Example:
    """Input series for an alert's own unit test: in `fires` its condition holds just so, in `silent` just not.

    Both map series to values in promtool's notation, one sample a minute from minute 0; the alert is looked at `at`.
    Source: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series
    """

    fires: Mapping[str, str]
    silent: Mapping[str, str]
    at: str = "1h"


@dataclass(frozen=True, kw_only=True)
class Inhibition:
    """What follows from an alert: `alerts` do not fire while it fires with the same values of the labels `on`.

    Both sides must carry these labels. With `all_of`, a PromQL selector, the alert counts only while it fires for each
    of those series with the same labels: `up{job!="x"}` for every target of a service. `model.inhibition` writes it
    into the expressions of `alerts`.
    """

    alerts: tuple[str, ...]
    on: tuple[str, ...]
    all_of: str = ""


@dataclass(frozen=True, kw_only=True)
class AlertRule:
    """A Prometheus alert. `for_` is the rule's `for`, `keep_firing_for` its own.

    `summary` and `description` may use alert templates.

    `limit` is the threshold in `expr` where it has one that a system may tune: a `Share`, a `Count`, or a plain number
    that is greater than zero (`model.limits`). `quantile` is what it looks at, where that may be tuned; `min_failures`
    is how many failures an alert on a share of them needs, where it is one. `service` is the service that it is about,
    where it is about one. `inhibits` are alerts that say nothing new while it fires. `steps` are what to look at, in
    order, when it fires: they make its runbook. `example` proves that it fires and stays silent where it should; an
    empty `silent` means that nothing can silence it.
    """

    name: str
    expr: str
    severity: Severity
    summary: str
    description: str
    for_: str = "0s"
    keep_firing_for: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    limit: float | None = None
    min_failures: int | None = None
    quantile: float | None = None
    service: str = ""
    inhibits: tuple[Inhibition, ...] = ()
    steps: tuple[str, ...] = ()
    example: Example | None = None


@dataclass(frozen=True, kw_only=True)
class RuleGroup:
    """Rules that are evaluated together, in order, every `interval` (None: the stack's default).

    `board` is the uid of the dashboard that its alerts lead to. `limit` is the most alerts or series of a rule (0: any
    number), `query_offset` how far in the past they look, `file` where they were read from if they are a user's.
    """

    name: str
    recordings: tuple[RecordingRule, ...] = ()
    alerts: tuple[AlertRule, ...] = ()
    interval: str | None = None
    board: str = ""
    limit: int = 0
    query_offset: str = ""
    file: str = ""


@dataclass(frozen=True, kw_only=True)
class Datasource:
    """A Grafana data source of the provisioning format, by stable uid."""

    uid: str
    name: str
    kind: Literal["prometheus", "loki", "alertmanager", "jaeger", "tempo"]
    url: str
    default: bool = False
    json_data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """A finished Grafana dashboard model (a JSON object with uid and title), and the folder it belongs to.

    `file` is where it was read from if it is a user's.
    """

    uid: str
    title: str
    folder: str
    model: Mapping[str, Any] = field(hash=False)
    file: str = ""


@dataclass(frozen=True, kw_only=True)
class StackRow:
    """A row of the stack's own dashboard; the one with the lowest `position` is on top."""

    title: str
    panels: tuple[Panel, ...]
    position: int


@dataclass(frozen=True, kw_only=True)
class LogFile:
    """Files of the host that Promtail reads: a glob of paths, the job label, and the fields that become labels.

    In a demo the stand-ins of the services `demo` write them. `group` is the number of the host's group that may read
    them, where not everybody may. The lines are those of `service`, where one says so, and are read as it says;
    `time` says when a line was written, and `multiline` which lines are one entry.
    """

    job: str
    path: str
    exclude: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    label_fields: tuple[str, ...] = ("level",)
    demo: tuple[str, ...] = ()
    group: int | None = None
    service: str = ""
    format: LineFormat = "json"
    expression: str | None = None
    fields: tuple[str, ...] = ()
    time: LineTime = field(default_factory=LineTime)
    multiline: Multiline | None = None


@dataclass(frozen=True, kw_only=True)
class Telemetry:
    """Everything one contributor adds. `merge` concatenates contributions in the order given.

    `spans` are addresses that take spans as OTLP over HTTP, such as http://traces:4318/v1/traces, and keep them;
    `metric_stores` those below which metrics are taken so, without the last `/v1/metrics`. `gateways` are addresses for
    services, below which all three signals are taken, and `otlp_labels` the attributes of what they pass on that are
    labels of series and of lines. `line_labels` are attributes of lines alone that are labels of them. `backups` are
    its volumes that are worth a copy elsewhere, and `data_elsewhere` says of data that is on no such volume where it
    is, as "the lines are in the bucket x". `offers` are what others may stand on and `needs` what it stands on itself;
    its data sources are offers too.
    """

    scrape: tuple[ScrapeJob, ...] = ()
    pushed: tuple[PushedMetrics, ...] = ()
    rules: tuple[RuleGroup, ...] = ()
    datasources: tuple[Datasource, ...] = ()
    dashboards: tuple[Dashboard, ...] = ()
    rows: tuple[StackRow, ...] = ()
    routes: tuple[Route, ...] = ()
    log_files: tuple[LogFile, ...] = ()
    log_stores: tuple[LogStore, ...] = ()
    alert_receivers: tuple[AlertReceiver, ...] = ()
    docker_apis: tuple[DockerApi, ...] = ()
    spans: tuple[str, ...] = ()
    metric_stores: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    otlp_labels: tuple[str, ...] = ()
    line_labels: tuple[str, ...] = ()
    backups: tuple[BackupSource, ...] = ()
    data_elsewhere: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()

    @staticmethod
    def merge(parts: Iterable[Telemetry]) -> Telemetry:
        """One Telemetry with the contributions of all `parts`."""
        listed = list(parts)
        merged: dict[str, Any] = {
            item.name: tuple(entry for part in listed for entry in getattr(part, item.name))
            for item in fields(Telemetry)
        }
        return Telemetry(**merged)

    def check_names(self) -> list[Problem]:
        """What contradicts itself once everything is together: two things of one name; nothing says where."""
        groups: dict[str, list[str]] = {
            "scrape job": [job.name for job in self.scrape],
            "rule group": [group.name for group in self.rules],
            "alert": [f"{a.name} {a.service}".strip() for g in self.rules if not g.file for a in g.alerts],
            "dashboard uid": [board.uid for board in self.dashboards],
            "data source uid": [source.uid for source in self.datasources],
            "route": [route.name for route in self.routes],
            "route prefix": [route.prefix for route in self.routes],
        }
        return [
            Problem("", f"{what} {name!r} is declared more than once", taken=name)
            for what, names in groups.items()
            for name in sorted(name for name, count in Counter(names).items() if count > 1)
        ]
