"""The commands of the toolchain, and how they are called."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable
from pathlib import Path

from toolchain import docker_engine, plan, pulumi_cli, validators
from toolchain.cluster.choice import choose, stop_kind
from toolchain.cluster.service import stop_cluster
from toolchain.context import Context, default_context
from toolchain.engine import engine_daemon, engine_version, ensure_engine, stop_engine
from toolchain.errors import ToolchainError
from toolchain.images import ImageSpec, images_for, load_images
from toolchain.prerequisites import ensure_images, make_images, up_prerequisites
from toolchain.recipes import CLUSTER_SOURCES, RECIPES
from toolchain.registry import default_registry
from toolchain.status import status_table

Command = Callable[[Context, argparse.Namespace], int]


def ensure(context: Context, arguments: argparse.Namespace) -> int:
    """Get one group of things, or all of them."""
    what = arguments.what
    planned = _planned(context, what, arguments.only)
    if planned:
        context.progress.say(plan.describe(planned))
    if what in {"test", "all"}:
        validators.ensure_quick(context)
    if what in {"pulumi", "all"}:
        pulumi_cli.ensure_pulumi(context)
    if what in {"images", "all"}:
        ensure_images(context, default_registry(context), _images(arguments.only))
    if what == "kubernetes":
        _ensure_kubernetes(context, arguments.only)
    return 0


def _ensure_kubernetes(context: Context, only: str | None) -> None:
    validators.ensure_kubernetes(context)
    for source in CLUSTER_SOURCES:
        source.ensure(context)
    pulumi_cli.ensure_kubernetes(context)
    make_images(context, _buildable("kubernetes", only), lambda *_: None)


def show_plan(context: Context, arguments: argparse.Namespace) -> int:
    """Say what `ensure` would get, and about how long that takes."""
    print(plan.describe(_planned(context, arguments.what, arguments.only)))
    return 0


def show_env(context: Context, _: argparse.Namespace) -> int:
    """Print shell lines that make our tools the ones in use: eval "$(python -m toolchain env)"."""
    folders = [pulumi_cli.cli_directory(context)]
    for name in {**validators.QUICK, **validators.PINNED}:
        found = validators.present(context, name)
        folders.append(found.parent if found else None)
    own = [str(f) for f in dict.fromkeys(folders) if f and f.is_relative_to(context.cache.root)]
    print(f'export PATH={shlex.quote(os.pathsep.join([*own, ""]))}"$PATH"')
    for name, value in pulumi_cli.variables(context).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def show_status(context: Context, _: argparse.Namespace) -> int:
    """Print what is there."""
    print(status_table(context))
    return 0


def engine(context: Context, arguments: argparse.Namespace) -> int:
    """Have a Docker engine, or stop the one that we started; or print where the programs of the newest one are."""
    if arguments.newest:
        print(docker_engine.ensure_programs(context))
        return 0
    if arguments.stop:
        stopped = stop_engine(context)
        print("stopped the engine" if stopped else "no engine of ours runs; nothing stopped")
        return 0
    version = ensure_engine(context)
    ours = engine_daemon(context).pid()
    print(f"Docker engine {version}" + (f", started by the toolchain (pid {ours})" if ours else ""))
    return 0


def registry(context: Context, arguments: argparse.Namespace) -> int:
    """Have the local image registry, or stop it."""
    local = default_registry(context, listen=arguments.listen, port=arguments.port)
    if arguments.stop:
        print("stopped the registry" if local.stop() else "no registry of ours runs; nothing stopped")
        return 0
    local.ensure()
    print(f"registry {local.address}")
    return 0


def cluster(context: Context, arguments: argparse.Namespace) -> int:
    """Have a Kubernetes cluster and print its kubeconfig's path, or stop the one that we started."""
    if arguments.stop:
        stopped = stop_kind(context) | stop_cluster(context)
        print("stopped the cluster" if stopped else "no cluster of ours runs; nothing stopped")
        return 0
    chosen = choose(context, _deployed("kubernetes", arguments.only).values(), named=arguments.context)
    if arguments.result:
        chosen.write(arguments.result)
    print(chosen.kubeconfig)
    return 0


