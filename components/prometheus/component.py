"""Prometheus: scrapes every target, evaluates every rule, and notifies Alertmanager."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from components.base import build_limits, publish_port
from components.discovery import build_instance_discovery, list_access
from components.prometheus import mixin as pack
from components.prometheus.arrivals import build_arrival_rules
from components.prometheus.discovery_alerts import build_target_count_rules
from components.prometheus.documents import render_documents
from components.prometheus.monitors import OperatorOptions
from components.prometheus.objects import build_objects
from components.prometheus.settings import CONFIG_DIR, DATA_DIR, INSTANCE, NAME, PORT, Settings
from model import openings
from model.backups import BackupSource
from model.base import parse_size
from model.capacity import choose_limit_mib, choose_volume_size, estimate_prometheus_memory
from model.checks.times import check_scraping
from model.component import Component, Planned, Planning
from model.errors import Problem
from model.extra_objects import ExtraObject
from model.operator import Operator
from model.places import locate_in_system
from model.route import Route
from model.scraping import USUAL
from model.secret import Secret
from model.telemetry import (
    EVALUATION,
    METRIC_STORE,
    NOTIFICATION,
    Datasource,
    RuleGroup,
    ScrapeJob,
    SeriesCount,
    StackRow,
    Telemetry,
)
from model.workload import SECRETS_DIR, ConfigDir, DataVolume, HttpProbe, Reload, SecretFile, Workload
from packs.system import find_scrape


def build_volume(own: Settings, context: Planning) -> DataVolume:
    """Where samples are kept."""
    room = choose_volume_size(parse_size(own.retention_size))
    return DataVolume(name="prometheus-data", path=DATA_DIR, retain=context.settings.retain_data, size=room)


def build_backup_source(own: Settings, context: Planning) -> BackupSource:
    """What of the volume is copied, and in which order: what leaves the write-ahead log meanwhile is in a block then.

    Blocks never change; samples that are in two places are read once. A directory that is being made has a name of its
    own until it is a block. Source: https://prometheus.io/docs/prometheus/latest/storage/#on-disk-layout
    """
    return BackupSource(
        workload=NAME,
        volume=build_volume(own, context),
        order=("wal", "wbl", "chunks_head"),
        exclude=("lock", "queries.active", "*.tmp-for-*"),
        instances=own.replicas,
    )


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
        discovery = build_instance_discovery(context, NAME, PORT, own.replicas)
        counted = {"replicas": context.count_instances(NAME), "alertmanagers": context.count_instances("alertmanager")}
        alerts = pack.alerts(context.system.tune, **counted, cluster=context.settings.target == "kubernetes")
        route = Route(
            name=NAME, prefix="/prometheus", url=f"http://{address}", open=openings.PROMETHEUS, page="/prometheus/"
        )
        return Telemetry(
            offers=(EVALUATION, NOTIFICATION if operator else METRIC_STORE),
            metric_stores=() if operator else list_metric_stores(context),
            rows=(
                StackRow(title="Targets and alerts", panels=pack.build_target_panels(), position=0),
                StackRow(title="Prometheus", panels=pack.panels(), position=10),
            ),
            scrape=(
                ScrapeJob(
                    name=NAME, series=SeriesCount(target=1400), path=f"{urlsplit(url).path}/metrics", **discovery
                ),
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
            backups=() if operator else (build_backup_source(own, context),),
            data_elsewhere=(describe_operator_data(operator),) if operator else (),
        )

    def derived(self, own: Settings, context: Planning, collected: Telemetry) -> Telemetry:
        """What follows from what is scraped and sent: how many targets there should be, and whether senders are up."""
        return Telemetry(
            rules=(
                *build_target_count_rules(collected.scrape, collected.pushed),
                *build_arrival_rules(collected.pushed),
            )
        )

    def problems(self, own: Settings, context: Planned) -> list[Problem]:
        """Times that contradict each other. An operator keeps samples for as long as it was told."""
        unknown = own.existing and "retention" not in own.model_fields_set
        times = {"lookback": own.lookback_delta, "evaluation": own.evaluation_interval}
        problems = check_scraping(context, NAME, retention=None if unknown else own.retention, **times)
        return [*problems, *(list_unwritable(context) if context.operator else ())]

    def objects(self, own: Settings, context: Planned) -> tuple[ExtraObject, ...]:
        """What an operator reads in the place of documents."""
        options = OperatorOptions(own.operator, own.evaluation_interval, own.sample_limit)
        return tuple(build_objects(context, options)) if own.existing else ()

    def secrets(self, own: Settings, context: Planning) -> tuple[Secret, ...]:
        """The logins of services that want one."""
        users: dict[str, list[str]] = {}
        for key in context.system.services:
            if (how := find_scrape(context, key)) is not USUAL:
                for name in how.list_secrets():
                    users.setdefault(name, []).append(key)
        return tuple(
            Secret(name=name, purpose=f"the login to the metrics of {', '.join(keys)}") for name, keys in users.items()
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One Prometheus with its data on a volume; none where an operator runs one."""
        if context.operator:
            return ()
        size = own.retention_size.replace("iB", "B")  # Prometheus' units are powers of two under these names
        reload = Reload(
            port=PORT, path="/prometheus/-/reload", metrics_path="/prometheus/metrics",
            success_metric="prometheus_config_last_reload_successful",
        )  # fmt: skip
        memory = choose_limit_mib(
            estimate_prometheus_memory(context.system, context.telemetry, context.settings.kubernetes), 1024
        )
        return (
            Workload(
                name=NAME,
                image="prometheus",
                limits=build_limits(own, memory=memory, cpus=2.0, pids=512),
                args=(
                    f"--config.file={CONFIG_DIR}/prometheus.yml",
                    f"--storage.tsdb.path={DATA_DIR}",
                    f"--storage.tsdb.retention.time={own.retention}",
                    f"--storage.tsdb.retention.size={size}",
                    f"--query.timeout={own.query_timeout}",
                    f"--query.lookback-delta={own.lookback_delta}",
                    "--rules.alert.for-grace-period=0s",  # any alert remembers over a restart since when it holds
                    "--web.enable-lifecycle",
                    *list_otlp_arguments(context),
                    f"--web.external-url={context.settings.base_url}/prometheus/",
                    "--web.route-prefix=/prometheus/",
                ),
                config=ConfigDir(
                    path=CONFIG_DIR,
                    files=render_documents(own, context),
                    validate=("/bin/promtool", "check", "config", "{dir}/prometheus.yml"),
                    reload=reload,
                ),
                secrets=tuple(
                    SecretFile(path=f"{SECRETS_DIR}/{secret.name}", secret=secret.name, reread=True)
                    for secret in self.secrets(own, context)
                ),
                ports=(publish_port(context, NAME, PORT, default=9090),),
                volumes=(build_volume(own, context),),
                replicas=own.replicas,
                field_refs={INSTANCE: "instance-name"} if own.replicas > 1 else {},
                access=list_access(context.telemetry.scrape),
                egress="anywhere",
                probe=HttpProbe(path="/prometheus/-/healthy", port=PORT),
                stop_seconds=60,
            ),
        )


