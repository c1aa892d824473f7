"""Where Pulumi runs for a stack, and with which backend and passphrase.

Someone who uses Pulumi already (PULUMI_BACKEND_URL or PULUMI_ACCESS_TOKEN is set, or a login is stored) gets the
checkout itself as the working directory, as with plain `pulumi up`. Everyone else gets a local file backend, a
generated passphrase and a working directory of their own below the state directory, so that no account is needed and
nothing in the checkout changes.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cli import locks, passphrase, runs
from cli.record import read_record
from model.errors import ConfigError, Problem
from model.load import read_yaml
from model.scope import TARGETS

ROOT = Path(__file__).resolve().parent.parent
PROJECT = "observability"
MOVED = "moved.txt"
"""Beside the working copy of the stack's files: the URL of the backend that a local stack has gone to."""
VERSIONS = f"{PROJECT}:versions"
PULUMI_ENV = {"PULUMI_SKIP_UPDATE_CHECK": "true", "GOGC": "200"}
"""What Pulumi and its providers, which are Go programs, run with: their small heaps are collected half as often."""
ENCRYPTION_KEYS = ("encryptionsalt", "secretsprovider", "encryptedkey")
"""Top-level keys of a Pulumi.<stack>.yaml that Pulumi writes when it first encrypts a secret."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a platform says of itself: settings by section, and what it cannot give to a stack, as sentences."""

    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    remarks: Sequence[str] = ()


