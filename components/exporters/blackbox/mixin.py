"""Health endpoints, asked from outside by blackbox-exporter, as a client would.

Source: https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md
"""

from __future__ import annotations

from components.drawing import at, chart, none_of, stat
from components.exporters.blackbox.alerts import CERTIFICATE_DAYS, SLOW_SECONDS
from model.dashboard_spec import DashboardSpec, Panel, Row
from packs.base import build_panel, build_thresholds

ANSWERED = {"{{service}} {{instance}}": at("probe_success")}


def panels() -> tuple[Panel, ...]:
    """Which endpoints answer, how, how quickly, and how often they did."""
    took = {"{{service}} {{instance}}": at("probe_duration_seconds")}
    share = {"{{service}} {{instance}}": f"avg_over_time({at('probe_success')}[1h])"}
    status = {"{{service}} {{instance}}": at("probe_http_status_code")}
    return (
        build_panel(
            "Endpoints", ANSWERED, "short",
            "1: it answered 2xx when it was last asked. At 0 for long people are called.",
            kind="stat", width=24, height=5, thresholds=build_thresholds((1, "green")),
        ),
        chart(
            "Time to answer", took, "s",
            f"From the name to the last byte. A warning is sent when it stays above {SLOW_SECONDS:g} s.",
            thresholds=build_thresholds((SLOW_SECONDS, "red")),
        ),
        chart(
            "Status", status, "short", "HTTP status of the last answer; 0 is none at all, 503 the service's own word.",
        ),
        chart(
            "Answered within an hour", share, "percentunit",
            "Share of good answers. Below 100% somebody was turned away.",
        ),
    )  # fmt: skip


def board() -> DashboardSpec:
    """Everything about the health endpoints."""
    return DashboardSpec(
        uid="probes",
        title="Endpoints",
        description="Does everything answer when it is asked from outside, and how quickly?",
        refresh="30s",
        rows=(
            Row(title="Now", panels=_now()),
            Row(title="Answers", panels=panels()),
            Row(title="Phases", panels=_phases()),
            Row(title="Content and certificates", panels=_content(), collapsed=True),
            Row(title="The exporter", panels=_exporter(), collapsed=True),
        ),
    )


def _now() -> tuple[Panel, ...]:
    every = "every"
    share = f"avg(avg_over_time({at('probe_success')}[$__range]))"
    down = f"count({at('probe_success')} == 0){none_of(at('probe_success'))}"
    return (
        stat("Asked", f"count({at('probe_success')})", "short", "Health endpoints that are asked.", every, width=6),
        stat(
            "Without an answer", down, "short", "How many of them fail now. People are called after two minutes.",
            every, width=6, thresholds=build_thresholds((1, "red")),
        ),
        stat(
            "Slowest", f"max({at('probe_duration_seconds')})", "s", "The endpoint that takes longest.", every,
            width=6, thresholds=build_thresholds((SLOW_SECONDS, "red")),
        ),
        stat(
            "Availability", share, "percentunit", "Share of good answers in the time shown: all of them, usually.",
            every, width=6,
        ),
    )  # fmt: skip


def _phases() -> tuple[Panel, ...]:
    def phase(title: str, name: str, text: str, width: int = 8) -> Panel:
        query = at("probe_http_duration_seconds", f'phase="{name}"')
        return chart(title, {"{{service}} {{instance}}": query}, "s", text, width=width)

    every = {"{{phase}}": f"avg by (phase) ({at('probe_http_duration_seconds')})"}
    return (
        chart(
            "Mean of all endpoints",
            every,
            "s",
            "What takes the time: name, connection, TLS, work or transfer. Worry about what changed.",
        ),
        phase("Name", "resolve", "Until the name is resolved. Worry above 0.1 s: the name server is slow or far."),
        phase(
            "Connection", "connect", "Until the connection stands. Worry above 0.1 s: the network or a full backlog."
        ),
        phase("Work", "processing", "From the request to the first byte: the service and what it asks itself.", 12),
        phase("Transfer", "transfer", "From the first byte to the last. Grows with the size of the answer.", 12),
    )


def _content() -> tuple[Panel, ...]:
    ends = f"({at('probe_ssl_earliest_cert_expiry')} - time()) or 0 * {at('probe_http_ssl')}"
    size = {"{{service}} {{instance}}": at("probe_http_uncompressed_body_length")}
    redirects = {"{{service}} {{instance}}": at("probe_http_redirects")}
    return (
        chart(
            "Certificates end in", {"{{service}} {{instance}}": ends}, "s",
            f"0 where no TLS is asked for. A warning is sent below {CERTIFICATE_DAYS:g} days.",
        ),
        chart("Size of answers", size, "bytes", "A sudden change is another page, such as a proxy's own error."),
        chart("Redirects", redirects, "short", "Not followed: an endpoint that redirects is one that fails."),
    )  # fmt: skip


def _exporter() -> tuple[Panel, ...]:
    loaded = at("blackbox_exporter_config_last_reload_successful")
    unknown = f"increase({at('blackbox_module_unknown_total')}[1h])"
    return (
        stat("Configuration", loaded, "short",
        "1: it was taken. At 0 the previous one keeps working, and a warning is sent.",
             width=12, thresholds=build_thresholds((1, "green"))),
        stat("Unknown modules", unknown, "short",
        "Questions in the last hour for modules that it has not; never expected.",
             width=12, thresholds=build_thresholds((1, "red"))),
    )  # fmt: skip
