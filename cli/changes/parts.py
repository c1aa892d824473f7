"""What a part of a stack is for, in words: what is missing while it is away."""

from __future__ import annotations

from collections.abc import Mapping

_AWAY: Mapping[str, str] = {
    "prometheus": "Nothing is scraped and no rule is evaluated meanwhile.",
    "alertmanager": "Nobody is notified meanwhile; Prometheus sends its alerts again afterwards.",
    "grafana": "Dashboards do not answer meanwhile.",
    "loki": "Log lines are neither stored nor searched meanwhile; Promtail sends them again.",
    "promtail": "Log lines arrive later: it goes on where it stopped.",
    "collector": "Log lines arrive later: it goes on where it stopped.",
    "collector-links": "Lines of containers that begin meanwhile arrive later.",
    "traefik": "No page of the stack is reached meanwhile.",
    "otel": "Services send again what is not taken meanwhile, as long as their SDKs do.",
    "jaeger": "Traces are neither stored nor searched meanwhile.",
    "backup": "A backup that is due meanwhile is made with the next one.",
    "mcp": "Agents get no answer meanwhile.",
    "oauth2-proxy": "Nobody signs in meanwhile.",
    "socket-proxy": "Nothing is known of containers meanwhile: their log lines arrive later.",
    "cadvisor": "What it measures has a gap.",
    "kube-state-metrics": "What it measures has a gap.",
}
"""By the beginning of a workload's name: parts of one component have longer ones."""
ROLLING = "One pod after the other: the others go on meanwhile."


def explain_absence(name: str) -> str:
    """What is missing for some seconds while a workload is replaced."""
    if "-exporter" in name:
        return "What it measures has a gap."
    known = max((key for key in _AWAY if name == key or name.startswith(f"{key}-")), key=len, default="")
    return _AWAY.get(known, "It does not answer meanwhile.")