@dataclass(frozen=True)
class Workspace:
    """A stack's working directory and the environment that Pulumi is started with."""

    stack: str
    directory: Path
    env: Mapping[str, str]
    local: bool

    def run_pulumi(
        self,
        *args: str,
        check: bool = True,
        capture: bool = False,
        stdin: str | None = None,
        say: Callable[[str], object] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Runs the Pulumi CLI in the working directory; `stdin` is what it reads on standard input.

        With `say` each line that it prints is handed on instead.

        Raises:
            subprocess.CalledProcessError: it failed and `check` is set; where that is for want of the passphrase, its
                words say so.
            KeyboardInterrupt: it was interrupted.
        """
        mark = runs.derive_mark(self.key)
        command = ["pulumi", *args]
        done = runs.run_command(
            command, mark=mark, env=self.env, cwd=self.directory, capture=capture, stdin=stdin, say=say
        )
        if check and done.returncode:
            said = done.stderr if capture else None
            hint = self.explain_passphrase(said) if done.returncode > 0 else ""  # killed, it has said nothing
            words = "\n".join(filter(None, (said, hint))) or None
            raise subprocess.CalledProcessError(done.returncode, done.args, done.stdout, words)
        return done

    def explain_passphrase(self, said: str | None) -> str:
        """What is wrong with the passphrase by what Pulumi said; it is asked again where nobody saw that."""
        if said is None:
            said = self.run_pulumi(*passphrase.READ, "--stack", self.stack, check=False, capture=True).stderr
        return passphrase.explain_failure(said or "", self.env)

    @property
    def backend(self) -> str:
        """The URL of Pulumi's backend; empty where it is that of this person's login."""
        return self.env.get("PULUMI_BACKEND_URL", "")

    @property
    def key(self) -> str:
        """What tells the runs of this stack from those of all others on this machine."""
        return runs.derive_stack_key(self.directory, self.stack, self.backend)

    def export_state(self) -> dict[str, Any]:
        """The stack's state as plain data, secrets still encrypted.

        Raises:
            subprocess.CalledProcessError: it cannot be read. To take that for no state would be to take all that runs
                for what nobody has made.
        """
        done = self.run_pulumi("stack", "export", "--stack", self.stack, capture=True)
        return dict(json.loads(done.stdout or "{}"))

    @property
    def memory(self) -> Path:
        """The folder of this machine for what is remembered of the stack, wherever its state is."""
        return find_state_dir() / "work" / self.stack

    def read_outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs; none where it was never deployed.

        Raises:
            subprocess.CalledProcessError: they cannot be decrypted.
        """
        shown = ["--show-secrets"] if show_secrets else []
        done = self.run_pulumi("stack", "output", "--json", "--stack", self.stack, *shown, check=False, capture=True)
        if done.returncode and (hint := self.explain_passphrase(done.stderr)):
            raise subprocess.CalledProcessError(done.returncode, done.args, done.stdout, hint)
        return dict(json.loads(done.stdout)) if done.returncode == 0 and done.stdout.strip() else {}


def find_state_dir() -> Path:
    """Directory of the local backend, passphrase and working directories."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(os.environ.get("OBSERVABILITY_STATE") or Path(base) / PROJECT)


def has_own_backend(env: Mapping[str, str]) -> bool:
    """Whether this person has a Pulumi backend of their own."""
    if env.get("PULUMI_BACKEND_URL") or env.get("PULUMI_ACCESS_TOKEN"):
        return True
    credentials = Path(env.get("PULUMI_CREDENTIALS_PATH") or Path.home() / ".pulumi") / "credentials.json"
    try:
        return bool(json.loads(credentials.read_text(encoding="utf-8")).get("current"))
    except (OSError, ValueError):
        return False


def open_workspace(stack: str, tool_env: Mapping[str, str], overlay: Mapping[str, Any] | None = None) -> Workspace:
    """The workspace of a stack; the stack itself is created where it does not exist yet.

    Args:
        stack: name of the stack; there must be a Pulumi.<stack>.yaml.
        tool_env: environment in which the toolchain's tools are found.
        overlay: settings that this machine adds where the stack's own file says nothing, such as a registry mirror;
            None takes what the last `up` found.

    Raises:
        ConfigError: there is no such stack file, or the stack has been moved to another backend.
        SystemExit: Pulumi cannot open the stack.
    """
    source = ROOT / f"Pulumi.{stack}.yaml"
    if not source.exists():
        known = ", ".join(sorted(p.name.split(".")[1] for p in ROOT.glob("Pulumi.*.yaml")))
        raise ConfigError([Problem(source.name, f"there is no such file; stacks: {known}")])
    if has_own_backend(tool_env):
        space = Workspace(stack, ROOT, {**PULUMI_ENV, **tool_env}, local=False)
    else:
        space = open_local(stack, tool_env, overlay)
    if not (space.local and has_local_state(stack)):  # every command names its stack, so it need not be selected
        _select_stack(space)
    return space


def open_local(stack: str, tool_env: Mapping[str, str], overlay: Mapping[str, Any] | None = None) -> Workspace:
    """The workspace of a stack of this machine's own backend, whether the stack is there or not; see `open_workspace`.

    Raises:
        ConfigError: the stack has been moved to another backend.
    """
    source = ROOT / f"Pulumi.{stack}.yaml"
    if (moved := find_state_dir() / "work" / stack / MOVED).exists():
        message = f"is at {moved.read_text(encoding='utf-8').strip()}: set PULUMI_BACKEND_URL to that"
        raise ConfigError([Problem(f"the state of stack {stack}", f"{message}; to begin anew here, remove {moved}")])
    env = {**PULUMI_ENV, **tool_env}
    env.pop("PULUMI_CONFIG_PASSPHRASE", None)  # before its file for Pulumi, and of another backend
    env |= _prepare_local_backend()
    return Workspace(stack, _write_working_directory(source, stack, overlay), env, local=True)


def has_local_state(stack: str) -> bool:
    """Whether this machine's own backend knows the stack."""
    return (find_state_dir() / "backend/.pulumi/stacks" / PROJECT / f"{stack}.json").exists()


def _prepare_local_backend() -> dict[str, str]:
    base = find_state_dir()
    passphrase = base / "passphrase"
    (base / "backend").mkdir(parents=True, exist_ok=True, mode=0o700)
    if not passphrase.exists():
        temporary = base / f".passphrase-{os.getpid()}"
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
        temporary.rename(passphrase)
    return {
        "PULUMI_BACKEND_URL": f"file://{base / 'backend'}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
    }


def _write_working_directory(source: Path, stack: str, overlay: Mapping[str, Any] | None) -> Path:
    """Pulumi.yaml that points at the checkout, and the stack's file with what this machine adds to it."""
    directory = find_state_dir() / "work" / stack
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    project["main"] = str(ROOT)
    project["runtime"]["options"] = {"virtualenv": str(ROOT / ".venv")}
    write_document(directory / "Pulumi.yaml", project)
    remembered = directory / "machine.yaml"
    if overlay is not None:
        write_document(remembered, overlay)
    elif remembered.exists():
        overlay = yaml.safe_load(remembered.read_text(encoding="utf-8"))
    target = directory / f"Pulumi.{stack}.yaml"
    before = yaml.safe_load(target.read_text(encoding="utf-8")) if target.exists() else {}
    merged = merge_documents(read_document(source), before or {}, overlay or {})
    if held := read_record(find_held_file(stack)).held:
        merged["config"][VERSIONS] = {**parse_versions(merged, source.name), **held}
    write_document(target, merged)
    return directory


def rewrite_copy(space: Workspace) -> None:
    """Writes the local copy of a stack's file anew, with what is held now."""
    _write_working_directory(ROOT / f"Pulumi.{space.stack}.yaml", space.stack, None)


def find_held_file(stack: str) -> Path:
    """Where `cli.held` stores which versions an upgrade holds."""
    return find_state_dir() / "work" / stack / "held.yaml"


def parse_versions(document: Mapping[str, Any], file: str) -> dict[str, str]:
    """The setting `versions` in a stack's file, which Pulumi writes as a text of JSON too.

    Raises:
        ConfigError: it is something else.
    """
    said = (document.get("config") or {}).get(VERSIONS) or {}
    try:
        versions = json.loads(said) if isinstance(said, str) else said
        return {str(name): str(tag) for name, tag in versions.items()}
    except (ValueError, AttributeError):
        message = f"{said!r}: must be a mapping of images' names to tags, such as {{loki: 3.7.7}}"
        raise ConfigError([Problem(f"{file}: versions", message)]) from None


def mark_moved(space: Workspace, to: str) -> None:
    """Has a local stack be found at another backend alone."""
    (space.directory / MOVED).write_text(f"{to}\n", encoding="utf-8")


def read_overlay(space: Workspace) -> dict[str, Any]:
    """What this machine adds to the settings of a local stack."""
    remembered = space.directory / "machine.yaml"
    return dict(yaml.safe_load(remembered.read_text(encoding="utf-8")) or {}) if remembered.exists() else {}


def describe_machine(space: Workspace, settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Adds what a platform says of itself to a local stack's file, below what its own file says.

    Whoever has a Pulumi backend of their own says it in the stack's own file.
    """
    if not space.local:
        return
    overlay = read_overlay(space)
    for section, values in settings.items():
        overlay[section] = {**overlay.get(section, {}), **values}
    _write_working_directory(ROOT / f"Pulumi.{space.stack}.yaml", space.stack, overlay)


def merge_documents(source: Mapping[str, Any], before: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """The local stack file: the checkout's settings, the machine's additions below them, and its own secrets.

    Secrets that were set in the local file, and its encryption salt, are carried over: they exist nowhere else. With
    another salt, such as that of a team's backend in the checkout's file, none of them could be read.
    """
    merged = dict(source)
    config = {key: value for key, value in (source.get("config") or {}).items()}
    target = config.get(f"{PROJECT}:target", "docker")
    for key, value in overlay.items():
        name = f"{PROJECT}:{key}"
        if key in TARGETS and key != target:
            continue  # the stack has moved to the other target since the machine's additions were found
        if isinstance(value, Mapping) and isinstance(config.get(name, {}), Mapping):
            config[name] = {**value, **config.get(name, {})}
        else:
            config.setdefault(name, value)
    foreign = any(key in before and source.get(key) not in (None, before[key]) for key in ENCRYPTION_KEYS)
    for key, value in (before.get("config") or {}).items():
        if isinstance(value, Mapping) and set(value) == {"secure"} and (foreign or key not in config):
            config[key] = value
    merged["config"] = config
    for key in ENCRYPTION_KEYS:
        if key in before:
            merged[key] = before[key]
    return merged


def read_document(path: Path) -> Mapping[str, Any]:
    """The document of a stack's file.

    Raises:
        ConfigError: the file cannot be read, or is no mapping with a mapping called config in it.
    """
    document = read_yaml(path, path.parent) or {}
    if not isinstance(document, Mapping) or not isinstance(document.get("config") or {}, Mapping):
        raise ConfigError([Problem(path.name, "must be a mapping of keys to values, with another one called config")])
    return document


def write_document(path: Path, document: Mapping[str, Any]) -> None:
    """Writes YAML so that the file is there whole, or as it was before."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(yaml.safe_dump(dict(document), sort_keys=False), encoding="utf-8")
    temporary.rename(path)


def _select_stack(space: Workspace) -> None:
    answer = space.run_pulumi("stack", "select", space.stack, check=False, capture=True)
    if answer.returncode:
        locks.remove_stale_locks(space.backend, space.stack)  # of a run that was killed while it made the stack
        made = space.run_pulumi("stack", "init", space.stack, check=False, capture=True)
        if made.returncode:
            hint = space.explain_passphrase(made.stderr)
            raise SystemExit(f"cannot open the stack {space.stack}:\n{hint or made.stderr.strip()}")


def keep_secrets(space: Workspace, names: Collection[str]) -> None:
    """Stores generated secrets in the local stack file before a destroy: data that is kept still needs them.

    A database remembers the password it was made with, so the next `up` must find the same one.
    """
    if space.local:
        values = space.read_outputs(show_secrets=True)
        for name in sorted(set(names) & values.keys()):
            space.run_pulumi("config", "set", "--secret", name, "--stack", space.stack, stdin=str(values[name]))


def drop_secrets(space: Workspace, names: Collection[str]) -> None:
    """Removes what `keep_secrets` stored, once the data is gone."""
    if space.local:
        for name in sorted(names):
            space.run_pulumi("config", "rm", name, "--stack", space.stack, check=False, capture=True)


def forget_stack(space: Workspace) -> None:
    """Removes what a destroyed local stack leaves on disk, unless its file holds secrets that exist nowhere else."""
    if not space.local:
        return
    document = yaml.safe_load((space.directory / f"Pulumi.{space.stack}.yaml").read_text(encoding="utf-8"))
    space.run_pulumi("stack", "rm", "--yes", "--preserve-config", space.stack, check=False, capture=True)
    backend = find_state_dir() / "backend" / ".pulumi"
    for kind in ("backups", "history", "locks/organization"):
        shutil.rmtree(backend / kind / PROJECT / space.stack, ignore_errors=True)
    for leftover in (backend / "stacks" / PROJECT).glob(f"{space.stack}.json*"):
        leftover.unlink()
    encrypted = [v for v in (document.get("config") or {}).values() if isinstance(v, Mapping) and set(v) == {"secure"}]
    if not encrypted:
        shutil.rmtree(space.directory)
