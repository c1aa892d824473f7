"""What a system itself contributes: its services' scrape jobs, the rules that follow from them, alerts, dashboards.

A pack is the set of rules that every service of a kind gets. It finds its metrics by their declared roles, so a metric
may have any name, unit and status label. Recorded series are named level:metric:operations, as described on
https://prometheus.io/docs/practices/rules/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from model.dashboard import build
from model.errors import ConfigError, Problem, nearest
from model.naming import identity
from model.plan import Context
from model.system import AlertSpec, Metric, Service, System
from model.telemetry import (
    AlertRule,
    Dashboard,
    RecordingRule,
    RuleGroup,
    ScrapeJob,
    ScrapeTarget,
    Telemetry,
)

WINDOW = "5m"
"""Twenty scrapes at the default interval: one slow request does not show, a bad deployment does."""
HOLD = "5m"
QUEUE_LIMIT = 10_000
"""Jobs waiting: beyond this a queue does not clear by itself; a system that needs another number adds its own alert."""
QUEUE_HOLD = "15m"
BY = "service, system, environment"
"""What every series of a service keeps: see `model.naming.identity`."""
PER_SECOND = {"seconds": 1.0, "milliseconds": 1000.0}
"""A unit of time, in parts of a second."""
SHOWN = {"seconds": "s", "milliseconds": " ms"}


@dataclass(frozen=True)
class Subject:
    """The service that a pack makes rules for, and where its alerts lead people."""

    key: str
    service: Service
    links: Mapping[str, str]

    @property
    def title(self) -> str:
        """Name for people."""
        return self.service.title or self.key

    @property
    def prefix(self) -> str:
        """What its alerts' names begin with, so that names are unique: `pdf-worker` gives PdfWorker."""
        return "".join(word.capitalize() for word in self.key.split("-"))

    def selector(self, *matchers: str) -> str:
        """The label matchers of its series."""
        return "{" + ", ".join([f'service="{self.key}"', *matchers]) + "}"


def system_telemetry(context: Context) -> Telemetry:
    """Everything the system adds to the monitoring.

    Raises:
        ConfigError: a metric's role asks for a label or type that it does not declare, or a panel's query is empty.
    """
    system, links = context.system, _links(context)
    problems = _problems(system)
    if problems:
        raise ConfigError(problems)
    groups = [_group(system, Subject(key, service, links)) for key, service in system.services.items()]
    own = RuleGroup(name=system.name, alerts=tuple(_alert(spec, links) for spec in system.alerts))
    return Telemetry(
        scrape=tuple(_job(context, key, service) for key, service in system.services.items()),
        rules=tuple(group for group in [*groups, own] if group.recordings or group.alerts),
        dashboards=_dashboards(system),
    )


def _problems(system: System) -> list[Problem]:
    """Roles that a pack could not use."""
    found = []
    for key, service in system.services.items():
        where = f"configs/systems/{system.name}.yaml: services.{key}"
        for name, metric in service.by_role("requests").items():
            if service.kind == "http" and service.status_label not in metric.labels:
                hint = nearest(service.status_label, metric.labels)
                message = f"{service.status_label!r} is no label of {name}, which counts the requests; {hint}"
                found.append(Problem(f"{where}.statusLabel", message))
        for name, metric in service.by_role("duration").items():
            if service.kind == "http" and metric.unit not in PER_SECOND:
                message = f"{metric.unit!r} is no unit of time, but the role is duration; {nearest('', PER_SECOND)}"
                found.append(Problem(f"{where}.metrics.{name}.unit", message))
    return found


# -- scraping --------------------------------------------------------------------------------------------------------


def _job(context: Context, key: str, service: Service) -> ScrapeJob:
    """The scrape job of a service; in a demo its stand-in is scraped, wherever the service itself lives."""
    address = f"{key}:{service.port}" if service.address is None else service.address
    if context.settings.demo:
        address = context.address(key, service.port)
    return ScrapeJob(
        name=key,
        path=service.metrics_path,
        targets=(ScrapeTarget(address=address, labels={**service.labels, **identity(context, key)}),),
        interval=service.scrape_interval,
        sample_limit=service.sample_limit,
    )


# -- packs -----------------------------------------------------------------------------------------------------------


def _group(system: System, subject: Subject) -> RuleGroup:
    """The rules of a service's pack; none for kind generic."""
    recordings, alerts = {"http": _http, "worker": _worker, "generic": _generic}[subject.service.kind](subject)
    return RuleGroup(name=f"{system.name}-{subject.key}", recordings=tuple(recordings), alerts=tuple(alerts))


def _http(subject: Subject) -> tuple[list[RecordingRule], list[AlertRule]]:
    """Requests by their share of errors, and by how long the slowest twentieth takes."""
    recordings: list[RecordingRule] = []
    alerts: list[AlertRule] = []
    for number, name in enumerate(subject.service.by_role("requests")):
        recordings += _request_rates(subject, name)
        alerts.append(_error_ratio(subject, name, _numbered(number)))
    for number, (name, metric) in enumerate(subject.service.by_role("duration").items()):
        if metric.type in ("histogram", "summary"):
            recordings.append(_p95(subject, name, metric))
            alerts.append(_slow(subject, name, metric, _numbered(number)))
    return recordings, alerts


