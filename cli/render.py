"""Writes every document of a stack to a folder, without an engine: for review, for GitOps and for the golden files."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cli.stack_file import check_document, parse_config
from cli.workspace import ROOT, Workspace, read_document
from components.documents import render_yaml, render_yaml_documents
from model.errors import ConfigError
from model.plan import Plan
from stack.assemble import assemble_plan
from targets.compose import build_compose_file
from targets.docker import manifests as docker
from targets.docker.shared import Scope
from targets.kubernetes import manifests, storage
from targets.kubernetes.shared import ClusterScope
from targets.platforms import PLATFORMS

REPLACEMENTS: Mapping[str, str] = {"dashboard-viewer": "grafana"}
"""Images of our own, by name, and the one that each replaces where that cannot be pulled."""


def plan_workspace(space: Workspace) -> Plan:
    """The plan of a workspace's stack.

    Raises:
        ConfigError: something in it is wrong.
    """
    return plan_file(space.directory / f"Pulumi.{space.stack}.yaml", space.stack, need_secrets=True)


def plan_file(
    path: Path, stack: str, *, need_secrets: bool = False, target: str | None = None, root: Path | None = None
) -> Plan:
    """The plan of a stack file; without `need_secrets`, secrets that are not set yet are no problem.

    With `target` it is planned for that platform, whatever the file says, without the settings of the other one.
    Systems and images are those of this checkout, or of `root`.

    Raises:
        ConfigError: something in it is wrong.
    """
    document = read_document(path)
    problems, config = check_document(document, path.name), parse_config(document)
    where = root or ROOT
    try:
        plan = assemble_plan(stack, config, platforms=PLATFORMS, root=where, need_secrets=need_secrets, target=target)
    except ConfigError as error:
        raise ConfigError([*problems, *error.problems]) from None
    if problems:
        raise ConfigError(problems)
    return plan


def list_images(plan: Plan) -> list[str]:
    """Names of the images that a stack runs, and of those that may replace one or prepare its volumes."""
    named = plan.list_images()
    replacing = {name for name, replaced in REPLACEMENTS.items() if replaced in named and name in plan.images}
    return sorted({*named, *replacing})


def render_documents(plan: Plan) -> dict[str, str]:
    """Every document by `<workload>/<path>`, and what the target is asked for, as YAML."""
    return _render_configurations(plan) | _TARGETS[plan.settings.target](plan)


def _render_configurations(plan: Plan) -> dict[str, str]:
    return {
        f"{workload.name}/{path}": text
        for workload in plan.list_workloads()
        for path, text in (workload.config.files if workload.config else {}).items()
    }


def describe_containers(plan: Plan) -> dict[str, dict[str, Any]]:
    """What a Docker engine is asked for by workload, and for the whole stack as `stack`: no documents, no secrets."""
    scope = Scope(stack=plan.stack, settings=plan.settings.docker, images=plan.images)
    references = {name: scope.build_reference(name) for name in plan.list_images()}
    made = {"stack": {"images": references, **docker.describe_objects(docker.build_stack_objects(scope))}}
    for workload in plan.list_workloads():
        made[workload.name] = docker.describe_objects(docker.build_workload_objects(scope, workload), workload)
    return made


def render_containers(plan: Plan) -> dict[str, str]:
    """What a Docker engine is asked for by `docker/<workload>.yaml`, without documents and secrets."""
    return {f"docker/{name}.yaml": _dump_yaml(item) for name, item in describe_containers(plan).items()}


def render_workloads(plan: Plan) -> dict[str, str]:
    """What objects of a cluster do not say of a workload, where there is something: see `describe_workload`."""
    described = {workload.name: manifests.describe_workload(workload) for workload in plan.list_workloads()}
    return {f"{name}/workload.yaml": _dump_yaml(item) for name, item in described.items() if item}


def build_objects(plan: Plan) -> dict[str, list[dict[str, Any]]]:
    """The objects of a stack on Kubernetes by workload, without documents and secrets; none on another target.

    Those of the whole stack are under `stack`, those for an operator each under `<kind>/<name>`.
    """
    if plan.settings.target != "kubernetes":
        return {}
    scope, every = build_cluster_scope(plan), plan.list_workloads()
    objects_by_workload = {workload.name: list(manifests.build_workload_objects(scope, workload)) for workload in every}
    objects_by_workload = {"stack": list(manifests.build_stack_objects(scope, every)), **objects_by_workload}
    for item in plan.extra_objects:
        objects_by_workload[f"{item.kind.lower()}/{item.name}"] = [manifests.build_extra_object(scope, item)]
    return objects_by_workload


def render_objects(plan: Plan) -> dict[str, str]:
    """The objects of a stack on Kubernetes by `kubernetes/<workload>.yaml`; see `build_objects`."""
    return {f"kubernetes/{name}.yaml": _render_yaml(items) for name, items in build_objects(plan).items()}


def build_config_maps(plan: Plan) -> dict[str, dict[str, Any]]:
    """The documents once more, as the ConfigMaps that a cluster is given, by workload."""
    if plan.settings.target != "kubernetes":
        return {}
    scope = build_cluster_scope(plan)
    made = {workload.name: storage.build_config_map(scope, workload) for workload in plan.list_workloads()}
    return {name: item for name, item in made.items() if item}


def render_config_maps(plan: Plan) -> dict[str, str]:
    """The ConfigMaps of documents by `kubernetes/<workload>-config.yaml`."""
    return {f"kubernetes/{name}-config.yaml": _render_yaml([item]) for name, item in build_config_maps(plan).items()}


def build_cluster_scope(plan: Plan) -> ClusterScope:
    """What the objects of a plan share on a cluster."""
    return ClusterScope(
        stack=plan.stack,
        settings=plan.settings.kubernetes,
        images=plan.images,
        allowed_namespaces=plan.allowed_namespaces,
    )


def _dump_yaml(value: Mapping[str, Any]) -> str:
    return render_yaml(json.loads(json.dumps(value)))


def _render_yaml(items: Sequence[Mapping[str, Any]]) -> str:
    """Several documents, without anchors: readers of other languages do not all know them."""
    plain = json.loads(json.dumps(items))
    return render_yaml_documents(plain)


_TARGETS: Mapping[str, Callable[[Plan], dict[str, str]]] = {
    "docker": render_containers,
    "kubernetes": lambda plan: render_workloads(plan) | render_objects(plan),
}


def render_compose_files(plan: Plan) -> dict[str, str]:
    """A Compose file of a stack that is planned for Docker, and the documents that it mounts."""
    scope = Scope(stack=plan.stack, settings=plan.settings.docker, images=plan.images)
    return {
        **_render_configurations(plan),
        "compose.yaml": _dump_yaml(build_compose_file(scope, plan.list_workloads())),
    }


def write_documents(stack: str, folder: Path) -> int:
    """Writes all documents of `Pulumi.<stack>.yaml` below `folder`; older files that are gone are removed."""
    plan = plan_file(ROOT / f"Pulumi.{stack}.yaml", stack)
    return _write_files(stack, render_documents(plan) | render_config_maps(plan), folder)


def write_compose(stack: str, folder: Path) -> int:
    """Writes a Compose file of `Pulumi.<stack>.yaml` and its documents; files in `secrets/` are people's own.

    Raises:
        ConfigError: one engine cannot run the stack.
    """
    plan = plan_file(ROOT / f"Pulumi.{stack}.yaml", stack, target="docker")
    return _write_files(stack, render_compose_files(plan), folder, keep="secrets")


def _write_files(stack: str, files: Mapping[str, str], folder: Path, keep: str = "") -> int:
    for path in [p for p in folder.rglob("*") if p.is_file()] if folder.exists() else []:
        old = path.relative_to(folder)
        if str(old) not in files and old.parts[0] != keep:
            path.unlink()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"{len(files)} documents of stack {stack} in {folder}")
    return 0


def run_command(args: argparse.Namespace) -> int:
    """Writes the stack in `args` to a folder, each format to one of its own unless `output` names it."""
    write, folder = (write_compose, "compose") if args.format == "compose" else (write_documents, "render")
    return write(args.stack, args.output or ROOT / "build" / folder / args.stack)
