"""Grafana's documents: data sources and dashboards, provisioned from files, and its environment.

Formats: https://grafana.com/docs/grafana/latest/administration/provisioning/ and, for the environment,
.../setup-grafana/configure-grafana/.
"""

from __future__ import annotations

import re
from typing import Any

from components.documents import render_yaml as dump_yaml
from components.grafana.dashboards import INDEX
from components.grafana.datasources import build_datasources
from components.grafana.settings import CONFIG_DIR, DATA_DIR, DATABASE_CA, DATABASE_PASSWORD, SECRETS, Settings
from model.base import parse_duration
from model.component import Planned, Planning
from model.dashboard import render_dashboard
from model.telemetry import (
    TRACES,
    Dashboard,
    Datasource,
)


def render_documents(own: Settings, context: Planned) -> dict[str, str]:
    """Every file of the provisioning directory, by its relative path."""
    boards = context.telemetry.dashboards
    files = {
        "datasources/datasources.yaml": dump_yaml(build_datasources(list_datasources(own, context))),
        "dashboards/dashboards.yaml": dump_yaml(build_providers(boards)),
    }
    database = own.database
    if database and database.ca_certificate:
        files[DATABASE_CA] = database.ca_certificate
    return files | {f"boards/{build_slug(board.folder)}/{board.uid}.json": render_dashboard(board) for board in boards}


def list_datasources(own: Settings, context: Planned) -> tuple[Datasource, ...]:
    """Everyone's data sources; a tracing backend that the settings name takes the place of the stack's own."""
    named = list_tracing_datasources(own)
    replaced = {source.uid for source in named}
    return (*(source for source in context.telemetry.datasources if source.uid not in replaced), *named)


def list_tracing_datasources(own: Settings) -> tuple[Datasource, ...]:
    """The data source of the tracing backend that the settings name."""
    if own.tracing is None:
        return ()
    return (Datasource(uid=TRACES, name="Traces", kind=own.tracing.kind, url=own.tracing.url),)


def build_providers(boards: tuple[Dashboard, ...]) -> dict[str, Any]:
    """One provider for each folder, as a provider without sub-folders takes exactly one title."""
    folders = sorted({board.folder for board in boards})
    return {"apiVersion": 1, "providers": [_build_provider(folder) for folder in folders]}


def _build_provider(folder: str) -> dict[str, Any]:
    return {
        "name": build_slug(folder),
        "folder": folder,
        "type": "file",
        "disableDeletion": False,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 30,
        "options": {"path": f"{CONFIG_DIR}/boards/{build_slug(folder)}"},
    }


def build_slug(title: str) -> str:
    """A title as the name of a directory: `RAG & API` gives `rag-api`."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "general"


def build_environment(own: Settings, context: Planning) -> dict[str, str]:
    """Grafana's settings; each variable is GF_<section>_<key>."""
    base = context.settings.base_url
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
        "GF_DATAPROXY_TIMEOUT": f"{parse_duration(own.query_timeout):g}",
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
        **(own.database.build_environment(f"{CONFIG_DIR}/{DATABASE_CA}") if own.database else {}),
        **(own.oauth.build_environment() if own.oauth else {}),
        # Grafana reads the files itself; with NAME__FILE its image would put what is in them into the environment
        **{variable: f"$__file{{/run/secrets/{name}}}" for variable, name in list_secret_variables(own).items()},
    }


def list_secret_variables(own: Settings) -> dict[str, str]:
    """The secrets that these settings call for, by variable, as in SECRETS."""
    oauth = {"GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET": own.oauth.client_secret} if own.oauth else {}
    return SECRETS | oauth | ({"GF_DATABASE_PASSWORD": DATABASE_PASSWORD} if own.database else {})
