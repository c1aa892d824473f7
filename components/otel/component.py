"""The OpenTelemetry gateway: services send it spans, metrics and log records, and it passes them on. Off by default.

Protocol: https://opentelemetry.io/docs/specs/otlp/. The program is the OpenTelemetry Collector.
"""

from __future__ import annotations

from collections.abc import Iterator

from components.base import build_heap_limit, build_identity_labels, build_limits, open_port
from components.otel import browser, spans
from components.otel import mixin as pack
from components.otel.attributes import list_labels
from components.otel.documents import build_config
from components.otel.settings import (
    BROWSER_PORT,
    BROWSER_PREFIX,
    DOCUMENT,
    GRPC_PORT,
    HTTP_PORT,
    LEAST_MEMORY,
    NAME,
    PREFIX,
    SIGNALS,
    Settings,
)
from components.otelcol import CONFIG_DIR, DATA_DIR, HEALTH_PORT, IMAGE, METRICS_PORT, build_config_dir
from model.base import parse_size
from model.component import Component, Planned, Planning
from model.dashboard import build_dashboard
from model.errors import Problem
from model.places import locate_in_section, locate_in_system
from model.route import Opening, RequestLimits, Route
from model.telemetry import (
    METRIC_STORE,
    OTLP,
    Need,
    RuleGroup,
    ScrapeJob,
    ScrapeTarget,
    SeriesCount,
    StackRow,
    Telemetry,
)
from model.workload import Access, DataVolume, HttpProbe, Port, Workload
from packs import process
from packs.catalogue import PACKS, add_pack_metrics

PATHS = tuple(f"/v1/{signal}" for signal in SIGNALS)
LOOKUP = (
    Access(resources=("pods", "namespaces")),
    Access(resources=("replicasets",), groups=("apps",)),
)
"""What it asks of a cluster: which pod has the address that a request came from."""


def list_ports(own: Settings, context: Planning) -> tuple[Port, ...]:
    """Both ways in, which programs outside of the stack use; only those that the settings name are published."""
    return (
        open_port(context, NAME, GRPC_PORT, name="otlp-grpc", host=own.grpc_port, inbound=True),
        open_port(context, NAME, HTTP_PORT, name="otlp-http", host=own.http_port, inbound=True),
        Port(number=METRICS_PORT, name="metrics"),
        Port(number=HEALTH_PORT, name="health"),
        *([Port(number=BROWSER_PORT, name="otlp-browser")] if own.browser else []),
    )


def list_routes(own: Settings, context: Planning) -> tuple[Route, ...]:
    """For machines that may push, and for pages in browsers, which have no password and so are bounded."""
    push = Opening(methods=("POST",), paths=PATHS, grant="push")
    url = f"http://{context.address(NAME, HTTP_PORT)}"
    route = Route(name=NAME, prefix=PREFIX, url=url, strip=True, open=(push,))
    if not own.browser:
        return (route,)
    paths = ("/v1/traces", "/v1/logs")
    visits = Opening(methods=("POST", "OPTIONS"), paths=paths, origins=own.browser.origins)
    often, body = own.browser.requests_per_second, parse_size(own.browser.body_bytes)
    browsers = Route(
        name=f"{NAME}-browser",
        prefix=BROWSER_PREFIX,
        url=f"http://{context.address(NAME, BROWSER_PORT)}",
        strip=True,
        login=False,
        open=(visits,),
        limits=RequestLimits(per_second=often, burst=4 * often, body=body),
    )
    return (route, browsers)


def list_contradictions(own: Settings, context: Planned) -> Iterator[tuple[str, str]]:
    """Keys, and what is wrong with them beside the rest of the stack."""
    if context.operator:
        remedy = "set prometheus.mode to own, or leave this out"
        yield "enabled", f"true, but an operator's Prometheus takes nothing that is sent to it; {remedy}"
    if own.memory and parse_size(own.memory) < parse_size(LEAST_MEMORY):
        yield "memory", f"{own.memory}: too little for a few requests of the largest size; use {LEAST_MEMORY} at least"
    if own.sampling and not context.telemetry.spans:
        remedy = "set jaeger.enabled to true, or leave this out"
        yield "sampling", f"nothing here stores spans, so there are none to choose from; {remedy}"
    if own.browser and not browser.list_pages(context):
        text = f"no service of {context.system.name} has the pack {browser.PACK!r}, so everything would be refused"
        yield "browser", f"{text}; give it to the one whose pages send, or leave this out"


