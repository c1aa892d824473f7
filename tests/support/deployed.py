"""All that a plan would have a platform do, as text: two plans that would deploy the same have the same text."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pulumi

from cli import capacity
from cli.render import build_config_maps, build_objects, describe_containers
from model.extra_objects import ExtraObject
from model.images import Image
from model.plan import Plan
from model.settings import KubernetesSettings
from model.telemetry import Dashboard
from model.workload import ConfigDir, Workload
from stack.assemble import ConfigValue, assemble_plan, load_images
from stack.stack import MonitoringStack
from targets.kubernetes.delivery import Cluster
from targets.kubernetes.shared import ClusterScope
from targets.platforms import PLATFORMS
from tests.support.mocks import run_program
from tests.support.systems import ROOT, project

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
    root = project(folder, json.dumps({**system, "name": name}), name=name)  # JSON is YAML, and soon written
    _write_own_files(root / "configs" / "systems" / "own")
    settings = {**settings, "system": name}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}
    config = {key: ConfigValue(text) for key, text in texts.items()}
    images = _load_images()
    with mock.patch("model.load._parse_yaml", json.loads), mock.patch("stack.assemble.load_images", lambda _: images):
        return assemble_plan("dev", config, platforms=PLATFORMS, root=root, need_secrets=False)


def _write_own_files(folder: Path) -> None:
    """A dashboard and a rule file that a system can name."""
    rule = {"alert": "OwnAlert", "expr": "up == 0", "labels": {"severity": "warning"}}
    folder.mkdir(exist_ok=True)
    (folder / "board.json").write_text(json.dumps({"title": "Own", "panels": [{"type": "text"}]}))
    (folder / "rules.yaml").write_text(json.dumps({"groups": [{"name": "own", "rules": [rule]}]}))


@functools.cache
def _load_images() -> Mapping[str, Image]:
    """Those of the project, which are the same in every copy of it."""
    return load_images(ROOT)


def _reached(entries: Any) -> Any:
    """Services or databases without those on the host of an engine, of which a cluster has none."""
    if not isinstance(entries, Mapping):
        return entries
    return {key: entry for key, entry in entries.items() if not (isinstance(entry, Mapping) and entry.get("onHost"))}


@functools.lru_cache(maxsize=256)
def _render_board(board: Dashboard) -> str:
    return json.dumps(board.model)


@contextmanager
def written_plainly() -> Iterator[None]:
    """Documents are written as JSON meanwhile, which is YAML too: in a tenth of the time, and other content differs."""
    writer = SimpleNamespace(safe_dump=lambda document, **_: json.dumps(document))
    emit = mock.patch("components.documents._emit", lambda documents: json.dumps(list(documents)))
    boards = mock.patch("components.grafana.documents.render_dashboard", _render_board)
    with emit, boards, mock.patch("components.loki.documents.yaml", writer):
        yield


class Deployed:
    """What a plan itself says of all that is deployed, part by part: a later one is built only where it is read."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._parts: dict[str, Any] = {}

    def differs(self, other: Deployed) -> bool:
        """Whether the plans would not deploy the same."""
        return any(self.part(name) != other.part(name) for name in PARTS)

    def part(self, name: str) -> Any:
        """One of PARTS: values that are equal where they say the same."""
        if name not in self._parts:
            self._parts[name] = PARTS[name](self._plan)
        return self._parts[name]


def as_text(plan: Plan) -> str:
    """All that a plan itself says."""
    return "\n".join(json.dumps(build(plan), default=_plain, sort_keys=True) for build in PARTS.values())


def _workloads(plan: Plan) -> Any:
    mirror = getattr(plan.settings, plan.settings.target).registry_mirror
    every = plan.list_workloads()
    return [{**vars(w), "image": plan.images[w.image].reference(mirror)} for w in every]


def _written(plan: Plan) -> Any:
    alerts = [alert for group in plan.telemetry.rules for alert in group.alerts]
    return [[a.name, a.steps, a.example] for a in alerts]


def _containers(plan: Plan) -> Any:
    return describe_containers(plan) if plan.settings.target == "docker" else {}


PARTS: Mapping[str, Callable[[Plan], Any]] = {
    "workloads": _workloads,
    "secrets": lambda plan: plan.secrets,
    "extra objects": lambda plan: plan.extra_objects,
    "runbooks and tests of alerts": _written,
    "capacity": capacity.estimate_plan,
    "containers": _containers,
    "objects": build_objects,
    "config maps": build_config_maps,
}
"""What is deployed and what people are shown; what takes long comes last."""


def as_registered(plan: Plan) -> str:
    """All that is registered with Pulumi, with the settings of the providers."""

    def program() -> object:
        return MonitoringStack("dev", plan, {name: pulumi.Output.secret("given") for name in plan.secrets}).ready

    with mock.patch("targets.kubernetes.register.Cluster", Untouched):
        registered = run_program(program)
    said = ([item.type, item.name, item.inputs, item.retain_on_delete, item.protect] for item in registered)
    return json.dumps(sorted(json.dumps(item, default=str, sort_keys=True) for item in said))  # in no order


def _plain(value: Any) -> Any:
    """A value that JSON has no word for; what lies within it comes here again."""
    if dataclasses.is_dataclass(value):
        return vars(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return dict(value) if isinstance(value, Mapping) else str(value)