def validator(context: Context, arguments: argparse.Namespace) -> int:
    """Print the path of a validator, getting it if it is absent."""
    print(validators.ensure(context, arguments.name, pinned=arguments.pinned))
    return 0


def prerequisites(context: Context, arguments: argparse.Namespace) -> int:
    """Everything that a deployment needs; the outcome goes to --result as JSON."""
    if engine_version(context) is None:
        context.progress.say("no Docker engine answers yet")
    outcome = up_prerequisites(context, default_registry(context), _deployed("docker", arguments.only))
    if arguments.result:
        outcome.write(arguments.result)
    context.progress.say(f"images come from {outcome.registry_mirror or 'their upstream registries'}")
    return 0


def _deployed(target: str, only: str | None) -> dict[str, ImageSpec]:
    """The images that are deployed to `target`, or those of them that --only names."""
    wanted = None if only is None else {spec.name for spec in _named(only)}
    return {name: spec for name, spec in images_for(target).items() if wanted is None or name in wanted}


def _named(only: str) -> list[ImageSpec]:
    specs = load_images()
    unknown = sorted(set(only.split(",")) - set(specs))
    if unknown:
        raise ToolchainError(f"no image is called {', '.join(unknown)}", advice=f"one of {', '.join(specs)}")
    return [specs[name] for name in only.split(",")]


def _images(only: str | None) -> list[ImageSpec]:
    return _buildable("docker") if only is None else _named(only)


def _buildable(target: str, only: str | None = None) -> list[ImageSpec]:
    return [spec for name, spec in _deployed(target, only).items() if name in RECIPES]


def _planned(context: Context, what: str, only: str | None) -> list[plan.Planned]:
    planned = []
    if what in {"test", "all"}:
        planned += plan.plan_test(context)
    if what in {"pulumi", "all"}:
        planned += plan.plan_pulumi(context)
    if what in {"images", "all"}:
        planned += plan.plan_images(context, _images(only))
    if what == "kubernetes":
        planned += plan.plan_kubernetes(context) + plan.plan_images(context, _buildable("kubernetes", only))
    return list(dict.fromkeys(planned))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m toolchain", description="Gets tools and images onto this machine.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, run: Command) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        command.set_defaults(run=run)
        return command

    def some(command: argparse.ArgumentParser) -> None:
        command.add_argument("--only", metavar="NAME,NAME", help="only these images")

    for name, function in (("ensure", ensure), ("plan", show_plan)):
        command = add(name, function)
        command.add_argument(
            "what", choices=["pulumi", "test", "images", "kubernetes", "all"], nargs="?", default="all"
        )
        some(command)
    add("env", show_env)
    add("status", show_status)
    command = add("engine", engine)
    command.add_argument("--stop", action="store_true", help="stop the engine that we started")
    command.add_argument("--newest", action="store_true", help="build the newest one's programs; start nothing")
    local = add("registry", registry)
    local.add_argument("--stop", action="store_true", help="stop the registry")
    local.add_argument("--listen", default="127.0.0.1", metavar="ADDRESS", help="address to listen on")
    local.add_argument("--port", type=int, help="port (OBSERVABILITY_REGISTRY_PORT, else 5000)")
    command = add("cluster", cluster)
    command.add_argument("--stop", action="store_true", help="stop the cluster that we started")
    command.add_argument("--context", metavar="NAME", help="use this context of your kubeconfig, start nothing")
    some(command)
    command.add_argument("--result", type=Path, metavar="FILE", help="write what was chosen to a file, as JSON")
    command = add("validator", validator)
    command.add_argument("name")
    command.add_argument("--pinned", action="store_true", help="the version of the deployed image")
    command = add("up-prerequisites", prerequisites)
    some(command)
    command.add_argument("--result", type=Path, metavar="FILE")
    return parser


def run(arguments: list[str] | None = None) -> int:
    """Run one command, by default that of the command line, and give its exit status.

    Raises:
        ToolchainError: something cannot be had; the text says what to do.
    """
    chosen = _parser().parse_args(arguments)
    command: Command = chosen.run
    return command(default_context(), chosen)
