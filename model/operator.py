"""An existing Prometheus Operator as settings: how it finds objects, and where what it runs is reached.

Source: https://prometheus-operator.dev/docs/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from model.addresses import HttpUrl
from model.base import DnsLabel, Strict

Url = Annotated[HttpUrl, Field(examples=["http://prometheus-operated.monitoring.svc:9090"])]
GROUP = "monitoring.coreos.com"
"""The API group of everything that the operator reads."""


class Operator(Strict):
    """An existing Prometheus Operator, and the Prometheus and Alertmanager that it runs."""

    namespace: DnsLabel = "monitoring"
    """Namespace of its Prometheus and Alertmanager; the stack's pods let connections from there in."""
    labels: Mapping[str, str] = Field(default_factory=lambda: {"release": "kube-prometheus-stack"})
    """Labels by which its Prometheus and Alertmanager select objects."""
    prometheus_url: Url | None = None
    """Where its Prometheus answers; http://prometheus-operated.<namespace>.svc:9090 when absent."""
    alertmanager_url: Url | None = None
    """Where its Alertmanager answers; http://alertmanager-operated.<namespace>.svc:9093 when absent."""
    matcher: Literal["namespace", "none"] = "namespace"
    """The Alertmanager's alertmanagerConfigMatcherStrategy: whether it routes only alerts with our namespace to us."""
    dashboard_labels: Mapping[str, str] = Field(default_factory=lambda: {"grafana_dashboard": "1"})
    """Labels by which its Grafana finds ConfigMaps with dashboards."""
    folder_annotation: Annotated[str, Field(min_length=1)] = "grafana_folder"
    """Annotation that names the folder of a dashboard."""
    kubelet_namespace: DnsLabel = "kube-system"
    """Namespace of the Service that the operator keeps for the kubelets (its option --kubelet-service)."""

    service_discovery_role: Literal["Endpoints", "EndpointSlice"] | None = None
    """By which objects its Prometheus finds what a ServiceMonitor selects (0.86 or later); as it is set when absent."""

    @property
    def prometheus(self) -> str:
        """Address of its Prometheus, without a slash at the end."""
        return (self.prometheus_url or f"http://prometheus-operated.{self.namespace}.svc:9090").rstrip("/")

    @property
    def alertmanager(self) -> str:
        """Address of its Alertmanager, without a slash at the end."""
        return (self.alertmanager_url or f"http://alertmanager-operated.{self.namespace}.svc:9093").rstrip("/")
