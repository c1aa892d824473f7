"""blackbox-exporter: asks health endpoints from outside, as a client would.

Format: https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md.
"""

from __future__ import annotations

import hashlib
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
from model.errors import Problem
from model.gateway import GATEWAY, mentions_host
from model.places import locate_in_system
from model.probing import USUAL_PROBE, Probe, get_path, is_path
from model.service import Service
from model.settings import ComponentSettings
from model.telemetry import RuleGroup, ScrapeJob, ScrapeTarget, SeriesCount, Telemetry, name_series_offer
from model.workload import ConfigDir, HttpProbe, Reload, Workload
from packs.base import PROBES
from packs.system import build_discovery, find_scrape, list_targets

NAME = "blackbox-exporter"
USUAL_MODULE = "http_2xx"
CERTIFICATES = "certificates"
"""The folder of whom to trust, in the directory of the documents."""
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
            **{
                name: {"prober": "http", "timeout": "5s", "http": probe.build_module(locate_certificate(name))}
                for name, probe in list_modules(context).items()
                if name != USUAL_MODULE
            },
            "tcp_connect": {"prober": "tcp", "timeout": "5s", "tcp": {"preferred_ip_protocol": "ip4"}},
        }
    }


def render_documents(context: Planning) -> dict[str, str]:
    """How to ask, and the certificate of an authority that is not publicly trusted."""
    acme = context.settings.tls.acme
    trusted = {TRUSTED: acme.ca_certificate} if acme and acme.ca_certificate else {}
    return {"blackbox.yml": render_yaml(build_config(context)), **trusted, **_list_certificates(context)}


def _list_certificates(context: Planning) -> dict[str, str]:
    """Whom to trust to have signed the certificates of services, by module."""
    return {
        f"{CERTIFICATES}/{name}.pem": probe.tls.ca_certificate
        for name, probe in list_modules(context).items()
        if probe.tls and probe.tls.ca_certificate
    }


def list_probed(context: Planning) -> Iterator[tuple[str, Service, Probe]]:
    """The services that have health endpoints, and how each is probed."""
    for key, service in context.system.services.items():
        if service.health:
            yield key, service, find_probe(context, key)


def list_modules(context: Planning) -> dict[str, Probe]:
    """A probe for each module that services need."""
    return {name_module(probe): probe for _, _, probe in list_probed(context)}


def find_probe(context: Planning, key: str) -> Probe:
    """How the health endpoints of a service are asked, in full; those of a stand-in are asked plainly."""
    if context.settings.demo:
        return Probe(scheme="http")
    said, how = context.system.probe.complete(context.system.services[key].probe), find_scrape(context, key)
    scheme = said.scheme or ("http" if said.port else how.scheme)
    secure = scheme == "https" or any(item.startswith("https:") for item in context.system.services[key].health)
    return said.model_copy(update={"scheme": scheme, "tls": (said.tls or how.tls) if secure else None})


def name_module(probe: Probe) -> str:
    """The module by which endpoints are asked like this: one for all that are asked alike."""
    judged = probe.model_copy(update={"port": None, "scheme": None})
    if judged == USUAL_PROBE:
        return USUAL_MODULE
    return f"http_{hashlib.sha256(judged.model_dump_json().encode()).hexdigest()[:8]}"


def locate_certificate(module: str) -> str:
    """Where the exporter reads whom to trust."""
    return f"{CONFIG_DIR}/{CERTIFICATES}/{module}.pem"


def list_probe_jobs(context: Planning) -> tuple[ScrapeJob, ...]:
    """The jobs that have the exporter ask: one for all addresses, one for each path of what is found by its pods."""
    own = context.address(NAME, PORT)
    once = SeriesCount(target=17)
    ask = ScrapeJob(name=PROBES, path="/probe", params=_by(USUAL_MODULE), prober=own, series=once)
    fixed = list_health_targets(context)
    return (
        *(
            replace(ask, name=PROBES if module == USUAL_MODULE else f"{PROBES}.{module}", params=_by(module), targets=t)
            for module, t in fixed.items()
        ),
        *(replace(ask, **job) for job in list_pod_probes(context)),
        *list_authority_jobs(context, ask),
    )


