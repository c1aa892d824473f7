"""Prometheus: scrapes every target, evaluates every rule, and notifies Alertmanager.

Formats: https://prometheus.io/docs/prometheus/latest/configuration/configuration/ and .../recording_rules/.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from components.base import limits, published
from components.discovery import PLATFORM_LOGIN, access, discovered, instances, listed, probed, scrape_timeout
from components.documents import dump
from components.operator.monitors import Terms
from components.operator.objects import objects
from components.rules import rules
from model import openings
from model.base import QUERY_LOG, Duration, QueryTime, Size, size_bytes
from model.capacity import limit_mib, prometheus_memory, volume_size
from model.checks.times import scraping
from model.component import Component, Planned, Planning
from model.declared import Declared
from model.errors import Inconsistent, Problem
from model.operator import Operator
from model.packs import prometheus as pack
from model.packs.discovery import expected
from model.settings import ComponentSettings
from model.telemetry import (
    EVALUATION,
    NOTIFICATION,
    Datasource,
    Route,
    RuleGroup,
    ScrapeJob,
    SeriesCount,
    StackRow,
    Telemetry,
)
from model.workload import ConfigDir, DataVolume, HttpProbe, Reload, Workload

NAME, PORT = "prometheus", 9090
CONFIG_DIR, DATA_DIR = "/etc/prometheus", "/prometheus"
INSTANCE = "INSTANCE"
LEAST_STORED = "128MiB"
"""A segment of the write-ahead log: https://prometheus.io/docs/prometheus/latest/storage/. With less no block stays."""


def _holds_a_segment(value: str) -> str:
    if size_bytes(value) < size_bytes(LEAST_STORED):
        raise ValueError(f"must be {LEAST_STORED} at least: a segment of the write-ahead log takes that alone")
    return value


StoredSize = Annotated[Size, AfterValidator(_holds_a_segment)]


class Settings(ComponentSettings):
    """Prometheus."""

    SHORT = {"operator": {"mode": "operator"}}  # noqa: RUF012 - a class variable, as declared by its base
    mode: Literal["own", "operator"] = "own"
    """Whether the stack runs a Prometheus of its own, or writes objects for an operator that is there already."""
    operator: Operator = Field(default_factory=Operator)
    """That operator. `prometheus: operator` in the place of the section takes all of its defaults."""
    retention: Duration = "15d"
    """How long samples are kept."""
    retention_size: StoredSize = "8GiB"
    """Disk space after which the oldest samples are dropped, whatever their age."""
    evaluation_interval: Duration = "15s"
    """How often rules are evaluated."""
    sample_limit: Annotated[int, Field(ge=1)] = 50_000
    """Samples after which a scrape is refused, unless a job says otherwise."""
    query_timeout: QueryTime = "2m"
    """How long a query may run."""
    query_log_file: Annotated[str, Field(pattern=QUERY_LOG, examples=["/prometheus/queries.log"])] | None = None
    """File of the data directory, /prometheus, that every query is logged to; none by default."""
    replicas: Annotated[int, Field(ge=1, le=4)] = 1
    """Instances that all scrape and evaluate everything; more than one on Kubernetes only."""
    lookback_delta: Duration = "5m"
    """How old a sample may be to count as current."""

    @model_validator(mode="after")
    def _has_mode(self) -> Settings:
        if self.mode == "own" and "operator" in self.model_fields_set:
            raise Inconsistent([Problem("operator", "means something with mode: operator only; add that")])
        return self

    @property
    def instances(self) -> int:
        """Instances of Prometheus."""
        return self.replicas

    @property
    def existing(self) -> Operator | None:
        """The operator, where one runs Prometheus."""
        return self.operator if self.mode == "operator" else None


# -- documents -------------------------------------------------------------------------------------------------------


