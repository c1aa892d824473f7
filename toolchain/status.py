"""A table of what the toolchain has and what runs."""

from __future__ import annotations

from toolchain import pulumi_cli, validators
from toolchain.assemble import image_path
from toolchain.cluster.service import cluster_daemon, kubeconfig_path, running
from toolchain.context import Context
from toolchain.engine import engine_daemon, engine_version
from toolchain.errors import ToolchainError
from toolchain.images import ImageSpec, load_images
from toolchain.recipes import RECIPES
from toolchain.registry import Registry, default_registry

Row = tuple[str, str, str]
"""Kind, name, state."""


def status_table(context: Context) -> str:
    """The table as text, one line for each thing."""
    rows = [*_tools(context), *_services(context), *_images(context)]
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    body = "\n".join(f"{kind:<{widths[0]}}  {name:<{widths[1]}}  {state}" for kind, name, state in rows)
    return f"cache {context.cache.root}\n{body}"


def _tools(context: Context) -> list[Row]:
    rows: list[Row] = [("tool", "pulumi", str(pulumi_cli.cli_directory(context) or "absent"))]
    for provider in (*pulumi_cli.PROVIDERS, pulumi_cli.KUBERNETES):
        state = "installed" if pulumi_cli.installed(context, provider) else "absent"
        rows.append(("plugin", f"{provider.name} {provider.version}", state))
    for name in {**validators.QUICK, **validators.PINNED}:
        rows.append(("validator", name, str(validators.present(context, name) or "absent")))
    return rows


def _services(context: Context) -> list[Row]:
    version, pid = engine_version(context), engine_daemon(context).pid()
    ours = f", ours: pid {pid}, log {engine_daemon(context).log}" if pid else ""
    registry = default_registry(context)
    serving = f"on {registry.address}, log {registry.daemon.log}" if registry.answers() else "not running"
    return [
        ("engine", "docker", f"{version}{ours}" if version else "does not answer"),
        ("registry", "local", serving),
        ("cluster", "own", _cluster_state(context)),
    ]


def _cluster_state(context: Context) -> str:
    if not running(context):
        return "not running"
    return f"pid {cluster_daemon(context).pid()}, kubeconfig {kubeconfig_path(context)}"


def _images(context: Context) -> list[Row]:
    registry = default_registry(context)
    served = registry if registry.answers() else None
    return [("image", name, _image_state(context, spec, served)) for name, spec in load_images().items()]


def _image_state(context: Context, spec: ImageSpec, registry: Registry | None) -> str:
    if spec.name not in RECIPES:
        return "pulled only"
    try:
        built = image_path(context, spec).is_dir()
    except ToolchainError as error:
        return error.problem
    digest = registry.client.digest(spec) if registry else None
    return ", ".join(
        [f"built {spec.repository}:{spec.tag}" if built else "absent", *([f"served {digest}"] if digest else [])]
    )