def _by(module: str) -> dict[str, tuple[str, ...]]:
    return {"module": (module,)}


def list_authority_jobs(context: Planning, ask: ScrapeJob) -> tuple[ScrapeJob, ...]:
    """The job that asks for the directory of the authority which the stack's certificate comes from."""
    acme = context.settings.tls.acme
    if acme is None or not context.is_enabled(TRAEFIK):
        return ()
    target = ScrapeTarget(
        address=acme.get_directory_url(context.settings.environment), labels=build_identity_labels(context, TRAEFIK)
    )
    return (replace(ask, name=ACME_JOB, params={"module": (ACME_JOB,)}, targets=(target,)),)


def list_health_targets(context: Planning) -> dict[str, tuple[ScrapeTarget, ...]]:
    """The health endpoints that have addresses, by the module that asks them."""
    made: dict[str, list[ScrapeTarget]] = {}
    for key, service, probe in list_probed(context):
        labels = {**service.labels, **build_identity_labels(context, key)}
        module = name_module(probe)
        own = {} if module == USUAL_MODULE else {"job": PROBES}
        made.setdefault(module, []).extend(
            ScrapeTarget(address=url, labels={**labels, **own})
            for url in list_health_urls(context, key, service, probe)
        )
    return {module: tuple(targets) for module, targets in made.items() if targets}


def list_health_urls(context: Planning, key: str, service: Service, probe: Probe) -> Iterator[str]:
    """Each health endpoint of a service as a whole address; those of pods are found, and a stand-in has all."""
    hosts = list_targets(context, key, service)
    if probe.port and not context.settings.demo:
        hosts = tuple(f"{address.rpartition(':')[0]}:{probe.port}" for address in hosts)
    if build_discovery(context, service, {}) is not None:
        hosts = ()
    for endpoint in service.health:
        if is_path(endpoint):
            yield from (f"{probe.scheme}://{host}{endpoint}" for host in hosts)
        elif context.settings.demo:
            yield from (f"http://{host}{get_path(endpoint)}" for host in hosts)
        else:
            yield endpoint


def list_pod_probes(context: Planning) -> Iterator[dict[str, Any]]:
    """What is different in the job of each health path of a service whose pods are discovered: each pod is asked."""
    for key, service, probe in list_probed(context):
        labels = {**service.labels, **build_identity_labels(context, key), "job": PROBES}
        discovered = build_discovery(context, service, labels)
        if discovered is None:
            continue
        demo = context.settings.demo
        pods = replace(discovered, port=discovered.port if demo else probe.port or discovered.port)
        paths = [get_path(item) for item in service.health] if demo else [*filter(is_path, service.health)]
        for number, path in enumerate(dict.fromkeys(paths), 1):
            # no service can have such a name
            name = f"{PROBES}.{key}" + (f".{number}" if number > 1 else "")
            how = {"params": _by(name_module(probe)), "http_scheme": probe.scheme}
            yield {"name": name, "discovery": pods, "http_path": path, **how}


def check_probes(context: Planning) -> Iterator[Problem]:
    """What is said of how to ask where nobody is asked like that."""
    for key, service in context.system.services.items():
        where = locate_in_system(context.system.name, f"services.{key}.probe")
        said = service.probe.model_fields_set
        if not said:
            continue
        if not service.health:
            yield Problem(where, "there is no endpoint to ask; give health, or leave it out")
            continue
        paths = any(map(is_path, service.health))
        yield from (
            Problem(f"{where}.{name}", "has no effect on whole addresses, which say it themselves; leave it out")
            for name in ("port", "scheme")
            if name in said and not paths
        )
        if service.probe.tls and find_probe(context, key).tls is None and not context.settings.demo:
            yield Problem(f"{where}.tls", "has no effect on http; say scheme: https, or leave it out")


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

    def problems(self, own: Settings, context: Planned) -> list[Problem]:
        """What nobody would be asked by."""
        return [*check_probes(context)]

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
                if mentions_host(*(item.address for some in list_health_targets(context).values() for item in some))
                else (),
                probe=HttpProbe(path="/-/healthy", port=PORT),
                egress="anywhere",
            ),
        )
