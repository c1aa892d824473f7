"""Panels about the nodes of a cluster, their kubelets' certificates, and what is known of the cluster at all."""

from __future__ import annotations

from components.drawing import RED_ABOVE_ZERO, draw_chart, fill_zero_if, fill_zero_if_up, select
from components.exporters.kube_state.alerts import ALIVE, SELF
from components.exporters.kube_state.node_alerts import (
    CLIENT_SECONDS,
    FAILED_SHARE,
    KUBELET,
    PRESSURE,
    READY,
    SERVER_SECONDS,
)
from model.base import DAY
from model.dashboard_spec import Panel
from packs.base import build_thresholds, format_percent


def build_node_panels() -> tuple[Panel, ...]:
    """Room on the nodes, their state, and whether both will be known tomorrow."""
    return (
        draw_chart(
            "CPU by node", _build_room("cpu"), "short",
            "Cores that pods can have, and those that they asked for. Where the two meet no pod is started any more.",
        ),
        draw_chart(
            "Memory by node", _build_room("memory"), "bytes",
            "What pods can have, and what they asked for. Where the two meet no pod is started any more.",
        ),
        _build_state_panel(),
        *_build_certificate_panels(),
        _build_reading_panel(),
    )  # fmt: skip


def _build_room(resource: str) -> dict[str, str]:
    which = f'resource="{resource}"'
    living = f"and on(namespace, pod) {select('kube_pod_status_phase', ALIVE)} == 1"  # what is done takes no room
    return {
        "{{node}} allocatable": f"sum by (node) ({select('kube_node_status_allocatable', which)})",
        "{{node}} requested": f"sum by (node) ({select('kube_pod_container_resource_requests', which)} {living})",
    }


def _build_state_panel() -> Panel:
    ready = select("kube_node_status_condition", READY)
    sick = {
        "{{node}} not ready": f"1 - {ready} > 0",
        "{{node}} {{condition}}": f"{select('kube_node_status_condition', PRESSURE)} == 1",
        "{{node}} cordoned": f"{select('kube_node_spec_unschedulable')} == 1",
    }
    return draw_chart(
        "Nodes that are not well", {legend: query + fill_zero_if(ready, "node") for legend, query in sick.items()},
        "short", "None is good. People are called for a node that is not ready for 15 minutes; a warning is sent for"
        " one that lacks memory, disk, process numbers or its network for 5 minutes, and for one that has been cordoned"
        " for a day.",
        thresholds=build_thresholds((1, "yellow")),
    )  # fmt: skip


def _build_certificate_panels() -> tuple[Panel, ...]:
    left = {
        f"{{{{node}}}} {kind}": select(f"kubelet_certificate_manager_{kind}_ttl_seconds")
        for kind in ("client", "server")
    }
    errors = {
        "client": "kubelet_certificate_manager_client_expiration_renew_errors",
        "server": "kubelet_server_expiration_renew_errors",
    }
    failed = {
        f"{{{{node}}}} {kind}": f"increase({select(metric)}[30m]) > 0{fill_zero_if_up(KUBELET, 'node')}"
        for kind, metric in errors.items()
    }
    return (
        draw_chart(
            "Certificates of kubelets end in", left, "s",
            f"People are called below {CLIENT_SECONDS / DAY:g} days for a client certificate; a warning is sent below"
            f" {SERVER_SECONDS / DAY:g} days for a server's. No line for those that a kubelet does not renew itself.",
            thresholds=build_thresholds((CLIENT_SECONDS, "yellow"), (SERVER_SECONDS, "green")),
        ),
        draw_chart(
            "Renewals of certificates that fail", failed, "short",
            "Within 30 minutes, by node. None is good; a warning is sent when they go on for 15 minutes.",
            thresholds=RED_ABOVE_ZERO,
        ),
    )  # fmt: skip


def _build_reading_panel() -> Panel:
    def build_failed_share(what: str) -> str:
        metric = f"kube_state_metrics_{what}_total"
        failed, every = (
            f"sum by (resource) (rate({select(metric, *matchers)}[15m]))" for matchers in (('result="error"',), ())
        )
        return f"({failed} or 0 * {every}) / ({every} > 0){fill_zero_if_up(SELF, 'resource')}"

    shares = {f"{what} {{{{resource}}}}": build_failed_share(what) for what in ("list", "watch")}
    return draw_chart(
        "Reads of kube-state-metrics that fail", shares, "percentunit",
        "Share of its requests to the API server within 15 minutes, by kind of object. People are called when it stays"
        f" above {format_percent(FAILED_SHARE)}: what this dashboard shows of these objects is old or missing then.",
        thresholds=build_thresholds((FAILED_SHARE, "red")),
    )  # fmt: skip
