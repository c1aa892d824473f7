"""Health endpoints, asked from outside by blackbox-exporter, as a client would.

Source: https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md
"""

from __future__ import annotations

from functools import cache

from components.drawing import draw_chart, draw_stat, fill_zero_if, select
from components.exporters.blackbox.alerts import CERTIFICATE_DAYS, SLOW_SECONDS
from model.dashboard_spec import DashboardSpec, Panel, Row
from packs.base import build_panel, build_thresholds

ANSWERED = {"{{service}} {{instance}}": select("probe_success")}


@cache
def panels() -> tuple[Panel, ...]:
    """Which endpoints answer, how, how quickly, and how often they did."""
    durations = {"{{service}} {{instance}}": select("probe_duration_seconds")}
    share = {"{{service}} {{instance}}": f"avg_over_time({select('probe_success')}[1h])"}
    status = {"{{service}} {{instance}}": select("probe_http_status_code")}
    return (
        build_panel(
            "Endpoints", ANSWERED, "bool_yes_no",
            "Yes: it answered 2xx when it was last asked. Where it is no for long people are called.",
            kind="stat", width=24, height=5, thresholds=build_thresholds((1, "green")),
        ),
        draw_chart(
            "Time to answer", durations, "s",
            f"From the name to the last byte. A warning is sent when it stays above {SLOW_SECONDS:g} s.",
            thresholds=build_thresholds((SLOW_SECONDS, "red")),
        ),
        draw_chart(
            "Status", status, "short", "HTTP status of the last answer; 0 is none at all, 503 the service's own word.",
        ),
        draw_chart(
            "Answered within an hour", share, "percentunit",
            "Share of good answers. Below 100% somebody was turned away.",
        ),
    )  # fmt: skip


@cache
def board() -> DashboardSpec:
    """Everything about the health endpoints."""
    return DashboardSpec(
        uid="probes",
        title="Endpoints",
        description="Does everything answer when it is asked from outside, and how quickly?",
        refresh="30s",
        rows=(
            Row(title="Now", panels=_build_overview_panels()),
            Row(title="Answers", panels=panels()),
            Row(title="Phases", panels=_build_phase_panels()),
            Row(title="Content and certificates", panels=_build_content_panels(), collapsed=True),
            Row(title="The exporter", panels=_build_exporter_panels(), collapsed=True),
        ),
    )


def _build_overview_panels() -> tuple[Panel, ...]:
    every = "every"
    share = f"avg(avg_over_time({select('probe_success')}[$__range]))"
    down = f"count({select('probe_success')} == 0){fill_zero_if(select('probe_success'))}"
    return (
        draw_stat(
            "Asked", f"count({select('probe_success')})", "short", "Health endpoints that are asked.", every, width=6,
        ),
        draw_stat(
            "Without an answer", down, "short", "How many of them fail now. People are called after two minutes.",
            every, width=6, thresholds=build_thresholds((1, "red")),
        ),
        draw_stat(
            "Slowest", f"max({select('probe_duration_seconds')})", "s", "The endpoint that takes longest.", every,
            width=6, thresholds=build_thresholds((SLOW_SECONDS, "red")),
        ),
        draw_stat(
            "Availability", share, "percentunit", "Share of good answers in the time shown: all of them, usually.",
            every, width=6,
        ),
    )  # fmt: skip


def _build_phase_panels() -> tuple[Panel, ...]:
    def build_phase_panel(title: str, name: str, text: str, width: int = 8) -> Panel:
        query = select("probe_http_duration_seconds", f'phase="{name}"')
        return draw_chart(title, {"{{service}} {{instance}}": query}, "s", text, width=width)

    every = {"{{phase}}": f"avg by (phase) ({select('probe_http_duration_seconds')})"}
    return (
        draw_chart(
            "Mean of all endpoints",
            every,
            "s",
            "What takes the time: name, connection, TLS, work or transfer. Worry about what changed.",
        ),
        build_phase_panel(
            "Name", "resolve", "Until the name is resolved. Worry above 0.1 s: the name server is slow or far."
        ),
        build_phase_panel(
            "Connection", "connect", "Until the connection stands. Worry above 0.1 s: the network or a full backlog."
        ),
        build_phase_panel(
            "Work", "processing", "From the request to the first byte: the service and what it asks itself.", 12
        ),
        build_phase_panel(
            "Transfer", "transfer", "From the first byte to the last. Grows with the size of the answer.", 12
        ),
    )


def _build_content_panels() -> tuple[Panel, ...]:
    secure = f"({select('probe_ssl_earliest_cert_expiry')} - time())"
    nobody = f'label_replace(0 * count({select("probe_success")}), "service", "no endpoint has one", "", "")'
    ends = f"{secure} or on() {nobody}"
    size = {"{{service}} {{instance}}": select("probe_http_uncompressed_body_length")}
    redirects = {"{{service}} {{instance}}": select("probe_http_redirects")}
    return (
        draw_chart(
            "Certificates end in", {"{{service}} {{instance}}": ends}, "s",
            f"Of endpoints with TLS. A warning is sent below {CERTIFICATE_DAYS:g} days.",
        ),
        draw_chart("Size of answers", size, "bytes", "A sudden change is another page, such as a proxy's own error."),
        draw_chart("Redirects", redirects, "short", "Not followed: an endpoint that redirects is one that fails."),
    )  # fmt: skip


def _build_exporter_panels() -> tuple[Panel, ...]:
    loaded = select("blackbox_exporter_config_last_reload_successful")
    unknown = f"increase({select('blackbox_module_unknown_total')}[1h])"
    return (
        draw_stat("Configuration taken", loaded, "bool_yes_no",
        "Yes: it was taken. Otherwise the previous one keeps working, and a warning is sent.",
             width=12, thresholds=build_thresholds((1, "green"))),
        draw_stat("Unknown modules", unknown, "short",
        "Questions in the last hour for modules that it has not; never expected.",
             width=12, thresholds=build_thresholds((1, "red"))),
    )  # fmt: skip
