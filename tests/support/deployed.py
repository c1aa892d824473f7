"""All that a plan would have a platform do, as text: two plans that would deploy the same have the same text."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi

from cli import capacity
from cli.render import render_config_maps, render_objects
from model.extra_objects import ExtraObject
from model.plan import Plan
from model.settings import KubernetesSettings
from model.workload import ConfigDir, Workload
from stack.assemble import ConfigValue, assemble_plan
from stack.stack import MonitoringStack
from targets.kubernetes.delivery import Cluster
from targets.kubernetes.shared import ClusterScope
from targets.platforms import PLATFORMS
from tests.support.mocks import run_program
from tests.support.systems import project

SHOP = "shop"
"""A system, its file and the setting that names it are called alike; what is not called so follows the others."""


class Untouched(Cluster):
    """A cluster that nothing is asked of."""

    def __init__(self, settings: KubernetesSettings) -> None:
        super().__init__(settings)

    def check_preflight(
        self, scope: ClusterScope, workloads: Sequence[Workload], extra_objects: Sequence[ExtraObject] = ()
    ) -> list[str]:
        """Nothing."""
        return []

    async def wait_until_applied(
        self, stack: str, namespace: str, workload: str, config: ConfigDir, mark: str = ""
    ) -> None:
        """Nothing."""


def planned(folder: Path, settings: Mapping[str, Any], system: Mapping[str, Any]) -> Plan:
    """The plan of a stack's settings and a system, both as YAML has them; on a cluster without what is on a host.

    Raises:
        ConfigError: it is refused.
    """
    if settings.get("target") == "kubernetes":
        system = {key: _reached(value) if key in ("services", "databases") else value for key, value in system.items()}
    name = str(system["name"] if settings["system"] == SHOP else settings["system"])
    root = project(folder, {**system, "name": name}, name=name)
    settings = {**settings, "system": name}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}
    config = {key: ConfigValue(text) for key, text in texts.items()}
    return assemble_plan("dev", config, platforms=PLATFORMS, root=root, need_secrets=False)


def _reached(entries: Any) -> Any:
    """Services or databases without those on the host of an engine, of which a cluster has none."""
    if not isinstance(entries, Mapping):
        return entries
    return {key: entry for key, entry in entries.items() if not (isinstance(entry, Mapping) and entry.get("onHost"))}


def as_text(plan: Plan) -> str:
    """What a plan itself says of all that is deployed, on a cluster the objects made of it, and what people are shown:
    runbooks and tests of alerts, and the capacity that is needed.
    """
    mirror = getattr(plan.settings, plan.settings.target).registry_mirror
    every = [{**dataclasses.asdict(w), "image": plan.images[w.image].reference(mirror)} for w in plan.list_workloads()]
    alerts = [alert for group in plan.telemetry.rules for alert in group.alerts]
    said = {
        "workloads": every,
        "secrets": {name: dataclasses.asdict(secret) for name, secret in plan.secrets.items()},
        "declared": [dataclasses.asdict(item) for item in plan.extra_objects],
        "objects": {**render_objects(plan), **render_config_maps(plan)},
        "written": [[a.name, a.steps, a.example and dataclasses.asdict(a.example)] for a in alerts],
        "capacity": dataclasses.asdict(capacity.estimate_plan(plan)),
    }
    return json.dumps(said, default=_plain, sort_keys=True)


def as_registered(plan: Plan) -> str:
    """All that is registered with Pulumi, with the settings of the providers."""

    def program() -> object:
        return MonitoringStack("dev", plan, {name: pulumi.Output.secret("given") for name in plan.secrets}).ready

    with mock.patch("targets.kubernetes.register.Cluster", Untouched):
        registered = run_program(program)
    said = ([item.type, item.name, item.inputs, item.retain_on_delete, item.protect] for item in registered)
    return json.dumps(sorted(json.dumps(item, default=str, sort_keys=True) for item in said))  # in no order


def _plain(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return dict(value) if isinstance(value, Mapping) else str(value)
