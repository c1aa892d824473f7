"""`observability state-move`: the state and the secrets of a stack go to another Pulumi backend, and the stack runs on.

All is written to the new backend, read back and compared before anything is taken out of the old one. Secrets travel
through pipes, and are encrypted anew with what the new backend's stack encrypts with.
Format of a deployment: https://www.pulumi.com/docs/iac/cli/commands/pulumi_stack_export/.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.markup import escape

from cli import engine
from cli.arguments import FINE
from cli.locks import refuse_locked
from cli.workspace import PROJECT, ROOT, Workspace, find_state_dir, mark_moved, open_workspace, read_overlay
from model.errors import ConfigError, Problem

KEYS = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
"""Variables that say what a stack's secrets are encrypted with."""
URL = re.compile(r"(file|s3|gs|azblob|postgres|https?)://\S+")
"""Backends: https://www.pulumi.com/docs/iac/concepts/state-and-backends/."""


def move_state(space: Workspace, to: str, provider: str, console: Console) -> None:
    """Moves a stack to another backend.

    Args:
        space: the stack where it is.
        to: the URL of the other backend.
        provider: what encrypts its secrets there, as `pulumi stack init --secrets-provider` takes it; by a passphrase
            when empty.

    Raises:
        ConfigError: something is in the way; nothing was changed.
        LockedError: another run changes the stack.
        subprocess.CalledProcessError: Pulumi failed; the stack is where it was.
    """
    check_move(space, to, provider)
    refuse_locked(space.backend, space.stack)
    deployment = export_deployment(space)
    if deployment.get("pending_operations"):
        message = f"the last run of it was interrupted; let one end before: make up STACK={space.stack}"
        raise ConfigError([Problem(f"stack {space.stack}", message)])
    other = Workspace(space.stack, ROOT, build_env(space.env, os.environ, to), local=False)
    begin_stack(other, deployment, provider)
    console.print(f"   {len(deployment.get('resources', ()))} resources and the secrets of {space.stack} go to {to}")
    import_deployment(other, deployment)
    secrets = read_config(space)
    for name, value in secrets.items():
        if read_config(other).get(name) != value:
            other.run_pulumi("config", "set", "--secret", name, "--stack", other.stack, stdin=value)
    compare(deployment, export_deployment(other), secrets, read_config(other))
    stored = store_copy(space)
    leave(space, to)
    console.print(f"   it is there, whole; as it was, encrypted as before: {stored}")


def build_env(env: Mapping[str, str], around: Mapping[str, str], to: str) -> dict[str, str]:
    """The environment of Pulumi at the other backend: that of here, with the passphrase that people gave around it."""
    given = {key: around[key] for key in KEYS if around.get(key)}
    rest = {key: value for key, value in env.items() if key not in KEYS} if given else env
    return {**rest, **given, "PULUMI_BACKEND_URL": to}


def check_move(space: Workspace, to: str, provider: str) -> None:
    """Nothing, unless it is known before that a stack cannot go there.

    Raises:
        ConfigError: with all that is in the way.
    """
    problems = []
    if not URL.fullmatch(to):
        problems.append(Problem("TO", f"{to!r} is no URL of a backend, such as s3://bucket, file:///srv/states"))
    if to == space.backend:
        problems.append(Problem("TO", f"stack {space.stack} is there already"))
    if space.local and not provider and not any(map(os.environ.get, KEYS)):
        message = (
            "say with what its secrets are to be encrypted, which whoever runs it from now on needs too: a file with a"
            f" passphrase in {KEYS[1]}, or a key in SECRETS_PROVIDER (awskms://…, gcpkms://…, azurekeyvault://…)"
        )
        problems.append(Problem(f"stack {space.stack}", message))
    if problems:
        raise ConfigError(problems)


def export_deployment(space: Workspace) -> dict[str, Any]:
    """What Pulumi has of a stack, secrets in clear; they stay in the memory of this process.

    Raises:
        subprocess.CalledProcessError: it cannot be read, as with another passphrase.
    """
    done = space.run_pulumi("stack", "export", "--show-secrets", "--stack", space.stack, capture=True)
    return dict(json.loads(done.stdout)["deployment"])


def read_config(space: Workspace) -> dict[str, str]:
    """The secrets of a stack's configuration in clear, by name."""
    done = space.run_pulumi("config", "--show-secrets", "--json", "--stack", space.stack, capture=True)
    return {
        name.removeprefix(f"{PROJECT}:"): str(item["value"])
        for name, item in json.loads(done.stdout).items()
        if item.get("secret")
    }


