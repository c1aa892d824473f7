"""`observability state-move`: the state and the secrets of a stack go to another Pulumi backend, and the stack runs on.

All is written to the new backend, read back and compared before anything is taken out of the old one. Secrets travel
through pipes, and are encrypted anew with what the new backend's stack encrypts with. Until the end Pulumi works in a
folder of its own, so that the stack's file is as it was.
Format of a deployment: https://www.pulumi.com/docs/iac/cli/commands/pulumi_stack_export/.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import tempfile
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from rich.console import Console
from rich.markup import escape

from cli import engine
from cli.arguments import FINE
from cli.locks import refuse_locked
from cli.record import read_record
from cli.workspace import (
    ENCRYPTION_KEYS,
    PROJECT,
    PULUMI_ENV,
    ROOT,
    Workspace,
    find_held_file,
    find_state_dir,
    has_local_state,
    has_own_backend,
    mark_moved,
    open_local,
    read_document,
    read_overlay,
)
from model.errors import ConfigError, Problem

KEYS = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
"""Variables that say what a stack's secrets are encrypted with."""
URL = re.compile(r"(file|s3|gs|azblob|postgres|https?)://\S+")
"""Backends: https://www.pulumi.com/docs/iac/concepts/state-and-backends/."""


# -- before it -------------------------------------------------------------------------------------------------------


def find_source(stack: str, tool_env: Mapping[str, str]) -> Workspace:
    """The stack where it is now; nothing is made for it.

    Raises:
        ConfigError: it is nowhere, at two places, or has been moved already.
    """
    where, own = f"stack {stack}", has_own_backend(tool_env)
    if not (ROOT / f"Pulumi.{stack}.yaml").exists():
        raise ConfigError([Problem(f"Pulumi.{stack}.yaml", "there is no such file")])
    if has_local_state(stack):
        local = open_local(stack, tool_env)
        if own and is_there(Workspace(stack, ROOT, dict(tool_env), local=False)):
            message = "is both in this machine's own backend and in that of your environment; unset PULUMI_BACKEND_URL"
            raise ConfigError([Problem(where, f"{message} (or log out) to move the one of this machine")])
        return local
    space = Workspace(stack, ROOT, {**PULUMI_ENV, **tool_env}, local=False)
    if not own or not is_there(space):
        raise ConfigError([Problem(where, "is in no backend that is known here, so there is nothing to move")])
    return space


def is_there(space: Workspace) -> bool:
    """Whether a backend knows the stack."""
    return space.stack in list_stacks(space)


def list_stacks(space: Workspace) -> set[str]:
    """The names of the stacks of this project in a backend.

    Raises:
        subprocess.CalledProcessError: it does not answer.
    """
    listed = json.loads(space.run_pulumi("stack", "ls", "--json", capture=True).stdout)
    return {str(item["name"]).rpartition("/")[2] for item in listed}


def check_move(space: Workspace, to: str, provider: str) -> None:
    """Nothing, unless it is known before that a stack cannot go there.

    Raises:
        ConfigError: with all that is in the way.
    """
    where, problems = f"stack {space.stack}", []
    if not URL.fullmatch(to):
        problems.append(Problem("TO", f"{to!r} is no URL of a backend, such as s3://bucket, file:///srv/states"))
    elif urlsplit(to).password:
        problems.append(Problem("TO", "has a password in it, which would be seen; give it in the way of that server"))
    if space.local and not provider and not any(map(os.environ.get, KEYS)):
        message = (
            "say with what its secrets are to be encrypted, which whoever runs it from now on needs too: a file with a"
            f" passphrase in {KEYS[1]}, or a key in SECRETS_PROVIDER (awskms://…, gcpkms://…, azurekeyvault://…)"
        )
        problems.append(Problem(where, message))
    if not space.local and provider:
        message = "is encrypted as its file says; change that before or after: pulumi stack change-secrets-provider"
        problems.append(Problem(where, message))
    if held := read_record(find_held_file(space.stack)).held:
        message = f"an upgrade holds {', '.join(sorted(held))}; end it first: make upgrade STACK={space.stack}"
        problems.append(Problem(where, message))
    if problems:
        raise ConfigError(problems)