def config(own: Settings, context: Planned) -> dict[str, Any]:
    """prometheus.yml as a dict."""
    document: dict[str, Any] = {
        "global": {
            "scrape_interval": context.settings.scrape_interval,
            "scrape_timeout": scrape_timeout(context.settings.scrape_interval),
            "evaluation_interval": own.evaluation_interval,
            "external_labels": {
                "stack": context.stack,
                **({"replica": f"${{{INSTANCE}}}"} if own.replicas > 1 else {}),
            },
        },
        "rule_files": ["rules/*.yml"],
        "scrape_configs": scrape_configs(own, context),
    }
    if own.query_log_file:
        document["global"]["query_log_file"] = own.query_log_file
    if context.enabled("alertmanager"):
        served = {
            "path_prefix": "/alertmanager",
            "static_configs": [{"targets": context.instances("alertmanager", 9093)}],
        }
        document["alerting"] = {"alertmanagers": [served]}
        if own.replicas > 1:  # the same alert of two instances is one
            document["alerting"]["alert_relabel_configs"] = [{"regex": "replica", "action": "labeldrop"}]
    return document


def scrape_configs(own: Settings, context: Planned) -> list[dict[str, Any]]:
    """One entry for all jobs that differ only in what a target's labels can say, one for each other job.

    Prometheus takes an inotify instance for each entry, and a host has 128 of them: of a thousand entries most would
    not be scraped. Labels that a target may carry:
    https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
    """
    pools = {pool(own, context, job): job for job in reversed(context.telemetry.scrape)}
    return [scrape_config(own, context, name, job) for name, job in reversed(pools.items())]


def pool(own: Settings, context: Planning, job: ScrapeJob) -> str:
    """The entry that a job belongs to: a common one, unless it says something that no label of a target can say."""
    if job.honor_labels or job.params or job.relabel or job.metric_relabel or job.discovery or job.prober:
        return job.name
    limit = sample_limit(own, context, job)
    usual = limit == own.sample_limit
    return "-".join(["services", *([] if job.scheme == "http" else [job.scheme]), *([] if usual else [str(limit)])])


def sample_limit(own: Settings, context: Planning, job: ScrapeJob) -> int:
    """Samples after which a scrape of the job is refused."""
    return job.sample_limit or own.sample_limit


def scrape_config(own: Settings, context: Planning, name: str, job: ScrapeJob) -> dict[str, Any]:
    """An entry of scrape_configs for `job` and all that are like it; their targets stand in a folder of its name."""
    entry: dict[str, Any] = {"job_name": name, "scheme": job.scheme, "sample_limit": sample_limit(own, context, job)}
    if job.discovery:
        entry |= discovered(job, job.discovery, context.settings.scrape_interval)
    else:
        entry["file_sd_configs"] = [{"files": [f"targets/{name}/*.yml"]}]
    if job.honor_labels:
        entry["honor_labels"] = True
    if job.platform_login:
        entry |= PLATFORM_LOGIN
    if job.params:
        entry["params"] = {key: list(values) for key, values in job.params.items()}
    if relabel := [*probed(job), *job.relabel]:
        entry["relabel_configs"] = [*entry.get("relabel_configs", ()), *(dict(rule) for rule in relabel)]
    if job.metric_relabel:
        entry["metric_relabel_configs"] = [dict(rule) for rule in job.metric_relabel]
    return entry


def documents(own: Settings, context: Planned) -> dict[str, str]:
    """Every file of the configuration directory, by its relative path."""
    files = {"prometheus.yml": dump(config(own, context))}
    files |= {f"rules/{group.name}.yml": dump(rules(group)) for group in context.telemetry.rules}
    usual, static = context.settings.scrape_interval, [job for job in context.telemetry.scrape if not job.discovery]
    return files | {f"targets/{pool(own, context, job)}/{job.name}.yml": dump(listed(job, usual)) for job in static}


# -- component -------------------------------------------------------------------------------------------------------


