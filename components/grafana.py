"""Grafana: draws everyone's dashboards from everyone's data sources, all of them provisioned from files.

Formats: https://grafana.com/docs/grafana/latest/administration/provisioning/ and, for the environment,
.../setup-grafana/configure-grafana/.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field

from components.base import MonitoringComponent, identity, limits, published
from components.documents import dump as dump_yaml
from model.base import Duration, Strict, seconds
from model.dashboard import LOKI, build, dump
from model.packs import grafana as pack
from model.plan import Context, Secret
from model.settings import ComponentSettings
from model.stack_dashboard import INDEX, index, stack_dashboard
from model.telemetry import (
    TRACES,
    TRACING,
    Dashboard,
    Datasource,
    Route,
    RuleGroup,
    ScrapeJob,
    ScrapeTarget,
    Telemetry,
    TracingKind,
)
from model.workload import ConfigDir, DataVolume, HttpProbe, Reload, SecretFile, Workload

NAME = "grafana"
PORT = 3000
CONFIG_DIR = "/etc/grafana/provisioning"
DATA_DIR = "/var/lib/grafana"
SECRETS = {
    "GF_SECURITY_ADMIN_PASSWORD__FILE": "grafana-admin-password",
    "GF_SECURITY_SECRET_KEY__FILE": "grafana-secret-key",
}
"""Variables that name a file of /run/secrets, and the secret in it."""


class Tracing(Strict):
    """A tracing backend that is there already."""

    kind: TracingKind
    """Which one."""
    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+(/[^\s]*)?$", examples=["http://jaeger:16686"])]
    """Where Grafana reaches its query API."""


class Settings(ComponentSettings):
    """Grafana."""

    image: Literal["grafana", "grafana-standin"] = "grafana"
    """Which image of configs/images.yaml runs; the stand-in is for machines that cannot pull Grafana's own."""
    min_refresh: Duration = "10s"
    """The shortest interval at which a dashboard may redraw itself."""
    query_timeout: Duration = "60s"
    """How long a data source may take to answer."""
    tracing: Tracing | None = None
    """A tracing backend: its traces open from log lines that have a trace_id, and log lines from its traces.

    Named, it stands for the tracing backend of the stack itself, where there is one."""


# -- documents -------------------------------------------------------------------------------------------------------


def documents(context: Context) -> dict[str, str]:
    """Every file of the provisioning directory, by its relative path."""
    boards = context.telemetry.dashboards
    files = {
        "datasources/datasources.yaml": dump_yaml(datasources(sources(context))),
        "dashboards/dashboards.yaml": dump_yaml(providers(boards)),
    }
    return files | {f"boards/{slug(board.folder)}/{board.uid}.json": dump(board.model) for board in boards}


def sources(context: Context) -> tuple[Datasource, ...]:
    """Everyone's data sources; a tracing backend that the settings name takes the place of the stack's own."""
    named = tracing(context.own(Settings))
    replaced = {source.uid for source in named}
    return (*(source for source in context.telemetry.datasources if source.uid not in replaced), *named)


def datasources(sources: tuple[Datasource, ...]) -> dict[str, Any]:
    """The data sources; one that is no longer listed is removed."""
    traces = next((source for source in sources if source.kind in TRACING), None)
    return {"apiVersion": 1, "prune": True, "datasources": [_datasource(source, traces) for source in sources]}


def _datasource(source: Datasource, traces: Datasource | None = None) -> dict[str, Any]:
    """One data source; that of the logs leads to the one of the traces, where there is one, and back."""
    links: dict[str, Any] = {}
    if traces and source.kind == LOKI.type_val:
        links = derived_fields(traces)
    elif source.kind in TRACING:
        links = to_logs()
    return {
        "name": source.name,
        "uid": source.uid,
        "type": source.kind,
        "access": "proxy",
        "url": source.url,
        "isDefault": source.default,
        "editable": False,
        "jsonData": {**source.json_data, **links},
    }


def derived_fields(traces: Datasource) -> dict[str, Any]:
    """The link from a log line's trace_id, in JSON or beside the line, to its trace.

    A dollar is doubled because provisioning files have their variables replaced. Format:
    https://grafana.com/docs/grafana/latest/datasources/loki/configure-loki-data-source/#derived-fields
    """
    target = {"datasourceUid": traces.uid, "url": "$${__value.raw}", "urlDisplayLabel": "Open the trace"}
    return {
        "derivedFields": [
            {"name": "trace_id", **target, "matcherRegex": '"trace_?[iI]d":\\s*"(\\w+)"'},
            {"name": "trace_id (label)", **target, "matcherType": "label", "matcherRegex": "trace_id"},
        ]
    }


def tracing(own: Settings) -> tuple[Datasource, ...]:
    """The data source of the tracing backend that the settings name."""
    if own.tracing is None:
        return ()
    return (Datasource(uid=TRACES, name="Traces", kind=own.tracing.kind, url=own.tracing.url),)


def to_logs() -> dict[str, Any]:
    """The link from a span to the log lines of its service that have its trace_id, a minute around it.

    Format: https://grafana.com/docs/grafana/latest/datasources/jaeger/#trace-to-logs
    """
    logs = {"datasourceUid": LOKI.uid, "filterByTraceID": True, "spanStartTimeShift": "-1m", "spanEndTimeShift": "1m"}
    return {"tracesToLogsV2": {**logs, "tags": [{"key": "service.name", "value": "service"}]}}


