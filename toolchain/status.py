"""A table of what the toolchain has and what runs."""

from __future__ import annotations

from toolchain import pulumi_cli, validators
from toolchain.assemble import find_image_path
from toolchain.cluster.service import build_cluster_daemon, find_kubeconfig, is_running
from toolchain.context import Context
from toolchain.engine import build_engine_daemon, find_engine_version
from toolchain.errors import ToolchainError
from toolchain.images import ImageSpec, load_images
from toolchain.recipes import RECIPES
from toolchain.registry import Registry, build_default_registry

Row = tuple[str, str, str]
"""Kind, name, state."""


def format_status_table(context: Context) -> str:
    """The table as text, one line for each thing."""
    rows = [*_list_tools(context), *_list_services(context), *_list_images(context)]
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    body = "\n".join(f"{kind:<{widths[0]}}  {name:<{widths[1]}}  {state}" for kind, name, state in rows)
    return f"cache {context.cache.root}\n{body}"


def _list_tools(context: Context) -> list[Row]:
    rows: list[Row] = [("tool", "pulumi", str(pulumi_cli.find_cli_directory(context) or "absent"))]
    for provider in (*pulumi_cli.PROVIDERS, pulumi_cli.KUBERNETES):
        state = "installed" if pulumi_cli.is_installed(context, provider) else "absent"
        rows.append(("plugin", f"{provider.name} {provider.version}", state))
    for name in validators.PINNED:
        rows.append(("validator", name, str(validators.find_validator(context, name) or "absent")))
    return rows


def _list_services(context: Context) -> list[Row]:
    version, pid = find_engine_version(context), build_engine_daemon(context).find_pid()
    ours = f", ours: pid {pid}, log {build_engine_daemon(context).log}" if pid else ""
    registry = build_default_registry(context)
    serving = f"on {registry.address}, log {registry.daemon.log}" if registry.is_answering() else "not running"
    return [
        ("engine", "docker", f"{version}{ours}" if version else "does not answer"),
        ("registry", "local", serving),
        ("cluster", "own", _find_cluster_state(context)),
    ]


def _find_cluster_state(context: Context) -> str:
    if not is_running(context):
        return "not running"
    return f"pid {build_cluster_daemon(context).find_pid()}, kubeconfig {find_kubeconfig(context)}"


def _list_images(context: Context) -> list[Row]:
    registry = build_default_registry(context)
    served = registry if registry.is_answering() else None
    return [("image", name, _find_image_state(context, spec, served)) for name, spec in load_images().items()]


def _find_image_state(context: Context, spec: ImageSpec, registry: Registry | None) -> str:
    if spec.name not in RECIPES:
        return "pulled only"
    try:
        built = find_image_path(context, spec).is_dir()
    except ToolchainError as error:
        return error.problem
    digest = registry.client.find_digest(spec) if registry else None
    return ", ".join(
        [f"built {spec.repository}:{spec.tag}" if built else "absent", *([f"served {digest}"] if digest else [])]
    )
