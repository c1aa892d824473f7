"""The registry is the one list of components, and the settings follow from it."""

from __future__ import annotations

import inspect

import pytest

from components.base import MonitoringComponent
from components.registry import COMPONENTS, EVERYWHERE, field_name, key_name, sections, settings_model
from model.load import parse
from model.settings import ComponentSettings, Settings


@pytest.mark.parametrize("module", COMPONENTS, ids=lambda module: module.NAME)
def test_every_component_fulfils_the_protocol(module: object) -> None:
    """A listed module has a name, settings, three functions and a resource class of its own."""
    assert isinstance(getattr(module, "NAME"), str)  # noqa: B009 - the module is an object here
    assert issubclass(getattr(module, "Settings"), ComponentSettings)  # noqa: B009
    assert issubclass(getattr(module, "Resource"), MonitoringComponent)  # noqa: B009
    for function in ("secrets", "telemetry", "workloads"):
        assert list(inspect.signature(getattr(module, function)).parameters) == ["context"]


def test_names_are_unique() -> None:
    """Two components never share a name, nor a settings section or resource type."""
    for attribute in ("NAME", "Settings", "Resource"):
        values = [getattr(module, attribute) for module in COMPONENTS]
        assert len(set(values)) == len(values)


def test_settings_have_a_section_for_each() -> None:
    """Each component's section has its type, its defaults and a description."""
    model = settings_model()
    for target in EVERYWHERE:
        settings = parse(model, {"system": "shop", "target": target}, "x")
        known = [module for module in COMPONENTS if target in getattr(module, "TARGETS", EVERYWHERE)]
        assert list(sections(settings)) == [module.NAME for module in known]
        for module in known:
            assert type(sections(settings)[module.NAME]) is module.Settings
    assert all(model.model_fields[field_name(module.NAME)].description for module in COMPONENTS)


def test_sections_do_not_hide_shared_settings() -> None:
    """No component is called like a setting that all share."""
    assert not {field_name(module.NAME) for module in COMPONENTS} & set(Settings.model_fields)


def test_names_become_keys() -> None:
    """A name with a dash is camelCase in YAML and has an underscore in Python."""
    assert field_name("node-exporter") == "node_exporter"
    assert key_name("node-exporter") == "nodeExporter"


def test_every_component_setting_is_described() -> None:
    """Editors and error messages show a description for each key."""
    for module in COMPONENTS:
        fields = module.Settings.model_fields
        assert not [name for name, field in fields.items() if not field.description], module.NAME
