"""From a stack's raw configuration and the files under configs/ to a plan, or to one list of everything that is wrong.

Nothing here knows of Pulumi: whoever calls `assemble_plan` passes the configuration as text, and no resource exists
yet.
"""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from model.checks.plain_secrets import hide_secrets, remove_followers
from model.component import Planning
from model.errors import ConfigError, Problem, collect_problems, suggest_name
from model.images import Image, ImagesFile, check_versions, hold_tags, list_held
from model.load import list_keys, parse_model, parse_yaml, read_content, read_yaml
from model.places import (
    derive_section_key,
    locate_in_section,
    locate_in_system,
    locate_setting,
    locate_settings_file,
)
from model.plan import Plan, Platform, build_plan
from model.scope import OnlyOn, list_idle_settings
from model.secret import Secret
from model.settings import AGENTS, ComponentSettings, Settings
from model.system import System
from model.workload import Workload
from packs.system import expand_system
from stack import registry
from stack.own_files import read_own_files

IMAGES = Path("configs/images.yaml")
SYSTEMS = Path("configs/systems")

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


@dataclass(frozen=True)
class ConfigValue:
    """A value of the stack's configuration as Pulumi hands it out: text, with JSON for anything structured.

    The text of a `secret` is never looked at here, so it may as well be empty.
    """

    value: str
    secret: bool = False


def assemble_plan(
    stack: str,
    config: Mapping[str, ConfigValue],
    *,
    address: Callable[[str, int], str] | None = None,
    platforms: Mapping[str, Platform] | None = None,
    root: Path,
    check: Callable[[Sequence[Workload]], list[str]] | None = None,
    need_secrets: bool = True,
    target: str | None = None,
) -> Plan:
    """The plan of a stack.

    Args:
        stack: the stack's name.
        config: the stack's configuration by key, without the project's namespace.
        address: `host:port` of a workload's port on the target platform; that of `platforms` when absent.
        platforms: the targets by name (`targets.platforms.PLATFORMS`); the settings choose one.
        root: the project's directory, which holds configs/.
        check: what the target platform cannot express, as sentences (`targets.docker.check.check`).
        need_secrets: whether a secret that is not set is a problem; it is not for looking at documents.
        target: the platform to plan for whatever the settings say; settings of the other one are then left aside.

    Raises:
        ConfigError: everything that is wrong in settings, secrets, images, system and plan; as much as can be known
            at once (secrets and plan are looked at only when settings and system can be read).
    """
    problems, config = _check_stack_name(stack), {**config, **({"target": ConfigValue(target)} if target else {})}
    images = collect_problems(problems, lambda: load_images(root))
    settings = collect_problems(problems, lambda: load_settings(stack, config))
    system = collect_problems(problems, lambda: load_system(_find_system_name(settings, config), stack, root))
    if settings is None or system is None:
        raise ConfigError([*problems, *_check_unknown_keys(stack, config, None)])
    if platforms is not None:
        chosen = platforms[settings.target]
        address, check = address or chosen.address(stack, settings), check or chosen.check
    if address is None:
        raise TypeError("either address or platforms is needed")
    own_files, mistakes = read_own_files(system, settings.environment, root, SYSTEMS)
    problems += mistakes
    listed = images or {}
    problems += check_versions(listed, settings.versions, locate_settings_file(stack)) if images else []
    held = hold_tags(listed, settings.versions)
    context = replace(_build_planning(stack, settings, system, address, held), own_files=own_files)
    problems += _check_settings(context, chosen=target is not None)
    secrets = collect_secrets(context)
    problems += _check_unknown_keys(stack, config, secrets) + _check_secrets(
        stack, config, secrets, needed=need_secrets
    )
    if images is None:
        raise ConfigError(problems)
    plan, mistakes = build_plan(context, registry.COMPONENTS, registry.CONTRIBUTORS)
    problems += mistakes
    if check is not None:
        problems += [Problem(f"target {settings.target}", text) for text in check(plan.list_workloads())]
    if problems:
        raise ConfigError(problems)
    warnings = (*plan.warnings, *list_held(listed, settings.versions, plan.list_images()))
    return replace(plan, secrets={**secrets, **plan.secrets}, warnings=warnings)


# -- parts -----------------------------------------------------------------------------------------------------------


def _build_planning(
    stack: str, settings: Settings, system: System, address: Callable[[str, int], str], images: Mapping[str, Image]
) -> Planning:
    """What components may know at first."""
    return Planning(
        stack=stack,
        settings=settings,
        system=system,
        sections=registry.list_sections(settings),
        address=address,
        images=images,
        rows=registry.list_system_rows(),
    )


def load_images(root: Path) -> Mapping[str, Image]:
    """Every image of configs/images.yaml, by short name.

    Raises:
        ConfigError: the file cannot be read or holds something else.
    """
    return _parse_images(read_content(root / IMAGES, root))


