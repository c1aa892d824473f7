"""Where something stands that people wrote: the beginning of every problem's text, in one form."""

from __future__ import annotations

from pydantic.alias_generators import to_camel


def locate_settings_file(stack: str) -> str:
    """The file that holds a stack's configuration, as Pulumi names it."""
    return f"Pulumi.{stack}.yaml"


def locate_system_file(system: str) -> str:
    """The file of a system, from the project's folder."""
    return f"configs/systems/{system}.yaml"


def locate_setting(stack: str, path: str) -> str:
    """A key of a stack's settings: `Pulumi.dev.yaml: docker.host`."""
    return f"{locate_settings_file(stack)}: {path}"


def locate_in_section(stack: str, component: str, path: str) -> str:
    """A key in the section of a component: `Pulumi.dev.yaml: nodeExporter.port`."""
    return locate_setting(stack, f"{derive_section_key(component)}.{path}")


def locate_in_system(system: str, path: str) -> str:
    """A key of a system's file: `configs/systems/shop.yaml: services.api.port`."""
    return f"{locate_system_file(system)}: {path}"


def derive_section_key(component: str) -> str:
    """The YAML key of a component's section: `node-exporter` is `nodeExporter`."""
    return to_camel(component.replace("-", "_"))
