"""`python -m ops COMMAND --stack NAME`: what the Makefile calls."""

from __future__ import annotations

import argparse
import getpass
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
from rich.console import Console
from rich.markup import escape

from model.errors import ConfigError
from ops import capacity, engine, recover, render, verify
from ops.workspace import ROOT, Workspace, drop_secrets, forget, keep_secrets, open_workspace

console = Console(highlight=False, soft_wrap=True)


class Phases:
    """Names and durations (seconds) of what a command did, for the closing line."""

    def __init__(self) -> None:
        self.times: list[tuple[str, float]] = []

    def run(self, name: str, work: Callable[[], Any]) -> Any:
        """Runs `work`, announcing and timing it."""
        console.print(f"[bold]== {name}[/]")
        began = time.monotonic()
        result = work()
        self.times.append((name, time.monotonic() - began))
        return result

    def total(self) -> str:
        """All phases in one line."""
        parts = " · ".join(f"{name} {seconds:.1f} s" for name, seconds in self.times)
        return f"{parts} · total {sum(seconds for _, seconds in self.times):.1f} s"


def prerequisites() -> dict[str, Any]:
    """Gets everything `up` needs onto the machine. Returns what this machine adds to a stack's settings."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        subprocess.run(
            [sys.executable, "-m", "toolchain", "up-prerequisites", "--result", result], cwd=ROOT, check=True
        )
        found = json.loads(result.read_text(encoding="utf-8"))
    overlay: dict[str, Any] = {}
    if found.get("registryMirror"):
        overlay["docker"] = {"registryMirror": found["registryMirror"]}
    if found.get("registryMirror") and "grafana" not in found["digests"]:
        overlay["grafana"] = {"image": "grafana-standin"}
    return overlay


def connect(stack: str, overlay: dict[str, Any] | None = None) -> tuple[Workspace, docker.DockerClient]:
    """The stack's workspace and its engine."""
    space = open_workspace(stack, engine.tool_env(), overlay)
    return space, engine.connect(space)


def up(stack: str) -> int:
    """Deploys the stack, waits until it is well, and shows where everything is."""
    phases = Phases()
    overlay = phases.run("prerequisites", prerequisites)
    space, client = connect(stack, overlay)
    plan = render.plan_of(space)  # everything that can be wrong in a configuration goes wrong here
    for line in phases.run("recovery", lambda: recover.recover(space, client)):
        console.print(f"   {line}")
    replace = [arg for urn in recover.unfinished(space.export()) for arg in ("--replace", urn)]
    phases.run("pulumi up", lambda: space.pulumi("up", "--yes", "--skip-preview", "--stack", stack, *replace))
    found = phases.run("health", lambda: verify.wait_healthy(client, stack, timeout=180))
    scraped = phases.run("targets", lambda: verify.wait_targets(client, stack, timeout=90))
    good = verify.report(stack, found, scraped, base_url=plan.settings.base_url, console=console)
    _explain(stack, client)
    console.print(phases.total())
    return 0 if good else 1


def _explain(stack: str, client: docker.DockerClient) -> None:
    """The last words of every container that is not well."""
    for container in verify.services(client, stack):
        if not verify.health(container).good:
            console.print(f"[red]{container.name}[/] last said:")
            console.print(verify.last_words(container), markup=False)


def check(stack: str) -> int:
    """Shows how a running stack is, without changing anything."""
    space, client = connect(stack)
    plan = render.plan_of(space)
    found = verify.wait_healthy(client, stack, timeout=30)
    scraped = verify.wait_targets(client, stack, timeout=30)
    return 0 if verify.report(stack, found, scraped, base_url=plan.settings.base_url, console=console) else 1


def preview(stack: str, *, as_json: bool) -> int:
    """Shows what `up` would change."""
    space, _ = connect(stack)
    return space.pulumi("preview", "--json" if as_json else "--diff", "--stack", stack, check=False).returncode


def refresh(stack: str) -> int:
    """Reads the real state of every resource and shows what differs."""
    space, _ = connect(stack)
    return space.pulumi("refresh", "--yes", "--skip-preview", "--diff", "--stack", stack, check=False).returncode


def down(stack: str, *, purge: bool) -> int:
    """Removes the stack; data volumes stay unless `purge` is set."""
    space, client = connect(stack)
    for line in recover.recover(space, client):
        console.print(f"   {line}")
    generated = space.outputs().keys() - {"urls", "baseUrl", "ready"}
    if not purge:
        keep_secrets(space, generated)
    space.pulumi("destroy", "--yes", "--skip-preview", "--stack", stack)
    kept = recover.remaining_volumes(client, stack)
    if purge:
        for volume in kept:
            volume.remove()
        kept = []
        drop_secrets(space, generated)
    forget(space)
    if kept:
        console.print(f"Kept data volumes: {', '.join(str(v.name) for v in kept)} (remove them with PURGE=1)")
    return 0


def secret(stack: str, name: str) -> int:
    """Stores a secret, read from standard input so that it appears in no argument and no history."""
    space = open_workspace(stack, engine.tool_env())
    if sys.stdin.isatty():
        console.print(f"Value of {name} (it is not shown):")
        value = getpass.getpass("")
    else:
        value = sys.stdin.read().rstrip("\n")
    return space.pulumi("config", "set", "--secret", name, "--stack", stack, check=False, stdin=value).returncode


def password(stack: str) -> int:
    """Prints the generated passwords."""
    space, _ = connect(stack)
    for name, value in space.outputs(show_secrets=True).items():
        if name.endswith("password"):
            print(f"{name}: {value}")
    return 0


def main() -> int:
    """Runs one command; problems of the configuration are printed without a stack trace."""
    parser = argparse.ArgumentParser(prog="ops", description=__doc__)
    parser.add_argument(
        "command", choices=["up", "verify", "preview", "refresh", "down", "password", "secret", "render", "capacity"]
    )
    parser.add_argument("--stack", default="dev")
    parser.add_argument("--purge", action="store_true", help="down: remove data volumes too")
    parser.add_argument("--json", action="store_true", help="preview: as JSON")
    parser.add_argument("--name", default="", help="secret: its configuration key")
    parser.add_argument("--output", type=Path, help="render: folder to write to")
    args = parser.parse_args()
    commands: dict[str, Callable[[], int]] = {
        "up": lambda: up(args.stack),
        "verify": lambda: check(args.stack),
        "preview": lambda: preview(args.stack, as_json=args.json),
        "refresh": lambda: refresh(args.stack),
        "down": lambda: down(args.stack, purge=args.purge),
        "password": lambda: password(args.stack),
        "secret": lambda: secret(args.stack, args.name),
        "capacity": lambda: capacity.capacity(args.stack, console),
        "render": lambda: render.render(args.stack, args.output or ROOT / "build" / "render" / args.stack),
    }
    try:
        return commands[args.command]()
    except ConfigError as error:
        console.print(f"[red]{escape(str(error))}[/]")
        return 2
    except subprocess.CalledProcessError as error:
        console.print(f"[red]failed:[/] {' '.join(map(str, error.cmd[:3]))} (exit status {error.returncode})")
        return 1


if __name__ == "__main__":
    sys.exit(main())