def providers(boards: tuple[Dashboard, ...]) -> dict[str, Any]:
    """One provider for each folder, as a provider without sub-folders takes exactly one title."""
    folders = sorted({board.folder for board in boards})
    return {"apiVersion": 1, "providers": [_provider(folder) for folder in folders]}


def _provider(folder: str) -> dict[str, Any]:
    return {
        "name": slug(folder),
        "folder": folder,
        "type": "file",
        "disableDeletion": False,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 30,
        "options": {"path": f"{CONFIG_DIR}/boards/{slug(folder)}"},
    }


def slug(title: str) -> str:
    """A title as the name of a directory: `RAG & API` gives `rag-api`."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "general"


def environment(context: Context) -> dict[str, str]:
    """Grafana's settings; each variable is GF_<section>_<key>."""
    own, base = context.own(Settings), context.settings.base_url
    https = str(base.startswith("https://")).lower()
    return {
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_FEEDBACK_LINKS_ENABLED": "false",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_AUTH_ANONYMOUS_ENABLED": "false",
        "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": f"{CONFIG_DIR}/boards/monitoring/{INDEX}.json",
        "GF_DASHBOARDS_MIN_REFRESH_INTERVAL": own.min_refresh,
        "GF_DATAPROXY_DIAL_TIMEOUT": "10",
        "GF_DATAPROXY_TIMEOUT": f"{seconds(own.query_timeout):g}",
        "GF_LOG_MODE": "console",
        "GF_LOG_CONSOLE_FORMAT": "json",
        "GF_METRICS_ENABLED": "true",
        "GF_NEWS_NEWS_FEED_ENABLED": "false",
        "GF_PATHS_DATA": DATA_DIR,
        "GF_PATHS_PROVISIONING": CONFIG_DIR,
        "GF_PLUGINS_PREINSTALL_DISABLED": "true",  # nothing is downloaded at start
        "GF_SECURITY_ADMIN_USER": "admin",
        "GF_SECURITY_COOKIE_SAMESITE": "lax",
        "GF_SECURITY_COOKIE_SECURE": https,
        "GF_SECURITY_DISABLE_GRAVATAR": "true",
        "GF_SECURITY_STRICT_TRANSPORT_SECURITY": https,
        "GF_SERVER_ROOT_URL": f"{base}/",
        "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
        "GF_UNIFIED_ALERTING_ENABLED": "false",  # alerts are Prometheus' and Alertmanager's work
        "GF_USERS_ALLOW_ORG_CREATE": "false",
        "GF_USERS_ALLOW_SIGN_UP": "false",
        "GF_USERS_VIEWERS_CAN_EDIT": "false",
        **{variable: f"/run/secrets/{name}" for variable, name in SECRETS.items()},
    }


# -- telemetry -------------------------------------------------------------------------------------------------------


def telemetry(context: Context) -> Telemetry:
    """Grafana is scraped, is reached at the root, and draws the stack itself."""
    address = context.address(NAME, PORT)
    return Telemetry(
        scrape=(ScrapeJob(name=NAME, targets=(ScrapeTarget(address=address, labels=identity(context, NAME)),)),),
        rules=(RuleGroup(name=NAME, alerts=pack.alerts(context.system.tune)),),
        dashboards=tuple(
            build(spec, folder="Monitoring", tags=["monitoring"], where=f"dashboard {spec.uid}")
            for spec in (stack_dashboard(context), index(context))
        ),
        routes=(Route(name=NAME, prefix="/", url=f"http://{address}", protect=False),),  # it has a login of its own
    )


# -- workload --------------------------------------------------------------------------------------------------------


def secrets(context: Context) -> tuple[Secret, ...]:
    """The administrator's password, and the key that Grafana's database is encrypted with: its default is public."""
    password, key = SECRETS.values()
    return (
        Secret(name=password, purpose="the password of Grafana's user admin", generate=True),
        Secret(name=key, purpose="the key that Grafana encrypts its database with", generate=True),
    )


def workloads(context: Context) -> tuple[Workload, ...]:
    """One Grafana with its database on a volume."""
    own = context.own(Settings)
    password = next(iter(SECRETS.values()))
    reload = Reload(
        port=PORT,
        path="/api/admin/provisioning/dashboards/reload",
        basic_auth=("admin", f"/run/secrets/{password}"),
    )
    return (
        Workload(
            name=NAME,
            image=own.image,
            limits=limits(own, memory=256),
            env=environment(context),
            config=ConfigDir(
                path=CONFIG_DIR,
                files=documents(context),
                reload=reload,
                restart_on=frozenset({"datasources/datasources.yaml"}),
            ),
            secrets=tuple(SecretFile(path=f"/run/secrets/{name}", secret=name) for name in SECRETS.values()),
            ports=(published(context, NAME, PORT, default=3000),),
            volumes=(DataVolume(name="grafana-data", path=DATA_DIR, retain=context.settings.retain_data),),
            probe=HttpProbe(path="/api/health", port=PORT, start_period=90),  # the first start creates the database
        ),
    )


# -- resource --------------------------------------------------------------------------------------------------------


class Grafana(MonitoringComponent):
    """Grafana as a ComponentResource."""


Resource = Grafana
