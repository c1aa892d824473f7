"""The registry is the one list of components, and the settings follow from it."""

from __future__ import annotations

from typing import Any

import pytest

from model.component import Component
from model.descriptions import list_descriptions
from model.errors import ConfigError
from model.load import parse_model
from model.places import derive_section_key
from model.scope import TARGETS
from model.settings import ComponentSettings, Settings
from packs.catalogue import TITLES
from stack import registry
from stack.registry import COMPONENTS, build_settings_model, derive_field_name, list_sections

TOKENS = {
    "socket-proxy": "SocketProxy",
    "demo-workload": "DemoWorkload",
    "loki": "Loki",
    "jaeger": "Jaeger",
    "promtail": "Promtail",
    "collector": "Collector",
    "alertmanager": "Alertmanager",
    "node-exporter": "NodeExporter",
    "cadvisor": "Cadvisor",
    "kubelet": "Kubelet",
    "kube-state-metrics": "KubeState",
    "postgres-exporter": "PostgresExporter",
    "redis-exporter": "RedisExporter",
    "blackbox-exporter": "BlackboxExporter",
    "prometheus": "Prometheus",
    "grafana": "Grafana",
    "otel": "OpenTelemetryGateway",
    "mcp": "McpServer",
    "oauth2-proxy": "OAuth2Proxy",
    "traefik": "Traefik",
    "backup": "Backup",
}
"""The last part of each component's resource type. A stack that is deployed has it in the URN of every resource."""


def test_resource_types_stay() -> None:
    """The class of a component is called as its resources are in stacks that are deployed: else all are replaced."""
    assert {component.name: type(component).__name__ for component in COMPONENTS} == TOKENS


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.name)
def test_every_component_has_a_section_of_its_own(component: Component[Any]) -> None:
    """A listed component has a name, and settings that no other one has."""
    assert issubclass(component.settings, ComponentSettings) and component.settings is not ComponentSettings
    assert [other.name for other in COMPONENTS if other.settings is component.settings] == [component.name]
    assert [other.name for other in COMPONENTS].count(component.name) == 1


def test_settings_have_a_section_for_each() -> None:
    """Each component's section has its type, its defaults and a description."""
    model = build_settings_model()
    for target in TARGETS:
        settings = parse_model(model, {"system": "shop", "target": target}, "x")
        known = [component for component in COMPONENTS if target in component.targets]
        assert list(list_sections(settings)) == [component.name for component in known]
        for component in known:
            assert type(list_sections(settings)[component.name]) is component.settings
    assert all(model.model_fields[derive_field_name(component.name)].description for component in COMPONENTS)


def test_sections_do_not_hide_shared_settings() -> None:
    """No component is called like a setting that all share."""
    assert not {derive_field_name(component.name) for component in COMPONENTS} & set(Settings.model_fields)


def test_names_become_keys() -> None:
    """A name with a dash is camelCase in YAML and has an underscore in Python."""
    assert derive_field_name("node-exporter") == "node_exporter"
    assert derive_section_key("node-exporter") == "nodeExporter"


def test_every_component_setting_is_described() -> None:
    """Editors and error messages show a description for each key."""
    for component in COMPONENTS:
        said = list_descriptions(component.settings)
        assert not [name for name, text in said.items() if not text], component.name


def test_packs_and_rows_that_there_are_can_be_named() -> None:
    """Those of packs/ and of components, and no others; the nearest one is named."""
    shop = {"name": "shop", "title": "Shop", "services": {"api": {"port": 1, "packs": ["go"]}}}
    rows = [{"pack": name} for name in (*TITLES, *registry.list_system_rows())]
    board = {"uid": "a", "title": "A", "rows": rows}
    model = registry.build_system_model()
    parsed = parse_model(model, {**shop, "dashboards": [board]}, "shop")
    assert [row.pack for row in parsed.dashboards[0].rows] == [row["pack"] for row in rows]
    services = {"api": {"port": 1, "packs": ["og"]}}
    wrong = {**shop, "services": services, "dashboards": [{**board, "rows": [{"pack": "hots"}]}]}
    with pytest.raises(ConfigError) as caught:
        parse_model(model, wrong, "shop")
    said = " ".join(map(str, caught.value.problems))
    assert "services.api.packs[0]" in said and "dashboards[0].rows[0].pack" in said and "did you mean 'host'" in said