def check_deployment(stack: str, deployment: Mapping[str, Any]) -> None:
    """Nothing, unless it is one that cannot be moved.

    Raises:
        ConfigError: it has nothing in it, or its last run was interrupted.
    """
    where = f"stack {stack}"
    if not list_urns(deployment):
        raise ConfigError([Problem(where, "has no resources, so there is nothing to move")])
    if deployment.get("pending_operations"):
        message = f"the last run of it was interrupted; let one end before: make up STACK={stack}"
        raise ConfigError([Problem(where, message)])


# -- reading and writing ---------------------------------------------------------------------------------------------


def build_env(env: Mapping[str, str], around: Mapping[str, str], to: str) -> dict[str, str]:
    """The environment of Pulumi at the other backend: that of here, with the passphrase that people gave around it."""
    given = {key: around[key] for key in KEYS if around.get(key)}
    rest = {key: value for key, value in env.items() if key not in KEYS} if given else env
    return {**rest, **given, "PULUMI_BACKEND_URL": to}


def export_deployment(space: Workspace) -> dict[str, Any]:
    """What Pulumi has of a stack, secrets in clear; they stay in the memory of this process.

    Raises:
        subprocess.CalledProcessError: it cannot be read, as with another passphrase.
    """
    done = space.run_pulumi("stack", "export", "--show-secrets", "--stack", space.stack, capture=True)
    return dict(json.loads(done.stdout)["deployment"])


def read_secrets(space: Workspace) -> dict[str, str]:
    """The secrets of a stack's configuration in clear, by name.

    Raises:
        subprocess.CalledProcessError: they cannot be read, as with another passphrase.
    """
    done = space.run_pulumi("config", "--show-secrets", "--json", "--stack", space.stack, capture=True)
    return {
        name.removeprefix(f"{PROJECT}:"): str(item["value"])
        for name, item in json.loads(done.stdout).items()
        if item.get("secret")
    }


def list_urns(deployment: Mapping[str, Any]) -> list[str]:
    """What a deployment consists of."""
    return [str(resource["urn"]) for resource in deployment.get("resources") or ()]