@lru_cache(maxsize=1)
def _parse_images(content: bytes) -> Mapping[str, Image]:
    """The images in the content of the file, which is the same for every stack that a process plans."""
    return parse_model(ImagesFile, parse_yaml(content, str(IMAGES)), str(IMAGES)).images


def load_settings(stack: str, config: Mapping[str, ConfigValue]) -> Settings:
    """The settings in a stack's configuration; keys that are no settings are left alone.

    Raises:
        ConfigError: values of the wrong type or outside their range, or settings that are stored as secrets.
    """
    return load_section(registry.build_settings_model(), stack, config)


def load_section(model: type[M], stack: str, config: Mapping[str, ConfigValue]) -> M:
    """The keys of `model` in a stack's configuration; all others are left alone.

    Raises:
        ConfigError: values of the wrong type or outside their range, or settings that are stored as secrets.
    """
    where = locate_settings_file(stack)
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    items = {key: item for key, item in config.items() if key in fields}
    problems = [
        Problem(f"{where}: {key}", f"is a setting, not a secret; store it with: pulumi config set {key} VALUE")
        for key, item in items.items()
        if item.secret
    ]
    values = {key: _parse_value(fields[key], item.value) for key, item in items.items() if not item.secret}
    if "system" in items and items["system"].secret:
        values["system"] = "unknown"  # already refused above; keeps "is required" out of the list
    settings = collect_problems(problems, lambda: parse_model(model, values, where))
    if problems or settings is None:
        raise ConfigError(problems)
    return settings


def load_system(name: str | None, stack: str, root: Path) -> System:
    """The system of configs/systems/<name>.yaml.

    Raises:
        ConfigError: there is no such file, or what it says is wrong.
    """
    if name is None:
        raise ConfigError([])
    file = SYSTEMS / f"{name}.yaml"
    if not (root / file).is_file():
        known = suggest_name(name, (path.stem for path in (root / SYSTEMS).glob("*.yaml")))
        raise ConfigError([Problem(f"{locate_settings_file(stack)}: system", f"{name!r} has no file {file}; {known}")])
    data = read_yaml(root / file, root)
    problems: list[Problem] = []
    system = collect_problems(problems, lambda: parse_model(registry.build_system_model(), data, str(file)))
    clean, plain = (data, []) if system else hide_secrets(data, str(file))  # what was refused may hold some
    if isinstance(clean, dict):
        problems += _check_system(clean, name, str(file))
    if problems or system is None:
        raise ConfigError(remove_followers(problems, plain))
    return expand_system(system)


def collect_secrets(context: Planning) -> dict[str, Secret]:
    """Every secret that the enabled components and the logins of private registries ask for, by name."""
    active = [c for c in registry.COMPONENTS if context.is_enabled(c.name)]
    secrets = {secret.name: secret for c in active for secret in c.secrets(context.sections[c.name], context)}
    for login in context.settings.docker.registry_logins:
        purpose = f"the password of {login.username} at the registry {login.address}"
        secrets.setdefault(login.password_secret, Secret(name=login.password_secret, purpose=purpose))
    return secrets


# -- problems --------------------------------------------------------------------------------------------------------


def _check_idle_sections(context: Planning) -> list[Problem]:
    """What is said of components that are switched off."""
    agent = context.settings.logs.agent
    return [
        Problem(
            locate_in_section(context.stack, name, to_camel(field)),
            f"has no effect, as {f'logs.agent is {agent}' if other else f'{derive_section_key(name)}.enabled is false'}"
            "; leave it out",
        )
        for name, section in context.sections.items()
        if not section.enabled
        for other in [name in AGENTS and name != agent]
        for field in sorted(_list_said(context.settings, name) if other else section.model_fields_set - {"enabled"})
    ]


def _list_said(settings: Settings, name: str) -> frozenset[str]:
    return frozenset(getattr(settings, registry.derive_field_name(name)).model_fields_set)


def _check_stack_name(stack: str) -> list[Problem]:
    if re.fullmatch(r"[a-z][a-z0-9-]{0,39}", stack):
        return []
    return [Problem(f"stack {stack}", "a stack's name must be lower-case letters, digits and dashes, 40 at most")]


def _find_system_name(settings: Settings | None, config: Mapping[str, ConfigValue]) -> str | None:
    """The system's name, also when other settings are wrong: so that its problems are reported in the same run."""
    if settings:
        return settings.system
    value = config.get("system")
    return value.value if value and not value.secret and re.fullmatch(r"[a-z0-9-]+", value.value) else None