def describe_operator_data(operator: Operator) -> str:
    """Where the samples and silences of an operator's instances are."""
    return (
        f"samples and silences are with the instances that an operator runs in namespace {operator.namespace}, and not"
        " backed up here: have snapshots taken of their volumes there"
    )


def list_metric_stores(context: Planning) -> tuple[str, ...]:
    """Where each instance takes metrics: what is sent to one does not reach the others."""
    return tuple(f"http://{instance}/prometheus/api/v1/otlp" for instance in context.list_instances(NAME, PORT))


def list_otlp_arguments(context: Planned) -> tuple[str, ...]:
    """Flags for metrics that are sent, with the spans that are examples of them; none where nobody sends any.

    Source: https://prometheus.io/docs/guides/opentelemetry/
    """
    if not context.telemetry.otlp_labels:
        return ()
    return ("--web.enable-otlp-receiver", "--enable-feature=exemplar-storage")


UNWRITABLE = {
    "basicAuth": "basic_auth",
    "bearerTokenSecret": "bearer_token_secret",
    "headers": "headers",
    "metricNameEscapingScheme": "metric_name_escaping_scheme",
}
"""Keys of `scrape` that an operator's objects take from secrets that people made, or not at all."""


def list_unwritable(context: Planning) -> Iterator[Problem]:
    """What services say of how they are scraped that is not written to an operator's objects."""
    for key in context.system.services:
        how = find_scrape(context, key)
        said = [name for name, field in UNWRITABLE.items() if getattr(how, field) != getattr(USUAL, field)]
        if how.tls and how.tls.ca_certificate:
            said.append("tls.caCertificate")
        for name in said:
            yield Problem(
                locate_in_system(context.system.name, f"services.{key}.scrape.{name}"),
                "is not given to an operator's Prometheus; leave it out and write a ScrapeConfig of your own, or let"
                " the stack have its own Prometheus",
            )
