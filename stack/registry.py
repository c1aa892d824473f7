"""The list of components, in deployment order: one line each, and the only place that names them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import BaseModel, Field, create_model

from components.alertmanager.component import Alertmanager
from components.backup.component import Backup
from components.collector.component import Collector
from components.demo_workload import DemoWorkload
from components.exporters.blackbox.component import BlackboxExporter
from components.exporters.cadvisor import Cadvisor
from components.exporters.kube_state.component import KubeState
from components.exporters.kubelet import Kubelet
from components.exporters.node.component import NodeExporter
from components.exporters.postgres.component import PostgresExporter
from components.exporters.redis.component import RedisExporter
from components.grafana.component import Grafana
from components.jaeger.component import Jaeger
from components.loki.component import Loki
from components.mcp.component import McpServer
from components.oauth2_proxy import OAuth2Proxy
from components.otel.component import OpenTelemetryGateway
from components.prometheus.component import Prometheus
from components.promtail.component import Promtail
from components.socket_proxy import SocketProxy
from components.traefik.component import Traefik
from model.base import ServiceKey
from model.component import Component, Contributor, SystemRow
from model.dashboard_spec import DashboardSpec, Row
from model.scope import OnlyOn
from model.service import Service
from model.settings import AGENTS, ComponentSettings, Settings
from model.system import System
from packs.catalogue import PACKS, TITLES
from packs.system import SystemContributor

Model = TypeVar("Model", bound=BaseModel)

COMPONENTS: tuple[Component[Any], ...] = (
    SocketProxy(),
    DemoWorkload(),
    Loki(),
    Jaeger(),
    OpenTelemetryGateway(),
    Promtail(),
    Collector(),
    Alertmanager(),
    NodeExporter(),
    Cadvisor(),
    Kubelet(),
    KubeState(),
    PostgresExporter(),
    RedisExporter(),
    BlackboxExporter(),
    Prometheus(),
    Grafana(),
    McpServer(),
    OAuth2Proxy(),
    Traefik(),
    Backup(),
)  # fmt: skip


CONTRIBUTORS: tuple[Contributor, ...] = (SystemContributor(),)
"""Who else contributes to the monitoring, after all components."""


@cache
def build_settings_model() -> type[Settings]:
    """The settings of an environment with every component's section in them."""
    for component in COMPONENTS:
        component.settings.model_rebuild()  # for its defaults and as a part of the whole: else each is built twice
    sections: dict[str, Any] = {
        derive_field_name(component.name): (
            build_section_type(component),
            Field(default_factory=component.settings, description=(component.settings.__doc__ or "").strip()),
        )
        for component in COMPONENTS
    }
    return cast(type[Settings], create_model("StackSettings", __base__=Settings, **sections))


@cache
def build_system_model() -> type[System]:
    """A system's file in which the packs and rows that there are can be named, and no others."""
    packs, rows = Literal[tuple(PACKS)], Literal[(*TITLES, *list_system_rows())]
    service = _narrow_field(Service, "packs", tuple[packs, ...])  # type: ignore[valid-type]
    row = _narrow_field(Row, "pack", rows | None)
    board = _narrow_field(DashboardSpec, "rows", tuple[row, ...])  # type: ignore[valid-type]
    system = _narrow_field(System, "services", Mapping[ServiceKey, service])  # type: ignore[valid-type]
    return _narrow_field(system, "dashboards", tuple[board, ...])  # type: ignore[valid-type]


def _narrow_field(model: type[Model], field: str, kind: Any) -> type[Model]:
    """A model whose field has a type of its own; names and descriptions stay, as they stand in the JSON Schema."""
    changed: dict[str, Any] = {field: (kind, model.model_fields[field])}
    return create_model(model.__name__, __base__=model, __doc__=model.__doc__, **changed)


def build_section_type(component: Component[Any]) -> Any:
    """The type of a component's section, marked where only one target has that component."""
    targets = component.targets
    return Annotated[component.settings, OnlyOn(targets[0])] if len(targets) == 1 else component.settings


def list_sections(settings: Settings) -> Mapping[str, ComponentSettings]:
    """The sections of settings made by `build_settings_model`, by component name; those that the target knows.

    Of the agents that read lines all but the chosen one are off.
    """
    return {
        component.name: _switch_agent(component.name, settings, getattr(settings, derive_field_name(component.name)))
        for component in COMPONENTS
        if settings.target in component.targets
    }


def _switch_agent(name: str, settings: Settings, section: ComponentSettings) -> ComponentSettings:
    if name not in AGENTS or name == settings.logs.agent:
        return section
    # nobody said so in the section itself, which is what is looked at where somebody should
    return section.model_construct(
        _fields_set=section.model_fields_set - {"enabled"}, **{**dict(section), "enabled": False}
    )


def derive_field_name(component: str) -> str:
    """The attribute of a component's section: `node-exporter` is `node_exporter` (nodeExporter in YAML)."""
    return component.replace("-", "_")


def list_system_rows() -> Mapping[str, SystemRow]:
    """The rows that components bring to a system's dashboards, by name; those of one name are the same."""
    return {row.name: row for component in COMPONENTS for row in component.system_rows}