def _check_system(data: Mapping[str, Any], name: str, where: str) -> list[Problem]:
    problems = []
    if isinstance(data.get("name"), str) and data["name"] != name:
        problems.append(Problem(f"{where}: name", f"{data['name']!r} must equal the file's name, {name!r}"))
    components = [component.name for component in registry.COMPONENTS]
    ports = data.get("ports")
    if isinstance(ports, dict):
        problems += [
            Problem(f"{where}: ports.{key}", f"no component has this name; {suggest_name(str(key), components)}")
            for key in ports
            if key not in components
        ]
    return problems


def _check_unknown_keys(
    stack: str, config: Mapping[str, ConfigValue], secrets: Mapping[str, Secret] | None
) -> list[Problem]:
    """Keys that are neither settings nor secrets. Without the list of secrets, secret values are given the benefit."""
    settings = list_keys(registry.build_settings_model())
    valid = [*settings, *(name for name, secret in (secrets or {}).items() if not secret.made)]
    return [
        Problem(f"{locate_settings_file(stack)}: {key}", _describe_unknown(stack, key, valid, secret=item.secret))
        for key, item in ((hide_secrets(name, "")[0], item) for name, item in config.items())
        if key not in valid and (secrets is not None or not item.secret)
    ]


def _describe_unknown(stack: str, key: str, valid: Sequence[str], *, secret: bool) -> str:
    hint = suggest_name(key, valid)
    if not secret:
        return f"unknown key {key!r}; {hint}"
    remove = f"make secret STACK={stack} NAME={key} REMOVE=1 (or: pulumi config rm {key})"
    close = f"{hint} " if hint.startswith("did you mean") else ""
    return f"unknown key {key!r}: nobody reads this secret; {close}remove it with: {remove}"


def _check_secrets(
    stack: str, config: Mapping[str, ConfigValue], secrets: Mapping[str, Secret], *, needed: bool
) -> list[Problem]:
    taken = list_keys(registry.build_settings_model())
    problems = []
    for name, secret in sorted(secrets.items()):
        where, value = f"{locate_settings_file(stack)}: {name}", config.get(name)
        command = f"make secret STACK={stack} NAME={name} (or: pulumi config set --secret {name})"
        if name in taken:
            problems.append(Problem(where, f"is a setting, so no secret can have this name ({secret.purpose})"))
        elif needed and value is None and not secret.generate and not secret.made:
            problems.append(Problem(where, f"is required, as {secret.purpose}; set it with: {command}"))
        elif value is not None and not value.secret:
            problems.append(Problem(where, f"is stored in clear, but is {secret.purpose}; store it with: {command}"))
    return problems


def _check_settings(context: Planning, *, chosen: bool) -> list[Problem]:
    """What contradicts itself in the settings; those of another target only where the target is the settings' own, not
    `chosen` in its place.
    """
    idle = [] if chosen else _check_idle_settings(context)
    return [*idle, *_check_operator(context), *_check_idle_sections(context)]


def _check_idle_settings(context: Planning) -> list[Problem]:
    """Settings and keys of the system that this stack's target does not read."""
    target = context.settings.target
    idle = [
        (locate_setting(context.stack, each.path), each.target) for each in list_idle_settings(context.settings, target)
    ]
    idle += [
        (locate_in_system(context.system.name, each.path), each.target)
        for each in list_idle_settings(context.system, target)
    ]
    return [
        Problem(where, f"has an effect on the target {other} only, and this stack's is {target}; leave it out")
        for where, other in idle
    ]


def _check_operator(context: Planning) -> list[Problem]:
    """An operator where there is none, and settings of what it runs in the place of our own."""
    if context.operator is None:
        return []
    where = locate_settings_file(context.stack)
    if context.settings.target != "kubernetes":
        message = f"an operator exists on the target kubernetes only, and this is {context.settings.target}; use own"
        return [Problem(f"{where}: prometheus.mode", message)]
    return [
        Problem(
            f"{where}: {derive_section_key(component.name)}.{to_camel(name)}",
            "is for the operator to say, which runs it; leave it out, or set prometheus.mode to own",
        )
        for component in registry.COMPONENTS
        if component.under_operator is not None and context.is_enabled(component.name)
        for name in sorted(context.sections[component.name].model_fields_set - component.under_operator)
        if not any(isinstance(mark, OnlyOn) for mark in component.settings.model_fields[name].metadata)  # told already
    ]


# -- values ----------------------------------------------------------------------------------------------------------


def _parse_value(annotation: Any, text: str) -> Any:
    """The text of a configuration value as the type of its setting asks; text that does not fit stays as it is."""
    if isinstance(annotation, type) and issubclass(annotation, ComponentSettings) and text in annotation.SHORT:
        return annotation.SHORT[text]
    if _holds_text(annotation):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _holds_text(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return any(_holds_text(part) for part in typing.get_args(annotation))
    if origin is typing.Annotated:
        return _holds_text(typing.get_args(annotation)[0])
    return annotation is str or origin is typing.Literal
