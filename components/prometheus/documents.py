"""Prometheus' documents: its configuration, rules, and targets in files that it reads again by itself.

Formats: https://prometheus.io/docs/prometheus/latest/configuration/configuration/ and .../recording_rules/.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from components.discovery import (
    PLATFORM_LOGIN,
    build_discovery_job,
    build_probe_relabelling,
    build_target_groups,
    find_scrape_timeout,
)
from components.documents import render_yaml
from components.prometheus.rules import build_rule_file
from components.prometheus.settings import INSTANCE, Settings
from model.component import Planned, Planning
from model.scraping import USUAL, Scrape
from model.stores import AlertReceiver
from model.telemetry import ScrapeJob
from model.workload import SECRETS_DIR

CERTIFICATES = "certificates"
"""The folder of whom to trust, in the directory of the documents."""


def build_config(own: Settings, context: Planned) -> dict[str, Any]:
    """prometheus.yml as a dict."""
    document: dict[str, Any] = {
        "global": {
            "scrape_interval": context.settings.scrape_interval,
            "scrape_timeout": find_scrape_timeout(context.settings.scrape_interval),
            "evaluation_interval": own.evaluation_interval,
            # names as rules and dashboards have them, whatever a target is able to send
            "metric_name_escaping_scheme": USUAL.metric_name_escaping_scheme,
            "external_labels": {
                "stack": context.stack,
                **({"replica": f"${{{INSTANCE}}}"} if own.replicas > 1 else {}),
            },
        },
        "rule_files": ["rules/*.yml"],
        "scrape_configs": build_scrape_configs(own, context),
    }
    if context.telemetry.otlp_labels:
        document |= build_otlp_options(context.telemetry.otlp_labels)
    if own.query_log_file:
        document["global"]["query_log_file"] = own.query_log_file
    if receivers := context.telemetry.alert_receivers:
        document["alerting"] = {"alertmanagers": [*map(build_alertmanager, receivers)]}
        if own.replicas > 1:  # the same alert of two instances is one
            document["alerting"]["alert_relabel_configs"] = [{"regex": "replica", "action": "labeldrop"}]
    return document


LATE = "1h"
"""How late a sample may be that is sent: a request with one that is later is discarded whole, so this is longer than
a store that is away is waited for in most cases."""


def build_otlp_options(labels: Sequence[str]) -> dict[str, Any]:
    """How metrics that are sent become series: by names as scraped ones have them, with attributes as labels.

    Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#configuration-file (`otlp`)
    """
    otlp = {
        "translation_strategy": "UnderscoreEscapingWithSuffixes",
        "promote_resource_attributes": list(labels),
        "keep_identifying_resource_attributes": True,  # target_info says which service.name a job is
    }
    return {"otlp": otlp, "storage": {"tsdb": {"out_of_order_time_window": LATE}}}


def build_alertmanager(receiver: AlertReceiver) -> dict[str, Any]:
    """One entry of `alertmanagers`."""
    return {"path_prefix": receiver.path_prefix, "static_configs": [{"targets": list(receiver.targets)}]}


def build_scrape_configs(own: Settings, context: Planned) -> list[dict[str, Any]]:
    """One entry for all jobs that differ only in what a target's labels can say, one for each other job.

    Prometheus takes an inotify instance for each entry, and a host has 128 of them: of a thousand entries most would
    not be scraped. Labels that a target may carry:
    https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
    """
    pools = {name_pool(own, context, job): job for job in reversed(context.telemetry.scrape)}
    return [build_scrape_config(own, context, name, job) for name, job in reversed(pools.items())]


def name_pool(own: Settings, context: Planning, job: ScrapeJob) -> str:
    """The entry that a job belongs to: a common one, unless it says something that no label of a target can say."""
    plain = job.scrape is USUAL or job.scrape == USUAL
    if job.relabel or job.metric_relabel or job.discovery or job.prober or (plain and is_special(job)):
        return job.name
    limit = find_sample_limit(own, context, job)
    usual = limit == own.sample_limit
    how = [] if plain else [compute_scrape_digest(job.scrape)]
    return "-".join(
        ["services", *([] if job.scheme == "http" else [job.scheme]), *([] if usual else [str(limit)]), *how]
    )


def is_special(job: ScrapeJob) -> bool:
    """Whether a job of a component says something that no label of a target can say."""
    return bool(job.honor_labels or job.params)


def compute_scrape_digest(how: Scrape) -> str:
    """What the entry of all services that are asked in the same way is called by."""
    return hashlib.sha256(how.model_dump_json().encode()).hexdigest()[:8]


def build_scrape_options(name: str, how: Scrape) -> dict[str, Any]:
    """What an entry of scrape_configs says of logins, certificates and formats; its files are called after it."""
    made: dict[str, Any] = {"fallback_scrape_protocol": how.fallback_scrape_protocol}
    if how.metric_name_escaping_scheme != USUAL.metric_name_escaping_scheme:
        made["metric_name_escaping_scheme"] = how.metric_name_escaping_scheme
    if how.basic_auth:
        password = f"{SECRETS_DIR}/{how.basic_auth.password_secret}"
        made["basic_auth"] = {"username": how.basic_auth.username, "password_file": password}
    if how.bearer_token_secret:
        made["authorization"] = {"credentials_file": f"{SECRETS_DIR}/{how.bearer_token_secret}"}
    if how.tls:
        made["tls_config"] = how.tls.build_config(f"{CERTIFICATES}/{name}.pem")
    if how.headers:
        made["http_headers"] = {header: {"values": [value]} for header, value in how.headers.items()}
    return made


def find_sample_limit(own: Settings, context: Planning, job: ScrapeJob) -> int:
    """Samples after which a scrape of the job is refused."""
    return job.sample_limit or own.sample_limit


def build_scrape_config(own: Settings, context: Planning, name: str, job: ScrapeJob) -> dict[str, Any]:
    """An entry of scrape_configs for `job` and all that are like it; their targets stand in a folder of its name."""
    entry: dict[str, Any] = {
        "job_name": name,
        "scheme": job.scheme,
        "sample_limit": find_sample_limit(own, context, job),
    }
    if not job.prober:
        entry |= build_scrape_options(name, job.scrape)
    if job.discovery:
        entry |= build_discovery_job(job, job.discovery, context.settings.scrape_interval)
    else:
        entry["file_sd_configs"] = [{"files": [f"targets/{name}/*.yml"]}]
    if job.honor_labels:
        entry["honor_labels"] = True
    if job.platform_login:
        entry |= PLATFORM_LOGIN
    if job.params:
        entry["params"] = {key: list(values) for key, values in job.params.items()}
    if relabel := [*build_probe_relabelling(job), *job.relabel]:
        entry["relabel_configs"] = [*entry.get("relabel_configs", ()), *(dict(rule) for rule in relabel)]
    if job.metric_relabel:
        entry["metric_relabel_configs"] = [dict(rule) for rule in job.metric_relabel]
    return entry


def render_certificates(own: Settings, context: Planned) -> dict[str, str]:
    """Whom Prometheus trusts to have signed the certificates of services, by entry of scrape_configs."""
    return {
        f"{CERTIFICATES}/{name_pool(own, context, job)}.pem": job.scrape.tls.ca_certificate
        for job in context.telemetry.scrape
        if job.scrape.tls and job.scrape.tls.ca_certificate
    }


def render_documents(own: Settings, context: Planned) -> dict[str, str]:
    """Every file of the configuration directory, by its relative path."""
    files = {"prometheus.yml": render_yaml(build_config(own, context))}
    files |= {f"rules/{group.name}.yml": render_yaml(build_rule_file(group)) for group in context.telemetry.rules}
    files |= render_certificates(own, context)
    usual, static = context.settings.scrape_interval, [job for job in context.telemetry.scrape if not job.discovery]
    return files | {
        f"targets/{name_pool(own, context, job)}/{job.name}.yml": render_yaml(build_target_groups(job, usual))
        for job in static
    }
