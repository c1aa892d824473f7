"""The one reader of Pulumi.<stack>.yaml: commands get its settings from here, or in a plan (see `cli.render`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field

from cli.workspace import PROJECT, read_document
from model.base import Strict
from model.component import find_operator
from model.operator import Operator
from model.places import locate_settings_file
from model.scope import Target
from model.settings import DockerSettings, KubernetesSettings, Settings
from stack import registry
from stack.assemble import ConfigValue, load_section, load_settings


@dataclass(frozen=True, kw_only=True)
class Location:
    """Where a stack runs: its target, the engine or cluster, and the operator that runs Prometheus if one does."""

    target: str
    docker: DockerSettings = field(default_factory=DockerSettings)
    kubernetes: KubernetesSettings = field(default_factory=KubernetesSettings)
    operator: Operator | None = None


class _Location(Strict):
    """The settings that say where a stack runs."""

    target: Target = "docker"
    docker: DockerSettings = Field(default_factory=DockerSettings)
    kubernetes: KubernetesSettings = Field(default_factory=KubernetesSettings)


def read_config(path: Path) -> dict[str, ConfigValue]:
    """The configuration in a stack's file.

    Raises:
        ConfigError: the file cannot be read or is no mapping.
    """
    return parse_config(read_document(path))


def parse_config(document: Mapping[str, Any]) -> dict[str, ConfigValue]:
    """The configuration in a Pulumi.<stack>.yaml as Pulumi would hand it to the program."""
    values = {}
    for full, value in (document.get("config") or {}).items():
        namespace, _, key = str(full).partition(":")
        if namespace != PROJECT:
            continue
        secret = isinstance(value, Mapping) and set(value) == {"secure"}
        text = "" if secret else value if isinstance(value, str) else json.dumps(value)
        values[key] = ConfigValue(text, secret)
    return values


def read_settings(folder: Path, stack: str) -> Settings:
    """The settings of the stack whose file is in `folder`; nothing else of the configuration is looked at.

    Raises:
        ConfigError: one of them is wrong.
    """
    return load_settings(stack, read_config(folder / locate_settings_file(stack)))


def build_location(settings: Settings) -> Location:
    """Where the stack of these settings runs."""
    operator = find_operator(registry.list_sections(settings))
    return Location(target=settings.target, docker=settings.docker, kubernetes=settings.kubernetes, operator=operator)


def read_location(folder: Path, stack: str) -> Location:
    """Where the stack whose file is in `folder` runs, although other settings or its system may be wrong by now.

    Raises:
        ConfigError: the settings that say it are wrong themselves.
    """
    fields = load_section(_Location, stack, read_config(folder / locate_settings_file(stack)))
    return Location(target=fields.target, docker=fields.docker, kubernetes=fields.kubernetes)