def _worker(subject: Subject) -> tuple[list[RecordingRule], list[AlertRule]]:
    """Queues that grow beyond what the worker can clear."""
    return [], [
        AlertRule(
            name=f"{subject.prefix}QueueBacklog{_numbered(number)}",
            expr=f"{name}{subject.selector()} > {QUEUE_LIMIT}",
            hold=QUEUE_HOLD,
            severity="warning",
            summary=f"{subject.title}: {{{{ $value | humanize }}}} jobs are waiting",
            description=f"A queue of {subject.title} has held more than {QUEUE_LIMIT} jobs for {QUEUE_HOLD}: it is"
            " fed faster than it is worked off. Look at the worker's errors and at what it depends on.",
            annotations=subject.links,
        )
        for number, name in enumerate(subject.service.by_role("queue"))
    ]


def _generic(subject: Subject) -> tuple[list[RecordingRule], list[AlertRule]]:
    """Nothing beyond being scraped: TargetDown watches every target."""
    return [], []


def _numbered(number: int) -> str:
    """Ends the name of a second and further alert of the same kind."""
    return str(number + 1) if number else ""


def _request_rates(subject: Subject, name: str) -> list[RecordingRule]:
    """Requests per second, and the share of them that failed with a 5xx status."""
    errors = subject.selector(f'{subject.service.status_label}=~"5.."')
    failed = f"sum by ({BY}) (rate({name}{errors}[{WINDOW}]))"
    every = f"sum by ({BY}) (rate({name}{subject.selector()}[{WINDOW}]))"
    return [
        RecordingRule(record=f"service:{name}:rate{WINDOW}", expr=every),
        # a service that never failed has no 5xx series at all: its share of errors is 0, not missing
        RecordingRule(record=f"service:{name}:error_ratio_rate{WINDOW}", expr=f"({failed} or 0 * {every}) / {every}"),
    ]


def _error_ratio(subject: Subject, name: str, number: str) -> AlertRule:
    limit = subject.service.error_ratio
    return AlertRule(
        name=f"{subject.prefix}HighErrorRatio{number}",
        expr=f"service:{name}:error_ratio_rate{WINDOW}{subject.selector()} > {limit:g}",
        hold=HOLD,
        severity="critical",
        summary=f"{subject.title}: {{{{ $value | humanizePercentage }}}} of requests fail",
        description=f"More than {limit * 100:g}% of the requests to {subject.title} have ended with a 5xx status for"
        f" {HOLD}: users see errors. Look at the endpoints with most errors and at the service's error lines.",
        annotations=subject.links,
    )


def _p95(subject: Subject, name: str, metric: Metric) -> RecordingRule:
    """The 95th percentile in the metric's own unit; a histogram's needs `le` until it has been computed."""
    record = f"service:{name}:p95_{WINDOW}"
    if metric.type == "summary":
        quantile = subject.selector('quantile="0.95"')
        return RecordingRule(record=record, expr=f"max by ({BY}) ({name}{quantile})")
    buckets = f"sum by (le, {BY}) (rate({name}_bucket{subject.selector()}[{WINDOW}]))"
    return RecordingRule(record=record, expr=f"histogram_quantile(0.95, {buckets})")


def _slow(subject: Subject, name: str, metric: Metric, number: str) -> AlertRule:
    """The threshold stands in seconds in the system's file, and in the metric's unit in the rule."""
    limit, unit = subject.service.latency_p95 * PER_SECOND[metric.unit], SHOWN[metric.unit]
    return AlertRule(
        name=f"{subject.prefix}SlowRequests{number}",
        expr=f"service:{name}:p95_{WINDOW}{subject.selector()} > {limit:g}",
        hold=HOLD,
        severity="warning",
        summary=f'{subject.title}: one request in twenty takes {{{{ printf "%.3g" $value }}}}{unit} or longer',
        description=f"The 95th percentile of {subject.title} has been above {limit:g}{unit} for {HOLD}."
        " Look at the slowest endpoints and at the database.",
        annotations=subject.links,
    )


# -- the system's own ------------------------------------------------------------------------------------------------


def _alert(spec: AlertSpec, links: Mapping[str, str]) -> AlertRule:
    return AlertRule(
        name=spec.name,
        expr=spec.expr.strip(),
        hold=spec.hold or "0s",
        severity=spec.severity,
        summary=spec.summary,
        description=spec.description.strip(),
        labels=spec.labels,
        annotations=links,
    )


def _links(context: Context) -> dict[str, str]:
    """Where an alert of the system leads: its first dashboard."""
    boards = context.system.dashboards
    return {"dashboard": f"{context.settings.base_url}/d/{boards[0].uid}"} if boards else {}


def _dashboards(system: System) -> tuple[Dashboard, ...]:
    """The system's dashboards; those of every problem are reported at once."""
    built: list[Dashboard] = []
    problems: list[Problem] = []
    for number, spec in enumerate(system.dashboards):
        where = f"configs/systems/{system.name}.yaml: dashboards[{number}]"
        try:
            built.append(
                build(spec, folder=system.title, tags=[system.name], services=list(system.services), where=where)
            )
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return tuple(built)
