"""The one reader of Pulumi.<stack>.yaml: commands get its settings from here, or in a plan (see `cli.render`)."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field

from cli.workspace import ENCRYPTION_KEYS, PROJECT, read_document
from model.base import Strict
from model.checks.plain_secrets import hide_secrets
from model.component import find_operator
from model.errors import ConfigError, Problem, suggest_name
from model.operator import Operator
from model.places import locate_settings_file
from model.scope import Target
from model.settings import DockerSettings, KubernetesSettings, Settings
from stack import registry
from stack.assemble import ConfigValue, load_section, load_settings

PULUMI_KEYS = ("config", "environment", *ENCRYPTION_KEYS)
"""Top-level keys of a Pulumi.<stack>.yaml."""


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
        namespace, key = _split_key(str(full))
        if namespace != PROJECT:
            continue
        secret = isinstance(value, Mapping) and set(value) == {"secure"}
        text = "" if secret else value if isinstance(value, str) else json.dumps(value)
        values[key] = ConfigValue(text, secret)
    return values


def _split_key(full: str) -> tuple[str, str]:
    """Namespace and key; a key without a namespace is the project's, as Pulumi reads it."""
    namespace, colon, key = full.partition(":")
    return (namespace, key) if colon else (PROJECT, full)


def check_document(document: Mapping[str, Any], where: str) -> list[Problem]:
    """Keys of a Pulumi.<stack>.yaml that nobody would read: misspelt ones of Pulumi's own, and of the project's name.

    Namespaces of providers, such as aws:region, are left alone. The format is that of
    https://www.pulumi.com/docs/iac/concepts/config/#stack-settings-file-reference.
    """
    problems = [
        Problem(f"{where}: {key}", f"is no key of such a file; {suggest_name(key, PULUMI_KEYS)}")
        for key in _list_clean_keys(document)
        if key not in PULUMI_KEYS
    ]
    for full in _list_clean_keys(document.get("config") or {}):
        namespace, key = _split_key(full)
        if namespace != PROJECT and difflib.get_close_matches(namespace, [PROJECT], cutoff=0.8):
            text = f"belongs to a program called {namespace!r}; did you mean '{PROJECT}:{key}'?"
            problems.append(Problem(f"{where}: {full}", text))
    return problems


def _list_clean_keys(mapping: Mapping[str, Any]) -> list[str]:
    return [hide_secrets(str(key), "")[0] for key in mapping]


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


def find_location(folder: Path, stack: str) -> tuple[Location, str]:
    """Where the stack runs, and its base URL, which is empty where settings beside the place are wrong by now.

    Raises:
        ConfigError: the settings that say the place are wrong themselves.
    """
    try:
        settings = read_settings(folder, stack)
    except ConfigError:
        return read_location(folder, stack), ""
    return build_location(settings), settings.base_url


def read_location(folder: Path, stack: str) -> Location:
    """Where the stack whose file is in `folder` runs, although other settings or its system may be wrong by now.

    Raises:
        ConfigError: the settings that say it are wrong themselves.
    """
    fields = load_section(_Location, stack, read_config(folder / locate_settings_file(stack)))
    return Location(target=fields.target, docker=fields.docker, kubernetes=fields.kubernetes)