def list_unsent_packs(context: Planned) -> Iterator[str]:
    """Packs of services that send, whose metrics are those of Prometheus' client libraries and not declared otherwise.

    What SDKs send: https://opentelemetry.io/docs/specs/semconv/general/metrics/
    """
    for key, service in context.system.services.items():
        declared = add_pack_metrics(service).metrics.keys()
        for name in service.packs if service.otlp else ():
            usual = PACKS[name].METRICS.keys()
            if (name == "http" or usual >= process.METRICS.keys()) and declared >= usual:
                where = locate_in_system(context.system.name, f"services.{key}.packs")
                yield (
                    f"{where}: {name} stands on metrics of Prometheus' client libraries, such as {min(usual)}, which"
                    f" OpenTelemetry's SDKs do not send: declare what {key} sends in its `metrics`, with their roles,"
                    " or leave the pack out"
                )


class OpenTelemetryGateway(Component[Settings]):
    """The OpenTelemetry gateway, which takes spans, metrics and log records."""

    name = NAME
    settings = Settings

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """It is scraped, offers services an address, and has alerts about what it cannot pass on."""
        url = f"http://{context.address(NAME, HTTP_PORT)}"
        target = ScrapeTarget(address=context.address(NAME, METRICS_PORT), labels=build_identity_labels(context, NAME))
        return Telemetry(
            rows=(StackRow(title="OpenTelemetry gateway", panels=pack.panels(), position=45),),
            scrape=(ScrapeJob(name=NAME, series=SeriesCount(target=350), targets=(target,)),),
            dashboards=(
                build_dashboard(spans.board(), folder="Monitoring", tags=["monitoring"], where="dashboard spans"),
            ),
            rules=(RuleGroup(name=NAME, alerts=pack.alerts(context.system.tune)),),
            routes=list_routes(own, context),
            gateways=(url,),
            otlp_labels=list_labels(context),
            offers=(OTLP,),
            needs=() if context.operator else (Need(what=METRIC_STORE, why=f"{NAME} passes metrics on to it"),),
        )

    def problems(self, own: Settings, context: Planned) -> list[Problem]:
        """What it could not start with, and what would have nowhere to go."""
        return [
            Problem(locate_in_section(context.stack, NAME, key), message)
            for key, message in list_contradictions(own, context)
        ]

    def warnings(self, own: Settings, context: Planned) -> list[str]:
        """Pages that have nowhere to send to, and packs on metrics that nobody sends; a demo has all of them."""
        if context.settings.demo:
            return []
        pages = browser.list_pages(context)
        where = locate_in_section(context.stack, NAME, "browser")
        closed = f"{where}: not set, so pages of {', '.join(pages)} can send nothing: name their origins"
        return [*([closed] if pages and not own.browser else []), *list_unsent_packs(context)]

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One gateway, with what waits on a volume."""
        limits = build_limits(own, memory=384)
        config = build_config(own, context, limits)
        cluster = context.settings.target == "kubernetes"
        queues = sum("sending_queue" in each for each in config["exporters"].values()) * parse_size(own.queue)
        return (
            Workload(
                name=NAME,
                image=IMAGE,
                limits=limits,
                args=(f"--config=file:{CONFIG_DIR}/{DOCUMENT}",),
                env=build_heap_limit(limits, 90),
                config=build_config_dir(DOCUMENT, config),  # senders wait while it is away
                ports=list_ports(own, context),
                volumes=(
                    # a queue's file is written anew before the old one is removed
                    DataVolume(name="otel-data", path=DATA_DIR, retain=context.settings.retain_data, size=2 * queues),
                ),
                access=LOOKUP if cluster else (),
                egress="anywhere",  # to be reached from the networks of services
                probe=HttpProbe(path="/", port=HEALTH_PORT),
                stop_seconds=30,
            ),
        )
