"""blackbox-exporter: asks health endpoints from outside, as a client would.

Format: https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from components.base import build_identity_labels, build_limits, publish_port
from components.documents import render_yaml
from components.entry.acme import TRUSTED
from components.entry.certificates import ACME_JOB, alert_on_authority_unreachable
from components.exporters.blackbox import alerts as probes_alerts
from components.exporters.blackbox import mixin as pack
from model.checks.entry import TRAEFIK
from model.component import Component, Planned, Planning, SystemRow
from model.dashboard import build_dashboard
from model.gateway import GATEWAY, mentions_host
from model.settings import ComponentSettings
from model.telemetry import RuleGroup, ScrapeJob, ScrapeTarget, SeriesCount, Telemetry, name_series_offer
from model.workload import ConfigDir, HttpProbe, Reload, Workload
from packs.base import PROBES
from packs.system import build_discovery, list_targets

NAME = "blackbox-exporter"
PORT = 9115
CONFIG_DIR = "/etc/blackbox_exporter"


class Settings(ComponentSettings):
    """blackbox-exporter."""


def build_config(context: Planning) -> dict[str, Any]:
    """blackbox.yml as a dict: how to ask."""
    http = {"preferred_ip_protocol": "ip4", "follow_redirects": False}
    acme = context.settings.tls.acme
    own = {"tls_config": {"ca_file": f"{CONFIG_DIR}/{TRUSTED}"}} if acme and acme.ca_certificate else {}
    return {
        "modules": {
            **({ACME_JOB: {"prober": "http", "timeout": "5s", "http": {**http, **own}}} if acme else {}),
            "http_2xx": {"prober": "http", "timeout": "5s", "http": http},
            "tcp_connect": {"prober": "tcp", "timeout": "5s", "tcp": {"preferred_ip_protocol": "ip4"}},
        }
    }


def render_documents(context: Planning) -> dict[str, str]:
    """How to ask, and the certificate of an authority that is not publicly trusted."""
    acme = context.settings.tls.acme
    trusted = {TRUSTED: acme.ca_certificate} if acme and acme.ca_certificate else {}
    return {"blackbox.yml": render_yaml(build_config(context)), **trusted}


def list_probe_jobs(context: Planning) -> tuple[ScrapeJob, ...]:
    """The jobs that have the exporter ask: one for all addresses, one for each path of what is found by its pods."""
    fixed, pod_probes = list_health_targets(context), [*list_pod_probes(context)]
    own = context.address(NAME, PORT)
    once = SeriesCount(target=17)
    how = {"module": ("http_2xx",)}
    ask = ScrapeJob(name=PROBES, path="/probe", params=how, prober=own, series=once)
    return (
        *((replace(ask, targets=fixed),) if fixed else ()),
        *(replace(ask, **job) for job in pod_probes),
        *list_authority_jobs(context, ask),
    )


def list_authority_jobs(context: Planning, ask: ScrapeJob) -> tuple[ScrapeJob, ...]:
    """The job that asks for the directory of the authority which the stack's certificate comes from."""
    acme = context.settings.tls.acme
    if acme is None or not context.is_enabled(TRAEFIK):
        return ()
    target = ScrapeTarget(
        address=acme.get_directory_url(context.settings.environment), labels=build_identity_labels(context, TRAEFIK)
    )
    return (replace(ask, name=ACME_JOB, params={"module": (ACME_JOB,)}, targets=(target,)),)


def list_health_targets(context: Planning) -> tuple[ScrapeTarget, ...]:
    """The health endpoints of all services that have addresses."""
    return tuple(
        ScrapeTarget(address=f"http://{address}{path}", labels=labels)
        for key, service in context.system.services.items()
        for labels in ({**service.labels, **build_identity_labels(context, key)},)
        if build_discovery(context, service, labels) is None
        for address in list_targets(context, key, service)
        for path in service.health
    )


def list_pod_probes(context: Planning) -> Iterator[dict[str, Any]]:
    """What is different in the job of each health path of a service whose pods are discovered: each pod is asked."""
    for key, service in context.system.services.items():
        labels = {**service.labels, **build_identity_labels(context, key), "job": PROBES}
        discovered = build_discovery(context, service, labels)
        for number, path in enumerate(service.health if discovered else (), 1):
            # no service can have such a name
            name = f"{PROBES}.{key}" + (f".{number}" if number > 1 else "")
            yield {"name": name, "discovery": discovered, "http_path": path}


# -- component -------------------------------------------------------------------------------------------------------


class BlackboxExporter(Component[Settings]):
    """blackbox-exporter, which probes health endpoints."""

    name = NAME
    settings = Settings
    system_rows = (SystemRow(name="probes", title="Health endpoints", panels=pack.panels),)

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """The exporter itself is scraped, and through it every health endpoint; nothing where there is none."""
        jobs = list_probe_jobs(context)
        if not jobs:
            return Telemetry()
        ca = (alert_on_authority_unreachable(),) if list_authority_jobs(context, jobs[0]) else ()
        itself = ScrapeTarget(address=context.address(NAME, PORT), labels=build_identity_labels(context, NAME))
        return Telemetry(
            offers=(name_series_offer("probes"),),
            scrape=(ScrapeJob(name=NAME, series=SeriesCount(target=55), targets=(itself,)), *jobs),
            rules=(RuleGroup(name="probes", alerts=(*probes_alerts.alerts(context.system.tune), *ca)),),
            dashboards=(
                build_dashboard(pack.board(), folder="Monitoring", tags=["monitoring"], where="dashboard probes"),
            ),
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One exporter, where there is something to ask."""
        if not list_probe_jobs(context):
            return ()
        return (
            Workload(
                name=NAME,
                image="blackbox-exporter",
                limits=build_limits(own, memory=64, cpus=0.5),
                args=(f"--config.file={CONFIG_DIR}/blackbox.yml",),
                config=ConfigDir(
                    path=CONFIG_DIR,
                    files=render_documents(context),
                    validate=("/bin/blackbox_exporter", "--config.file={dir}/blackbox.yml", "--config.check"),
                    reload=Reload(
                        port=PORT,
                        success_metric="blackbox_exporter_config_last_reload_successful",
                    ),
                ),
                ports=(publish_port(context, NAME, PORT),),
                # Prometheus says whom to ask, with each request
                exemptions=(GATEWAY,)
                if mentions_host(*(target.address for target in list_health_targets(context)))
                else (),
                probe=HttpProbe(path="/-/healthy", port=PORT),
                egress="anywhere",
            ),
        )