def begin_stack(other: Workspace, deployment: Mapping[str, Any], provider: str) -> None:
    """Makes the stack in the other backend, or goes on with one that an interrupted move has made.

    Raises:
        ConfigError: another stack has its name there.
        subprocess.CalledProcessError: the backend does not answer, or the passphrase is another one.
    """
    listed = json.loads(other.run_pulumi("stack", "ls", "--json", capture=True).stdout)
    if other.stack not in {item["name"].rpartition("/")[2] for item in listed}:
        chosen = ("--secrets-provider", provider) if provider else ()
        other.run_pulumi("stack", "init", other.stack, *chosen, capture=True)
        return
    there = list_urns(export_deployment(other))
    if there and there != list_urns(deployment):
        message = f"has another stack called {other.stack}, with {len(there)} resources; give this one another backend"
        raise ConfigError([Problem(other.backend, message)])


def list_urns(deployment: Mapping[str, Any]) -> list[str]:
    """What a deployment consists of."""
    return [str(resource["urn"]) for resource in deployment.get("resources") or ()]


def import_deployment(other: Workspace, deployment: Mapping[str, Any]) -> None:
    """Writes a deployment to the other backend, encrypted as the stack there is.

    Pulumi encrypts with what the deployment names, not with what the stack has, so it must name that.
    """
    own = export_deployment(other)["secrets_providers"]
    text = json.dumps({"version": 3, "deployment": {**deployment, "secrets_providers": own}})
    other.run_pulumi("stack", "import", "--stack", other.stack, capture=True, stdin=text)


def compare(
    before: Mapping[str, Any], after: Mapping[str, Any], secrets: Mapping[str, str], found: Mapping[str, str]
) -> None:
    """Nothing, unless what was read back is not what was there.

    Raises:
        SystemExit: a resource, a value or a secret differs; the old backend has not been touched.
    """
    one, other = ({item["urn"]: item for item in each.get("resources") or ()} for each in (before, after))
    differing = [urn.rpartition("::")[2] for urn in one.keys() | other.keys() if one.get(urn) != other.get(urn)]
    differing += [name for name, value in secrets.items() if found.get(name) != value]
    if differing:
        raise SystemExit(
            f"the new backend does not have all as it was ({', '.join(sorted(differing)[:5])}), so the stack stays"
            " where it is"
        )


def store_copy(space: Workspace) -> Path:
    """Stores the state as it is, encrypted as it was, before it is taken out of its backend. Returns the file."""
    state, now = space.export_state(), datetime.now(UTC)
    folder = find_state_dir() / "moved"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{space.stack}-{now:%Y%m%dT%H%M%SZ}.json"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(state, file)
    return path


def leave(space: Workspace, to: str) -> None:
    """Takes a stack out of the backend that it has left, so that nobody runs it from there."""
    if space.local:
        mark_moved(space, to)
    command = ("stack", "rm", "--force", "--yes", "--preserve-config", space.stack)
    space.run_pulumi(*command, capture=True)


def list_additions(space: Workspace) -> str:
    """What this machine has added to the settings of a local stack, as YAML of a stack's file; empty where nothing."""
    added = {f"{PROJECT}:{key}": value for key, value in read_overlay(space).items()}
    return yaml.safe_dump({"config": added}, sort_keys=False) if added else ""


def run_command(args: argparse.Namespace) -> int:
    """Moves the stack in `args`. Returns its exit code."""
    console = Console(highlight=False, soft_wrap=True)
    space = open_workspace(args.stack, engine.build_tool_env())
    try:
        move_state(space, args.to, args.secrets_provider, console)
    except subprocess.CalledProcessError as error:
        console.print(f"[red]{escape((error.stderr or error.stdout or '').strip())}[/]")
        raise
    console.print(f"From now on: export PULUMI_BACKEND_URL={args.to}")
    if not args.secrets_provider:
        console.print(f"and {KEYS[1]} names the file with its passphrase.")
    console.print(f"Its secrets stand in Pulumi.{args.stack}.yaml, encrypted: commit it.")
    if space.local and (added := list_additions(space)):
        console.print("This machine has added settings, which are the stack's own file's to say now, as far as needed:")
        console.print(added.rstrip(), markup=False)
    return FINE
