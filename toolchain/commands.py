"""The commands of the toolchain, and how they are called."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable
from pathlib import Path

from toolchain import docker_engine, plan, pulumi_cli, validators
from toolchain.browser import ensure_browser
from toolchain.cluster.choice import choose_cluster, stop_kind
from toolchain.cluster.service import MOST_NODES, stop_clusters
from toolchain.context import Context, build_default_context
from toolchain.engine import build_engine_daemon, ensure_engine, find_engine_version, stop_engine
from toolchain.errors import ToolchainError
from toolchain.images import ImageSpec, load_images, select_images
from toolchain.prerequisites import ensure_images, ensure_prerequisites, make_images
from toolchain.recipes import CLUSTER_SOURCES, RECIPES
from toolchain.registry import build_default_registry
from toolchain.status import format_status_table

Command = Callable[[Context, argparse.Namespace], int]


def ensure_group(context: Context, arguments: argparse.Namespace) -> int:
    """Get one group of things, or all of them."""
    what = arguments.what
    planned = _plan_group(context, what, arguments.only)
    with plan.following_plan(context, planned):
        if what in {"test", "all"}:
            validators.ensure_unit_tests(context)
        if what in {"pulumi", "all"}:
            pulumi_cli.ensure_pulumi(context)
        if what in {"images", "all"}:
            ensure_images(context, build_default_registry(context), _list_images(arguments.only))
        if what == "kubernetes":
            _ensure_kubernetes(context, arguments.only)
    return 0


def _ensure_kubernetes(context: Context, only: str | None) -> None:
    validators.ensure_kubernetes(context)
    for source in CLUSTER_SOURCES:
        source.ensure(context)
    pulumi_cli.ensure_kubernetes(context)
    make_images(context, _list_buildable("kubernetes", only), lambda *_: None)


def show_plan(context: Context, arguments: argparse.Namespace) -> int:
    """Say what the command `ensure` would get, and about how long that takes."""
    print(plan.describe_plan(_plan_group(context, arguments.what, arguments.only)))
    return 0


def show_env(context: Context, _: argparse.Namespace) -> int:
    """Print shell lines that make our tools the ones in use: eval "$(python -m toolchain env)"."""
    folders = [pulumi_cli.find_cli_directory(context)]
    for name in validators.PINNED:
        program = validators.find_validator(context, name)
        folders.append(program.parent if program else None)
    own = [str(f) for f in dict.fromkeys(folders) if f and f.is_relative_to(context.cache.root)]
    print(f'export PATH={shlex.quote(os.pathsep.join([*own, ""]))}"$PATH"')
    # mypy takes minutes for what we depend on, the same in every clone; it goes by the content, not by the path
    linting = {"MYPY_CACHE_DIR": str(context.cache.root / "mypy")}
    for name, value in {**pulumi_cli.build_environment(context), **linting}.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def show_status(context: Context, _: argparse.Namespace) -> int:
    """Print what is there."""
    print(format_status_table(context))
    return 0


def manage_engine(context: Context, arguments: argparse.Namespace) -> int:
    """Have a Docker engine, or stop the one that we started; or print where the programs of the newest one are."""
    if arguments.newest:
        print(docker_engine.ensure_programs(context))
        return 0
    if arguments.stop:
        stopped = stop_engine(context)
        print("stopped the engine" if stopped else "no engine of ours runs; nothing stopped")
        return 0
    version = ensure_engine(context)
    ours = build_engine_daemon(context).find_pid()
    print(f"Docker engine {version}" + (f", started by the toolchain (pid {ours})" if ours else ""))
    return 0


def manage_registry(context: Context, arguments: argparse.Namespace) -> int:
    """Have the local image registry, or stop it."""
    local = build_default_registry(context, listen=arguments.listen, port=arguments.port)
    if arguments.stop:
        print("stopped the registry" if local.stop() else "no registry of ours runs; nothing stopped")
        return 0
    local.ensure()
    print(f"registry {local.address}")
    return 0


def manage_cluster(context: Context, arguments: argparse.Namespace) -> int:
    """Have a Kubernetes cluster and print its kubeconfig's path, or stop the one that we started."""
    if arguments.stop:
        stopped = stop_kind(context) | stop_clusters(context)
        print("stopped the cluster" if stopped else "no cluster of ours runs; nothing stopped")
        return 0
    chosen = choose_cluster(
        context, _list_deployed("kubernetes", arguments.only).values(), named=arguments.context, nodes=arguments.nodes
    )
    if arguments.result:
        chosen.write(arguments.result)
    print(chosen.kubeconfig)
    return 0