class Prometheus(Component[Settings]):
    """Prometheus, which scrapes and evaluates rules."""

    name = NAME
    settings = Settings
    under_operator = frozenset({"enabled", "mode", "operator", "retention", "evaluation_interval", "sample_limit"})
    """Settings that mean something in this mode too; retention is then what objectives are compared with."""

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Prometheus scrapes itself and is a data source; its alerts are about scraping, rules and notifications."""
        operator, address = context.operator, context.address(NAME, PORT)
        url = operator.prometheus if operator else f"http://{address}/prometheus"
        found = instances(context, NAME, PORT, own.replicas)
        counted = {"replicas": context.count(NAME), "alertmanagers": context.count("alertmanager")}
        alerts = pack.alerts(context.system.tune, **counted, cluster=context.settings.target == "kubernetes")
        route = Route(name=NAME, prefix="/prometheus", url=f"http://{address}", open=openings.PROMETHEUS)
        return Telemetry(
            offers=(EVALUATION, *((NOTIFICATION,) if operator else ())),
            rows=(
                StackRow(title="Targets and alerts", panels=pack.target_panels(), position=0),
                StackRow(title="Prometheus", panels=pack.panels(), position=10),
            ),
            scrape=(
                ScrapeJob(name=NAME, series=SeriesCount(target=1400), path=f"{urlsplit(url).path}/metrics", **found),
            ),
            datasources=(
                Datasource(
                    uid="prometheus",
                    name="Prometheus",
                    kind="prometheus",
                    url=url,
                    default=True,
                    json_data={"timeInterval": context.settings.scrape_interval, "httpMethod": "POST"},
                ),
            ),
            rules=(RuleGroup(name="prometheus", alerts=alerts),),
            routes=() if operator else (route,),
        )

    def derived(self, own: Settings, context: Planning, collected: Telemetry) -> Telemetry:
        """What follows from everyone's scrape jobs: how many targets each should have."""
        return Telemetry(rules=expected(collected.scrape))

    def problems(self, own: Settings, context: Planned) -> list[Problem]:
        """Times that contradict each other. An operator keeps samples for as long as it was told."""
        unknown = own.existing and "retention" not in own.model_fields_set
        times = {"lookback": own.lookback_delta, "evaluation": own.evaluation_interval}
        return scraping(context, NAME, retention=None if unknown else own.retention, **times)

    def objects(self, own: Settings, context: Planned) -> tuple[Declared, ...]:
        """What an operator reads in the place of documents."""
        terms = Terms(own.operator, own.evaluation_interval, own.sample_limit)
        return tuple(objects(context, terms)) if own.existing else ()

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One Prometheus with its data on a volume; none where an operator runs one."""
        if context.operator:
            return ()
        room = volume_size(size_bytes(own.retention_size))
        volume = DataVolume(name="prometheus-data", path=DATA_DIR, retain=context.settings.retain_data, size=room)
        size = own.retention_size.replace("iB", "B")  # Prometheus' units are powers of two under these names
        reload = Reload(
            port=PORT, path="/prometheus/-/reload", metrics_path="/prometheus/metrics",
            success_metric="prometheus_config_last_reload_successful",
        )  # fmt: skip
        memory = limit_mib(prometheus_memory(context.system, context.telemetry, context.settings.kubernetes), 1024)
        return (
            Workload(
                name=NAME,
                image="prometheus",
                limits=limits(own, memory=memory, cpus=2.0, pids=512),
                args=(
                    f"--config.file={CONFIG_DIR}/prometheus.yml",
                    f"--storage.tsdb.path={DATA_DIR}",
                    f"--storage.tsdb.retention.time={own.retention}",
                    f"--storage.tsdb.retention.size={size}",
                    f"--query.timeout={own.query_timeout}",
                    f"--query.lookback-delta={own.lookback_delta}",
                    "--rules.alert.for-grace-period=0s",  # any alert remembers over a restart since when it holds
                    "--web.enable-lifecycle",
                    f"--web.external-url={context.settings.base_url}/prometheus/",
                    "--web.route-prefix=/prometheus/",
                ),
                config=ConfigDir(
                    path=CONFIG_DIR,
                    files=documents(own, context),
                    validate=("/bin/promtool", "check", "config", "{dir}/prometheus.yml"),
                    reload=reload,
                ),
                ports=(published(context, NAME, PORT, default=9090),),
                volumes=(volume,),
                replicas=own.replicas,
                told={INSTANCE: "instance-name"} if own.replicas > 1 else {},
                access=access(context.telemetry.scrape),
                egress="anywhere",
                probe=HttpProbe(path="/prometheus/-/healthy", port=PORT),
                stop_seconds=60,
            ),
        )
