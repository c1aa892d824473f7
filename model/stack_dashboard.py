"""The stack's own dashboard: is the monitoring itself well, and what does it cost?"""

from __future__ import annotations

from typing import Any, Literal

from model.plan import Context
from model.system import DashboardSpec, Panel, Query, Row, Threshold

CHOSEN = '{environment=~"$environment", service=~"$service"}'


def stack_dashboard(context: Context) -> DashboardSpec:
    """The stack itself, with a row for each component that runs."""
    rows = [_row("Targets and alerts", *_targets())]
    if context.enabled("prometheus"):
        rows.append(_row("Prometheus", *_metrics_store()))
    if context.enabled("loki"):
        rows.append(_row("Loki", *_log_store()))
    if context.enabled("cadvisor"):
        rows.append(_row("Containers", *_containers()))
    if context.enabled("node-exporter"):
        rows.append(_row("Host", *_host()))
    if context.enabled("traefik"):
        rows.append(_row("Traefik", *_proxy()))
    return DashboardSpec(
        uid="monitoring-stack",
        title="Monitoring Stack",
        description="Is the monitoring itself well: what is scraped, what is stored, what does it cost?",
        refresh="30s",
        rows=tuple(rows),
    )


def _row(title: str, *panels: Panel) -> Row:
    return Row(title=title, panels=panels)


def _panel(title: str, queries: dict[str, str], unit: str, description: str, **more: Any) -> Panel:
    """A panel of queries by legend."""
    asked = tuple(Query(expr=expr, legend=legend) for legend, expr in queries.items())
    return Panel(title=title, queries=asked, unit=unit, description=description, **more)


def _limits(*steps: tuple[float, Literal["green", "yellow", "red"]]) -> tuple[Threshold, ...]:
    return tuple(Threshold(value=value, colour=colour) for value, colour in steps)


def _targets() -> tuple[Panel, ...]:
    up = {"{{service}} {{instance}}": f"up{CHOSEN}"}
    firing = {"{{alertname}}": 'sum by (alertname) (ALERTS{alertstate="firing"})'}
    lasts = {"{{service}}": f"max by (service) (scrape_duration_seconds{CHOSEN})"}
    samples = {"{{service}}": f"sum by (service) (scrape_samples_scraped{CHOSEN})"}
    good = _limits((1, "green"))
    return (
        _panel("Targets up", up, "short", "1: the last scrape was answered.", kind="stat", width=24, thresholds=good),
        _panel("Alerts firing", firing, "short", "Watchdog always fires: it shows that alerting works.", width=8),
        _panel("Scrape duration", lasts, "s", "Near the time-out of a scrape its samples get lost.", width=8),
        _panel("Samples per scrape", samples, "short", "A step upwards is a new label with many values.", width=8),
    )


def _metrics_store() -> tuple[Panel, ...]:
    ingested = {"samples": "sum(rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))"}
    series = {"series": "sum(prometheus_tsdb_head_series)"}
    slow = {"{{rule_group}}": "max by (rule_group) (prometheus_rule_group_last_duration_seconds)"}
    return (
        _panel("Samples per second", ingested, "short", "What Prometheus stores.", width=8),
        _panel("Series in memory", series, "short", "Memory grows with it: about 4 KiB for each.", width=8),
        _panel("Duration of rule groups", slow, "s", "Must stay below the evaluation interval.", width=8),
    )


def _log_store() -> tuple[Panel, ...]:
    received = {"bytes": "sum(rate(loki_distributor_bytes_received_total[$__rate_interval]))"}
    lines = {"lines": "sum(rate(loki_distributor_lines_received_total[$__rate_interval]))"}
    streams = {"streams": "sum(loki_ingester_memory_streams)"}
    return (
        _panel("Log bytes received", received, "Bps", "Beyond Loki's ingestion rate lines are refused.", width=8),
        _panel("Log lines received", lines, "cps", "What Promtail sends.", width=8),
        _panel("Streams in memory", streams, "short", "One for each set of labels; labels of few values.", width=8),
    )


def _containers() -> tuple[Panel, ...]:
    memory = {"{{name}}": 'sum by (name) (container_memory_working_set_bytes{name!=""})'}
    cores = {"{{name}}": 'sum by (name) (rate(container_cpu_usage_seconds_total{name!=""}[$__rate_interval]))'}
    return (
        _panel("Memory of containers", memory, "bytes", "At its limit a container is killed and restarted."),
        _panel("CPU of containers", cores, "short", "Cores used."),
    )


def _host() -> tuple[Panel, ...]:
    idle = 'sum by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))'
    cpu = {"{{instance}}": f'1 - {idle} / count by (instance) (node_cpu_seconds_total{{mode="idle"}})'}
    memory = {"{{instance}}": "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"}
    real = '{fstype!~"tmpfs|ramfs|squashfs"}'
    disk = {
        "{{mountpoint}}": "max by (mountpoint)"
        f" (1 - node_filesystem_avail_bytes{real} / node_filesystem_size_bytes{real})"
    }
    high = _limits((0.8, "yellow"), (0.9, "red"))
    return (
        _panel("CPU of the host", cpu, "percentunit", "Share of all cores in use.", width=8, thresholds=high),
        _panel("Memory of the host", memory, "percentunit", "Share in use.", width=8, thresholds=high),
        _panel("Disks of the host", disk, "percentunit", "Share in use.", width=8, thresholds=high),
    )


def _proxy() -> tuple[Panel, ...]:
    requests = "sum by (code) (rate(traefik_entrypoint_requests_total[$__rate_interval]))"
    p95 = "sum by (le) (rate(traefik_entrypoint_request_duration_seconds_bucket[$__rate_interval]))"
    return (  # Traefik has no such series before the first request
        _panel("Requests by status", {"{{code}}": f"{requests} or on() vector(0)"}, "reqps", "All entry points."),
        _panel("Request duration", {"p95": f"histogram_quantile(0.95, {p95}) or on() vector(0)"}, "s", "p95 of all."),
    )
