"""Traefik: requests by entry point, service and router, their errors and durations, its configuration.

Source: https://doc.traefik.io/traefik/observe/metrics/
"""

from __future__ import annotations

from functools import cache

from components.drawing import draw_chart, draw_stat, fill_zero_if_up, select, sum_rate, take_rate
from model.dashboard_spec import DashboardSpec, Panel, Row
from model.limits import Share
from model.telemetry import AlertRule
from packs.base import (
    BY,
    Tune,
    build_service_series,
    build_share_example,
    build_thresholds,
    format_percent,
    get_limit,
    get_min_failures,
)

ERRORS = 0.05
"""One request in twenty: from there on people notice; below it are clients that went away."""
SELF = "traefik"
OWN = f'service="{SELF}"'
NOTHING_YET = fill_zero_if_up(SELF)
BEHIND = "exported_service"
"""Traefik's own label `service`, the service behind it: the scrape target's has taken that name."""
BAD, KNOWN = 'code=~"5.."', 'code=~"[1-5].."'
"""Failures, and all answers with an HTTP status; 0 stands for clients that went away."""


# -- alerts ----------------------------------------------------------------------------------------------------------


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about what is behind Traefik; it has no metric for a configuration that it refuses (3.0 dropped it)."""
    return (alert_on_service_errors(tune),)


def alert_on_service_errors(tune: Tune) -> AlertRule:
    """Answers that the service gives, and those that Traefik gives in its place."""
    bound, few = get_limit(tune, "TraefikServiceErrors", ERRORS), get_min_failures(tune, "TraefikServiceErrors")
    name, keys = "traefik_service_requests_total", f"{BY}, {BEHIND}"
    bad, good = (
        build_service_series(SELF, name, **{BEHIND: "grafana@file", "code": code, "method": "GET"})
        for code in ("502", "200")
    )
    return AlertRule(
        name="TraefikServiceErrors",
        expr=f"sum by ({keys}) (rate({name}{{{BAD}}}[5m])) / (sum by ({keys}) (rate({name}{{{KNOWN}}}[5m])) > 0)"
        f" > {bound:g} and sum by ({keys}) (increase({name}{{{BAD}}}[1h])) >= {few}",
        for_="5m",  # a restart of the service behind it is over by then
        severity="warning",
        limit=Share(bound),
        min_failures=few,
        summary="{{ $value | humanizePercentage }} of the requests to {{ $labels.exported_service }} fail",
        description=f"More than {format_percent(bound)} of the answers have a 5xx status, at least {few} within the"
        " hour: the service behind the route is down or broken.",
        steps=(
            "Open the dashboard Traefik, row Services: 502 and 504 are Traefik's own, it cannot reach the service;"
            " 500 and"
            " 503 are the service's.",
            "Run `make verify`: is the service behind the route healthy?",
            'Read what Traefik says: `{service="traefik"} |= "error"` in Explore; set `traefik.accessLog` for each'
            " request.",
            "If the service is healthy, check that the route's address and port are those it listens on.",
        ),
        example=build_share_example(bad, good, bound),
    )


# -- panels ----------------------------------------------------------------------------------------------------------


def _build_error_share(metric: str, by: str) -> str:
    """The share of 5xx among answers with a status; none while there are no requests."""
    bad, known = sum_rate(by, metric, BAD), sum_rate(by, metric, KNOWN)
    return f"({bad} or 0 * {known}) / ({known} > 0)"


def _build_quantile(q: float, metric: str, by: str = "") -> str:
    """A quantile of a histogram, in seconds; 0 before the first request."""
    keys = f"le, {by}" if by else "le"
    return f"histogram_quantile({q:g}, {sum_rate(keys, f'{metric}_bucket')}){fill_zero_if_up(SELF, by)}"


@cache
def panels() -> tuple[Panel, ...]:
    """All requests: how many, how many fail, how long they take, and who is connected."""
    durations = {
        f"p{q * 100:g}": _build_quantile(q, "traefik_entrypoint_request_duration_seconds") for q in (0.5, 0.95, 0.99)
    }
    opened = {"{{entrypoint}} {{protocol}}": select("traefik_open_connections")}
    status = sum_rate("code", "traefik_entrypoint_requests_total") + fill_zero_if_up(SELF, "code")
    failing = {"{{entrypoint}}": _build_error_share("traefik_entrypoint_requests_total", "entrypoint")}
    return (
        draw_chart(
            "Traefik requests by status", {"{{code}}": status}, "reqps",
            "Per second, all entry points. Worry about 5xx at all, and about many 404 or 401: somebody searches.",
            width=6,
        ),
        draw_chart(
            "Traefik errors", failing, "percentunit",
            f"Share of 5xx answers. A warning is sent for a service that stays above {format_percent(ERRORS)}.",
            width=6, thresholds=build_thresholds((ERRORS, "red")),
        ),
        draw_chart(
            "Traefik request duration", durations, "s",
            "Of 100 requests 50, 95 and 99 are quicker. Long ones are often live connections of pages.", width=6,
        ),
        draw_chart(
            "Traefik open connections", opened, "short", "Worry when it only grows: clients or services hang.", width=6,
        ),
    )  # fmt: skip


@cache
def board(certificates: tuple[Panel, ...] = ()) -> DashboardSpec:
    """Everything about the proxy; with panels about its `certificates`, where it has some."""
    return DashboardSpec(
        uid="traefik",
        title="Traefik",
        description="What comes in, where does it go, and does it get an answer?",
        refresh="30s",
        rows=(
            Row(title="Now", panels=_build_overview_panels()),
            *([Row(title="Certificates", panels=certificates)] if certificates else ()),
            Row(title="All requests", panels=panels()),
            Row(title="Services", panels=_build_service_panels()),
            Row(title="Entry points and routers", panels=_build_entrypoint_panels(), collapsed=True),
            Row(title="Traefik itself", panels=_build_process_panels(), collapsed=True),
        ),
    )


def _build_overview_panels() -> tuple[Panel, ...]:
    every = "every"
    requests = f"sum({take_rate('traefik_entrypoint_requests_total')}){NOTHING_YET}"
    bad = f"sum(increase({select('traefik_service_requests_total', BAD)}[1h])){NOTHING_YET}"
    changed = f"time() - max({select('traefik_config_last_reload_success')})"
    return (
        draw_stat("Requests", requests, "reqps", "Per second, all entry points together.", every, width=6),
        draw_stat(
            "Failed within an hour", bad, "short", "Requests to services behind it that got a 5xx answer.", every,
            width=6, thresholds=build_thresholds((1, "red")),
        ),
        draw_stat(
            "Open connections", f"sum({select('traefik_open_connections')})", "short", "Of all entry points.", every,
            width=6,
        ),
        draw_stat(
            "Configuration taken", changed, "s",
            "How long ago. Worry when it is longer ago than your last change: that one was refused.", every, width=6,
        ),
    )  # fmt: skip


def _build_service_panels() -> tuple[Panel, ...]:
    legend = f"{{{{{BEHIND}}}}}"
    requests = sum_rate(BEHIND, "traefik_service_requests_total") + fill_zero_if_up(SELF, BEHIND)
    durations = _build_quantile(0.95, "traefik_service_request_duration_seconds", BEHIND)
    codes = sum_rate(f"{BEHIND}, code", "traefik_service_requests_total", BAD) + fill_zero_if_up(SELF, BEHIND)
    return (
        draw_chart("Requests by service", {legend: requests}, "reqps",
        "Per second. A fall to zero: its route leads nowhere.",
              width=6),
        draw_chart(
            "Errors by service", {legend: _build_error_share("traefik_service_requests_total", BEHIND)}, "percentunit",
            f"Share of 5xx answers. A warning is sent when it stays above {format_percent(ERRORS)}.",
            width=6, thresholds=build_thresholds((ERRORS, "red")),
        ),
        draw_chart(
            "Failures by status", {legend + " {{code}}": codes}, "reqps",
            "502 and 504: Traefik cannot reach the service. 500 and 503: the service says so itself.", width=6,
        ),
        draw_chart("p95 by service", {legend: durations}, "s",
        "95 of 100 requests are quicker. One that rises alone is slow itself.",
              width=6),
    )  # fmt: skip


def _build_entrypoint_panels() -> tuple[Panel, ...]:
    router = f"topk(10, {sum_rate('router', 'traefik_router_requests_total')}){fill_zero_if_up(SELF, 'router')}"
    methods = sum_rate("method", "traefik_entrypoint_requests_total") + fill_zero_if_up(SELF, "method")
    moved = {
        f"{{{{entrypoint}}}} {way}": sum_rate("entrypoint", f"traefik_entrypoint_{metric}_bytes_total")
        + fill_zero_if_up(SELF, "entrypoint")
        for way, metric in (("received", "requests"), ("sent", "responses"))
    }
    return (
        draw_chart(
            "Requests by router",
            {"{{router}}": router},
            "reqps",
            "The ten busiest. A router that nobody uses is missing.",
        ),
        draw_chart("Requests by method", {"{{method}}": methods}, "reqps", "Unusual ones are scanners."),
        draw_chart(
            "Traffic",
            moved,
            "Bps",
            "Bytes per second, bodies only. Much sent for few requests: large files, or live data.",
        ),
    )


def _build_process_panels() -> tuple[Panel, ...]:
    reloads = {"reloads": f"increase({select('traefik_config_reloads_total')}[1h])"}
    cores = {"cores": take_rate("process_cpu_seconds_total", OWN)}
    memory = {"resident": select("process_resident_memory_bytes", OWN)}
    return (
        draw_chart("Reloads", reloads, "short", "Configurations taken within an hour; each change of a route is one."),
        draw_chart("CPU", cores, "short", "Cores in use by Traefik itself. Worry near the limit of its container."),
        draw_chart("Memory", memory, "bytes", "Of Traefik itself. Steady growth with the same connections is a leak."),
    )