def prepare_folder(space: Workspace, folder: Path) -> None:
    """Has Pulumi work in a folder of its own: a project of the name, and a copy of the stack's file where the stack is
    encrypted as that says.
    """
    (folder / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n", encoding="utf-8")
    if not space.local:
        name = f"Pulumi.{space.stack}.yaml"
        shutil.copyfile(ROOT / name, folder / name)


def check_place(space: Workspace, other: Workspace) -> None:
    """Nothing, unless the other backend has the very state that the stack has now: they are one, whatever their URLs.

    Encrypted anew it is never the same, so what an interrupted move has written there is told from it.

    Raises:
        ConfigError: they are.
        subprocess.CalledProcessError: one of them does not answer.
    """
    if is_there(other) and other.export_state() == space.export_state():
        raise ConfigError([Problem("TO", f"stack {space.stack} is there already")])


def begin_stack(other: Workspace, deployment: Mapping[str, Any], provider: str) -> None:
    """Makes the stack in the other backend, or goes on with one that an interrupted move has made.

    Raises:
        ConfigError: another stack has its name there.
        subprocess.CalledProcessError: the backend does not answer, or the passphrase is another one.
    """
    if not is_there(other):
        chosen = ("--secrets-provider", provider) if provider else ()
        other.run_pulumi("stack", "init", "--no-select", other.stack, *chosen, capture=True)
        return
    there = dict(other.export_state()["deployment"])
    if list_urns(there) and list_urns(there) != list_urns(deployment):
        message = f"has another stack called {other.stack}, with {len(list_urns(there))} resources; choose another one"
        raise ConfigError([Problem(other.backend, message)])
    path = other.directory / f"Pulumi.{other.stack}.yaml"
    document = dict(read_document(path)) if path.exists() else {}
    path.write_text(yaml.safe_dump({**document, **describe_encryption(there)}, sort_keys=False), encoding="utf-8")


def describe_encryption(deployment: Mapping[str, Any]) -> dict[str, str]:
    """The keys of a stack's file that say what its secrets are encrypted with, as its deployment has them."""
    provider = deployment.get("secrets_providers") or {}
    state = provider.get("state") or {}
    if provider.get("type") == "passphrase":
        return {"encryptionsalt": state["salt"]}
    if provider.get("type") == "cloud":
        return {"secretsprovider": state["url"], "encryptedkey": state["encryptedkey"]}
    return {}


def import_deployment(other: Workspace, deployment: Mapping[str, Any]) -> None:
    """Writes a deployment to the other backend, encrypted as the stack there is.

    Pulumi encrypts with what the deployment names, not with what the stack has, so it must name that.

    Raises:
        subprocess.CalledProcessError: it could not be written.
    """
    own = export_deployment(other).get("secrets_providers")
    text = json.dumps({"version": 3, "deployment": {**deployment, "secrets_providers": own}})
    other.run_pulumi("stack", "import", "--stack", other.stack, capture=True, stdin=text)


def store_secrets(space: Workspace, values: Mapping[str, str]) -> None:
    """Has a stack's file hold these secrets; those that it holds already are left alone.

    Raises:
        subprocess.CalledProcessError: they could not be stored.
    """
    found = read_secrets(space)
    for name, value in values.items():
        if found.get(name) != value:
            space.run_pulumi("config", "set", "--secret", name, "--stack", space.stack, stdin=value)


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Names of resources that two deployments do not have alike."""
    one, other = ({item["urn"]: item for item in each.get("resources") or ()} for each in (before, after))
    return sorted(urn.rpartition("::")[2] for urn in one.keys() | other.keys() if one.get(urn) != other.get(urn))


# -- the move --------------------------------------------------------------------------------------------------------


def move_state(space: Workspace, to: str, provider: str, console: Console) -> None:
    """Moves a stack to another backend.

    Args:
        space: the stack where it is.
        to: the URL of the other backend.
        provider: what encrypts its secrets there, as `pulumi stack init --secrets-provider` takes it; by a passphrase
            when empty.
        console: where it is said what is done.

    Raises:
        ConfigError: something is in the way; nothing was changed.
        LockedError: another run changes the stack.
        SystemExit: what was read back differs, or the stack has changed meanwhile; it is where it was.
        subprocess.CalledProcessError: Pulumi failed; the stack is where it was, and the same command goes on.
    """
    check_move(space, to, provider)
    refuse_locked(space.backend, space.stack)
    deployment, values = export_deployment(space), read_secrets(space)
    check_deployment(space.stack, deployment)
    with tempfile.TemporaryDirectory(prefix="observability-") as folder:
        prepare_folder(space, Path(folder))
        other = Workspace(space.stack, Path(folder), build_env(space.env, os.environ, to), local=False)
        check_place(space, other)
        begin_stack(other, deployment, provider)
        if space.local:
            check_encryption(space.stack, describe_encryption(export_deployment(other)))
        console.print(f"   {len(list_urns(deployment))} resources and {len(values)} secrets of {space.stack} go there")
        import_deployment(other, deployment)
        store_secrets(other, values)
        _refuse(compare(deployment, export_deployment(other)), "the new backend does not have all as it was")
        _refuse([name for name in values if read_secrets(other).get(name) != values[name]], "a secret is another one")
        _refuse(compare(deployment, export_deployment(space)), "the stack has been changed meanwhile")
        copy = store_copy(space, deployment)
        if space.local:
            write_encryption(space.stack, describe_encryption(export_deployment(other)))
            store_secrets(replace(other, directory=ROOT), values)
    leave(space, to, console)
    console.print(f"   it is there, whole; as it was, encrypted as before: {copy}")


def _refuse(names: list[str], why: str) -> None:
    if names:
        raise SystemExit(f"{why} ({', '.join(names[:5])}), so the stack stays where it is")


def check_encryption(stack: str, keys: Mapping[str, str]) -> bool:
    """Whether the stack's own file says already that its secrets are encrypted with these.

    Raises:
        ConfigError: it says something else, as the secrets in it are those of another backend.
    """
    path = ROOT / f"Pulumi.{stack}.yaml"
    said = {key: value for key, value in read_document(path).items() if key in ENCRYPTION_KEYS}
    if said and said != keys:
        message = f"says already what its secrets are encrypted with ({', '.join(said)}), and it is something else"
        raise ConfigError([Problem(path.name, f"{message}; take out that and the secrets in it")])
    return bool(said)


def write_encryption(stack: str, keys: Mapping[str, str]) -> None:
    """Has the stack's own file say what its secrets are encrypted with; the rest of it stays as people wrote it.

    Raises:
        ConfigError: see `check_encryption`.
    """
    if not check_encryption(stack, keys) and keys:
        path = ROOT / f"Pulumi.{stack}.yaml"
        text = path.read_text(encoding="utf-8")
        path.write_text(f"{text.rstrip()}\n{yaml.safe_dump(dict(keys))}", encoding="utf-8")


def store_copy(space: Workspace, deployment: Mapping[str, Any]) -> Path:
    """Stores the state as it is, encrypted as it was, before it is taken out of its backend. Returns the file.

    Raises:
        subprocess.CalledProcessError: it cannot be read.
        SystemExit: it is not what was moved.
    """
    state = space.export_state()
    if list_urns(state["deployment"]) != list_urns(deployment):
        raise SystemExit("the stack has been changed meanwhile, so it stays where it is")
    folder = find_state_dir() / "moved"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{space.stack}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(state, file)
    return path


def leave(space: Workspace, to: str, console: Console) -> None:
    """Takes a stack out of the backend that it has left, so that nobody runs it from there."""
    if space.local:
        mark_moved(space, to)
    command = ("stack", "rm", "--force", "--yes", "--preserve-config", space.stack)
    try:
        space.run_pulumi(*command, capture=True)
    except subprocess.CalledProcessError as error:
        console.print(f"[yellow]it is still in the old backend too:[/] {escape((error.stderr or '').strip())}")
        console.print(f"   take it out there: PULUMI_BACKEND_URL={space.backend} pulumi {' '.join(command)}")


def list_additions(space: Workspace) -> str:
    """What this machine has added to the settings of a local stack, as YAML; empty where nothing was added.

    Each section is whole: what its own file says of it, with what was added below.
    """
    config = read_document(ROOT / f"Pulumi.{space.stack}.yaml").get("config") or {}
    added = {}
    for key, value in read_overlay(space).items():
        said = config.get(name := f"{PROJECT}:{key}")
        whole = {**value, **(said or {})} if isinstance(value, Mapping) and isinstance(said or {}, Mapping) else said
        if whole != said:
            added[name] = whole
    return yaml.safe_dump(added, sort_keys=False) if added else ""


def run_command(args: argparse.Namespace) -> int:
    """Moves the stack in `args`. Returns its exit code."""
    console = Console(highlight=False, soft_wrap=True)
    space = find_source(args.stack, engine.build_tool_env())
    move_state(space, args.to, args.secrets_provider, console)
    console.print(f"From now on, for this stack alone: PULUMI_BACKEND_URL='{args.to}'")
    if not args.secrets_provider:
        console.print(f"and {KEYS[1]} names the file with its passphrase.")
    if space.local:
        console.print(f"Its secrets stand in Pulumi.{args.stack}.yaml, encrypted: commit it.")
    if space.local and (added := list_additions(space)):
        console.print(
            f"Put this below `config:` of Pulumi.{args.stack}.yaml, each section in the place of its own there:"
        )
        console.print("this machine had added it, and without it the next run replaces containers.")
        console.print(textwrap.indent(added.rstrip(), "  "), markup=False)
    console.print(f"Then make preview STACK={args.stack} shows nothing to create, update, replace or delete.")
    return FINE