def show_validator(context: Context, arguments: argparse.Namespace) -> int:
    """Print the path of a validator, getting it if it is absent."""
    print(validators.ensure_validator(context, arguments.name, pinned=arguments.pinned))
    return 0


def write_prerequisites(context: Context, arguments: argparse.Namespace) -> int:
    """Everything that a deployment needs; the outcome goes to --result as JSON."""
    if find_engine_version(context) is None:
        context.progress.say("no Docker engine answers yet")
    outcome = ensure_prerequisites(context, build_default_registry(context), _list_deployed("docker", arguments.only))
    if arguments.result:
        outcome.write(arguments.result)
    context.progress.say(f"images come from {outcome.registry_mirror or 'their upstream registries'}")
    return 0


def show_browser(context: Context, _: argparse.Namespace) -> int:
    """Print a browser's path and environment as JSON, getting it if it is absent."""
    print(ensure_browser(context).render())
    return 0


def _list_deployed(target: str, only: str | None) -> dict[str, ImageSpec]:
    """The images that are deployed to `target`, or those of them that --only names."""
    names = None if only is None else {spec.name for spec in _find_named(only)}
    return {name: spec for name, spec in select_images(target).items() if names is None or name in names}


def _find_named(only: str) -> list[ImageSpec]:
    specs = load_images()
    unknown = sorted(set(only.split(",")) - set(specs))
    if unknown:
        raise ToolchainError(f"no image is called {', '.join(unknown)}", advice=f"one of {', '.join(specs)}")
    return [specs[name] for name in only.split(",")]


def _list_images(only: str | None) -> list[ImageSpec]:
    return _list_buildable("docker") if only is None else _find_named(only)


def _list_buildable(target: str, only: str | None = None) -> list[ImageSpec]:
    return [spec for name, spec in _list_deployed(target, only).items() if name in RECIPES]


def _plan_group(context: Context, what: str, only: str | None) -> list[plan.Planned]:
    planned = []
    if what in {"test", "all"}:
        planned += plan.plan_test(context)
    if what in {"pulumi", "all"}:
        planned += plan.plan_pulumi(context)
    if what in {"images", "all"}:
        planned += plan.plan_images(context, _list_images(only))
    if what == "kubernetes":
        planned += plan.plan_kubernetes(context) + plan.plan_images(context, _list_buildable("kubernetes", only))
    return list(dict.fromkeys(planned))


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m toolchain", description="Gets tools and images onto this machine.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def add_command(name: str, run: Command) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        command.set_defaults(run=run)
        return command

    def add_only(command: argparse.ArgumentParser) -> None:
        command.add_argument("--only", metavar="NAME,NAME", help="only these images")

    for name, function in (("ensure", ensure_group), ("plan", show_plan)):
        command = add_command(name, function)
        command.add_argument(
            "what", choices=["pulumi", "test", "images", "kubernetes", "all"], nargs="?", default="all"
        )
        add_only(command)
    add_command("env", show_env)
    add_command("status", show_status)
    add_command("browser", show_browser)
    command = add_command("engine", manage_engine)
    command.add_argument("--stop", action="store_true", help="stop the engine that we started")
    command.add_argument("--newest", action="store_true", help="build the newest one's programs; start nothing")
    local = add_command("registry", manage_registry)
    local.add_argument("--stop", action="store_true", help="stop the registry")
    local.add_argument("--listen", default="127.0.0.1", metavar="ADDRESS", help="address to listen on")
    local.add_argument("--port", type=int, help="port (OBSERVABILITY_REGISTRY_PORT, else 5000)")
    command = add_command("cluster", manage_cluster)
    command.add_argument("--stop", action="store_true", help="stop the cluster that we started")
    command.add_argument(
        "--nodes", type=int, choices=range(1, MOST_NODES + 1), default=1, metavar="N",
        help="a cluster of our own with so many nodes (default: 1)",
    )  # fmt: skip
    command.add_argument("--context", metavar="NAME", help="use this context of your kubeconfig, start nothing")
    add_only(command)
    command.add_argument("--result", type=Path, metavar="FILE", help="write what was chosen to a file, as JSON")
    command = add_command("validator", show_validator)
    command.add_argument("name")
    command.add_argument("--pinned", action="store_true", help="the version of the deployed image")
    command = add_command("up-prerequisites", write_prerequisites)
    add_only(command)
    command.add_argument("--result", type=Path, metavar="FILE")
    return parser


def run_cli(arguments: list[str] | None = None) -> int:
    """Run one command, by default that of the command line, and give its exit status.

    Raises:
        ToolchainError: something cannot be had; the text says what to do.
    """
    chosen = _build_parser().parse_args(arguments)
    command: Command = chosen.run
    return command(build_default_context(), chosen)
