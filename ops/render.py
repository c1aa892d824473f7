"""Writes every document of a stack to a folder, without an engine: for review, for GitOps and for the golden files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from components.assemble import ConfigValue, assemble
from model.load import read_yaml
from model.plan import Plan
from ops.workspace import PROJECT, ROOT, Workspace
from targets.docker import address, check


def config_of(document: Mapping[str, Any]) -> dict[str, ConfigValue]:
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


def plan_of(space: Workspace) -> Plan:
    """The plan of a workspace's stack.

    Raises:
        ConfigError: something in it is wrong.
    """
    return plan_file(space.directory / f"Pulumi.{space.stack}.yaml", space.stack, need_secrets=True)


def plan_file(path: Path, stack: str, *, need_secrets: bool = False) -> Plan:
    """The plan of a stack file; without `need_secrets`, secrets that are not set yet are no problem.

    Raises:
        ConfigError: something in it is wrong.
    """
    document = read_yaml(path, path.parent) or {}
    return assemble(stack, config_of(document), address=address, root=ROOT, check=check, need_secrets=need_secrets)


def documents(plan: Plan) -> dict[str, str]:
    """Every document by `<workload>/<path>`, and the workloads themselves as YAML."""
    files: dict[str, str] = {}
    for workload in plan.every():
        if workload.config:
            files |= {f"{workload.name}/{path}": text for path, text in workload.config.files.items()}
        files[f"{workload.name}/workload.yaml"] = yaml.safe_dump(
            {
                "image": plan.images[workload.image].reference(None),
                "args": list(workload.args),
                "env": dict(sorted(workload.env.items())),
                "ports": [f"{p.bind}:{p.publish}:{p.number}" for p in workload.ports if p.publish],
                "secrets": [secret.path for secret in workload.secrets],
                "volumes": {volume.name: volume.path for volume in workload.volumes},
                "memory": workload.limits.memory,
                "cpus": workload.limits.cpus,
                "pids": workload.limits.pids,
                "exemptions": {e.rule + (f" {e.value}" if e.value else ""): e.reason for e in workload.exemptions},
            },
            sort_keys=False,
            width=120,
        )
    return files


def render(stack: str, folder: Path) -> int:
    """Writes all documents of `Pulumi.<stack>.yaml` below `folder`; older files that are gone are removed."""
    files = documents(plan_file(ROOT / f"Pulumi.{stack}.yaml", stack))
    for path in [p for p in folder.rglob("*") if p.is_file()] if folder.exists() else []:
        if str(path.relative_to(folder)) not in files:
            path.unlink()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"{len(files)} documents of stack {stack} in {folder}")
    return 0
