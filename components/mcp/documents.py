"""The document that the server serves from; its format is that of images/mcp/mcp_server/document.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from components.mcp.queries import RECORDED, build_queries
from components.mcp.settings import NAME, PREFIX, Settings, derive_token_name
from model.addresses import is_loopback
from model.base import parse_duration, parse_size
from model.capacity import estimate_capacity
from model.component import Planned, Planning
from model.telemetry import AlertRule
from model.templates import fill_templates
from model.workload import SECRETS_DIR

KINDS = ("prometheus", "loki", "jaeger")
"""Data sources that the server can ask."""
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def render_document(own: Settings, context: Planned) -> str:
    """The document as JSON, one line for each value, so that a change is seen as what it is."""
    return json.dumps(build_document(own, context), indent=1, ensure_ascii=False) + "\n"


def build_document(own: Settings, context: Planned) -> dict[str, Any]:
    """Everything that is served, and to whom; no value is a secret."""
    system = context.system
    return {
        "stack": context.stack,
        "environment": context.settings.environment,
        "title": system.title,
        "resource": context.settings.base_url + PREFIX,
        "sources": find_sources(context),
        "tokens": {client: f"{SECRETS_DIR}/{derive_token_name(client)}" for client in own.clients},
        "hosts": list_hosts(context),
        "origins": list(dict.fromkeys((derive_origin(context), *own.origins))),
        "calls_per_minute": own.calls_per_minute,
        "bounds": {
            "seconds": parse_duration(own.call_timeout),
            "tokens": own.answer_tokens,
            "log_bytes": parse_size(own.log_bytes),
        },
        "recorded": RECORDED,
        "services": {
            key: {
                "title": service.title or key,
                "status_label": service.status_label,
                "path_label": service.path_label,
                "queries": build_queries(system, key),
            }
            for key, service in system.services.items()
        },
        "runbooks": build_runbooks(context),
        "capacity": build_capacity(context),
    }


def find_sources(context: Planned) -> dict[str, str]:
    """The address of the first data source of each kind that the server can ask."""
    sources: dict[str, str] = {}
    for source in context.telemetry.datasources:
        if source.kind in KINDS:
            sources.setdefault(source.kind, source.url)
    return sources


def list_hosts(context: Planning) -> list[str]:
    """Names by which clients reach the server: that of the base URL, and loopback's where something is opened there."""
    settings = context.settings
    hosts = [settings.host, f"{settings.host}:{settings.port}"]
    published = context.sections[NAME].port or context.system.ports.get(NAME)
    if is_loopback(settings.host.strip("[]")) or published:
        hosts += [name + port for name in LOOPBACK for port in ("", ":*")]
    return list(dict.fromkeys(host.lower() for host in hosts))


def derive_origin(context: Planning) -> str:
    """The origin of the stack's own pages: https://www.rfc-editor.org/rfc/rfc6454#section-6.2."""
    scheme = context.settings.base_url.partition("://")[0]
    return f"{scheme}://{context.settings.authority}".lower()


def build_runbooks(context: Planned) -> dict[str, dict[str, Any]]:
    """What each alert means and what to look at, by its name; of alerts of one name those of the first."""
    runbooks: dict[str, dict[str, Any]] = {}
    for group in context.telemetry.rules:
        for alert in group.alerts:
            runbooks.setdefault(alert.name, build_runbook(alert))
    return dict(sorted(runbooks.items()))


def build_runbook(alert: AlertRule) -> dict[str, Any]:
    """The runbook of an alert, with names of labels for Prometheus' templates."""
    url = alert.annotations.get("runbook_url")
    return {
        "severity": alert.severity,
        "description": fill_templates(alert.description),
        "steps": [fill_templates(step) for step in alert.steps],
        **({"url": url} if url else {}),
    }


def build_capacity(context: Planned) -> Mapping[str, float]:
    """What the stack is expected to take, where that follows from the system and not from retention."""
    expected = estimate_capacity(
        context.system,
        context.telemetry,
        context.settings.kubernetes,
        scrape_interval=context.settings.scrape_interval,
        metric_retention="1d",
        log_retention="1d",
    )
    return {
        "series": float(expected.series),
        "samples_per_second": round(expected.samples_per_second, 1),
        "targets": float(expected.targets),
        "log_bytes_per_day": float(expected.log_bytes_a_day),
        "prometheus_memory_bytes": float(expected.prometheus_memory),
        "loki_memory_bytes": float(expected.loki_memory),
    }
