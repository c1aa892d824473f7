"""The list of components, in deployment order: one line each, and the only place that names them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, cast

from pydantic import Field, create_model

from components import (
    alertmanager,
    demo_workload,
    grafana,
    jaeger,
    loki,
    oauth2_proxy,
    prometheus,
    promtail,
    socket_proxy,
    traefik,
)
from components.base import ComponentModule
from components.exporters import blackbox, cadvisor, kube_state, kubelet, node, postgres, redis
from model.places import section_key
from model.scope import OnlyOn
from model.settings import ComponentSettings, Settings

COMPONENTS: tuple[ComponentModule, ...] = (
    socket_proxy,
    demo_workload,
    loki,
    jaeger,
    promtail,
    alertmanager,
    node,
    cadvisor,
    kubelet,
    kube_state,
    postgres,
    redis,
    blackbox,
    prometheus,
    grafana,
    oauth2_proxy,
    traefik,
)  # fmt: skip


EVERYWHERE = ("docker", "kubernetes")
"""The targets of a component that does not name its own in TARGETS."""


@cache
def settings_model() -> type[Settings]:
    """The settings of an environment with every component's section in them."""
    sections: dict[str, Any] = {
        field_name(module.NAME): (
            section_type(module),
            Field(default_factory=module.Settings, description=(module.Settings.__doc__ or "").strip()),
        )
        for module in COMPONENTS
    }
    return cast(type[Settings], create_model("StackSettings", __base__=Settings, **sections))


def section_type(module: ComponentModule) -> Any:
    """The type of a component's section, marked where only one target has that component."""
    targets = getattr(module, "TARGETS", EVERYWHERE)
    return Annotated[module.Settings, OnlyOn(targets[0])] if len(targets) == 1 else module.Settings


def sections(settings: Settings) -> Mapping[str, ComponentSettings]:
    """The component sections of settings made by `settings_model`, by component name; those that the target knows."""
    return {
        module.NAME: getattr(settings, field_name(module.NAME))
        for module in COMPONENTS
        if settings.target in getattr(module, "TARGETS", EVERYWHERE)
    }


def field_name(component: str) -> str:
    """The attribute of a component's section: `node-exporter` is `node_exporter` (nodeExporter in YAML)."""
    return component.replace("-", "_")


def key_name(component: str) -> str:
    """The YAML key of a component's section: `node-exporter` is `nodeExporter`."""
    return section_key(component)
