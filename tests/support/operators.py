"""A Prometheus Operator for tests: the definitions that it publishes, and stacks that write objects for it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from model.extra_objects import ExtraObject
from model.operator import GROUP
from model.plan import Plan
from stack.assemble import ConfigValue, assemble_plan
from targets.kubernetes.operator import Definition, list_kinds, pluralize_kind
from targets.platforms import PLATFORMS
from tests.support.systems import ROOT
from toolchain.context import build_default_context
from toolchain.recipes import OPERATOR_CRDS


class _Loader(yaml.CSafeLoader):
    """YAML in which a plain `=` is text, as in the definitions."""


def _text(_: _Loader, node: yaml.Node) -> str:
    return str(node.value)


_Loader.add_constructor("tag:yaml.org,2002:value", _text)


@functools.cache
def definition(kind: str) -> Definition:
    """The operator's CustomResourceDefinition of a kind, that of a pinned release."""
    folder = OPERATOR_CRDS.ensure(build_default_context())
    with (folder / f"{GROUP}_{pluralize_kind(kind)}.yaml").open(encoding="utf-8") as file:
        return dict(yaml.load(file, Loader=_Loader))  # noqa: S506 - a subclass of SafeLoader


def definitions(extra_objects: Sequence[ExtraObject]) -> Mapping[str, Definition]:
    """Those of all kinds among the objects."""
    return {kind: definition(kind) for kind in list_kinds(extra_objects)}


def operated(system: str, **settings: Any) -> Plan:
    """The plan of a system on a cluster whose operator runs Prometheus; settings as data, by key."""
    given = {"system": system, "target": "kubernetes", "prometheus": "operator", **settings}
    config = {key: ConfigValue(item if isinstance(item, str) else json.dumps(item)) for key, item in given.items()}
    return assemble_plan("x", config, platforms=PLATFORMS, root=ROOT, need_secrets=False)


def systems() -> list[str]:
    """The systems that this project ships."""
    return sorted(path.stem for path in Path(ROOT / "configs" / "systems").glob("*.yaml"))
