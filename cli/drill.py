"""`observability drill`: a restore of the newest backups, into a stack that is made for it and removed again.

That stack has the parts whose data is backed up and nothing else: no agent reads lines into it, no receiver hears of
its alerts, nothing but itself is scraped, and it makes no backups. What it answers about the past is compared with what
the stack itself answers. Its files are a copy of the checkout, and its state is apart from that of all other stacks.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.markup import escape

from cli import answered
from cli.arguments import FINE, UNWELL
from cli.backups import Copy, Opened, ask_running, list_agents, parse_id
from cli.hosts import Host, open_host
from cli.render import plan_file
from cli.running import open_running
from cli.stack_file import build_location, read_settings
from cli.workspace import PROJECT, ROOT, find_state_dir, read_document, write_document
from components.backup.settings import NAME as BACKUP
from model.errors import ConfigError, Problem
from model.plan import Plan
from model.settings import Settings

ENDING = "-drill"
"""Behind the stack's name, the name of the other one."""
MARGIN = 120
"""Seconds before a backup up to which all that was sent had arrived."""
CARRIED = ("memory", "cpus", "retention", "retentionSize", "image")
"""What a part has in both stacks: it reads the same data with the same means."""
PARTS = {"prometheus": "prometheus", "loki": "loki", "alertmanager": "alertmanager", "grafana": "grafana"}
"""Parts whose data can be asked, and the sections of their settings."""
NEEDED = ("prometheus", "alertmanager")
"""Parts without which there is no stack; where an operator runs those of the stack itself, they begin empty."""
PORTS = {part: number for number, part in enumerate(PARTS, start=29690)}
"""Ports of the engine's loopback: those that the parts usually have are the stack's own."""
WHERE = {
    "docker": ("host", "certPath", "sshOptions", "registryMirror", "registryLogins", "externalNetworks", "socket"),
    "kubernetes": (
        "kubeconfig", "context", "storageClass", "registryMirror", "imagePullSecrets", "nodeSelector", "tolerations",
        "priorityClass",
    ),
}  # fmt: skip
"""Settings of a target that say where it is and what may run there; its doors and names are left out."""
OFF = {
    "docker": ("traefik", "promtail", "cadvisor", "nodeExporter"),
    "kubernetes": ("traefik", "promtail", "kubelet", "kubeStateMetrics"),
}
"""Sections of what would read, scrape or open something, and is there unless it is switched off."""
SYSTEM: Mapping[str, Any] = {
    "name": "drill",
    "title": "Restore drill",
    "services": {
        "restored": {"packs": [], "address": "prometheus:9090", "port": 9090, "metricsPath": "/prometheus/metrics"}
    },
}
"""A system needs a service: Prometheus itself, which is there."""
_LOGINS = ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "build", "__pycache__", ".*_cache", "node_modules", "tests", "findings", "pictures"
)


# -- the other stack's files -------------------------------------------------------------------------------------------


def build_stack_file(document: Mapping[str, Any], parts: Collection[str]) -> dict[str, Any]:
    """The settings of the other stack, as a document of Pulumi.<stack>.yaml.

    Args:
        document: that of the stack itself.
        parts: names of the parts that are restored.
    """
    config = {str(key).rpartition(":")[2]: value for key, value in (document.get("config") or {}).items()}
    target = str(config.get("target", "docker"))
    made: dict[str, Any] = {"system": SYSTEM["name"], "environment": "drill", "target": target, "demo": False}
    made |= {key: config[key] for key in (BACKUP, "versions") if key in config}
    made |= {section: {"enabled": False} for section in OFF[target]}
    made[target] = _choose(config.get(target), WHERE[target])
    for part, section in PARTS.items():
        needed = part in parts or part in NEEDED
        made[section] = _choose(config.get(section), CARRIED) if needed else {"enabled": False}
        if needed and target == "docker":
            made[section]["port"] = PORTS[part]
    return {"config": {f"{PROJECT}:{key}": value for key, value in made.items()}}


def drop_backups(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same settings without backups: an agent that starts makes one, and this stack's are of no use."""
    key = f"{PROJECT}:{BACKUP}"
    return {"config": {name: value for name, value in document["config"].items() if name != key}}


def _choose(section: Any, keys: Sequence[str]) -> dict[str, Any]:
    values = json.loads(section) if isinstance(section, str) else section or {}
    return {key: values[key] for key in keys if key in values}


@contextmanager
def copied_checkout(folder: Path) -> Iterator[Path]:
    """A copy of the checkout in a folder, which is removed again."""
    root = folder / "checkout"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(ROOT, root, ignore=_LEFT_OUT)
    (root / ".venv").symlink_to(ROOT / ".venv")
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


# -- the other stack ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Other:
    """The stack that is made for a drill: its name, its copy of the checkout, and where its state is."""

    name: str
    root: Path
    state: Path

    def plan(self, document: Mapping[str, Any]) -> Plan:
        """Writes its file, and plans it.

        Raises:
            ConfigError: something in it is wrong.
        """
        file = self.root / f"Pulumi.{self.name}.yaml"
        write_document(file, document)
        return plan_file(file, self.name, root=self.root)

    def run(self, *words: str, given: str | None = None) -> int:
        """Runs a command on it, whose lines are seen as they come; gives its exit status."""
        env = {name: value for name, value in os.environ.items() if name not in _LOGINS}
        env |= {"OBSERVABILITY_STATE": str(self.state), "PULUMI_CREDENTIALS_PATH": str(self.state)}
        command = [sys.executable, "-m", "cli", *words, "--stack", self.name]
        done = subprocess.run(command, cwd=self.root, env=env, input=given, text=True, check=False)
        return done.returncode


def find_shared_secrets(opened: Opened, plan: Plan) -> dict[str, str]:
    """The values of the other stack's secrets that the stack itself has, set by people or generated."""
    done = opened.space.run_pulumi("config", "--show-secrets", "--json", "--stack", opened.space.stack, capture=True)
    stored = {key.removeprefix(f"{PROJECT}:"): item.get("value", "") for key, item in json.loads(done.stdout).items()}
    known = {**opened.space.read_outputs(show_secrets=True), **stored}
    return {name: str(known[name]) for name in plan.secrets if name in known}


def open_other(settings: Settings, name: str) -> Host:
    """The engine or the cluster, for what the other stack has there."""
    location = build_location(settings)
    kubernetes = location.kubernetes.model_copy(update={"namespace": None})
    return open_host(name, replace(location, kubernetes=kubernetes, operator=None))


# -- the drill ---------------------------------------------------------------------------------------------------------


def choose_copies(host: Host, plan: Plan) -> dict[str, Copy]:
    """The newest backup of each part that can be asked.

    Raises:
        ConfigError: one has no backup, or it cannot be known; nothing was made.
    """
    problems, found = [], {}
    for agent in list_agents(plan):
        if agent.beside not in PARTS:
            continue
        try:
            copies = ask_running(host, agent)
        except RuntimeError as error:
            problems.append(f"the backups of {agent.beside} cannot be listed: {error}")
            continue
        if copies:
            found[agent.beside] = max(copies, key=lambda copy: copy.id)
        else:
            problems.append(f"{agent.beside} has no backup: make backup STACK={plan.stack}")
    if problems:
        raise ConfigError(Problem(f"drill of {plan.stack}", text) for text in problems)
    return found


def find_moment(copies: Mapping[str, Copy]) -> float:
    """The moment that both stacks are asked about, in seconds of the Unix epoch: before every backup began."""
    times = [begun.timestamp() for copy in copies.values() if (begun := parse_id(copy.id))]
    return min(times, default=time.time()) - MARGIN


def compare(live: Host, restored: Host, parts: Collection[str], at: float, console: Console) -> bool:
    """Asks both stacks about each part, and prints what is not the same; whether all was."""
    good = True
    for part in parts:
        ask = answered.QUESTIONS.get(part)
        if ask is None:  # it runs on its data, or `make up` had failed
            console.print(f"   {part}: runs on what was restored")
            continue
        try:
            known = ask(live, at, None)
            found = ask(restored, at, known)
        except RuntimeError as error:
            console.print(f"   [red]{part}: {escape(str(error))}[/]")
            good = False
            continue
        if part in answered.CHANGING:
            found = {name: found[name] for name in known.keys() & found.keys()}
        differences = answered.list_differences(known, found)
        for line in differences[:10]:
            console.print(f"   [red]{part}: {escape(line)}[/]")
        if more := len(differences) - 10:
            console.print(f"   [red]{part}: {more} more[/]") if more > 0 else None
        if not differences:
            console.print(f"   {part}: {len(known)} answers, all the same")
        good = good and not differences
    return good


class FailedError(Exception):
    """A step that failed; what it is called."""


def run_drill(opened: Opened, other: Other, settings: Settings, console: Console) -> int:
    """Restores, starts, asks and removes the other stack. Returns 1 where anything of that fails."""
    copies = choose_copies(opened.host, opened.plan)
    for agent in list_agents(opened.plan):
        if agent.beside not in PARTS:
            console.print(f"{agent.beside}: not tried; {agent.name} compares its files once a week")
    whole = build_stack_file(read_document(opened.space.directory / f"Pulumi.{opened.space.stack}.yaml"), copies)
    (other.root / f"configs/systems/{SYSTEM['name']}.yaml").write_text(yaml.safe_dump(dict(SYSTEM)), encoding="utf-8")
    good = False

    def step(title: str, *words: str, given: str | None = None) -> None:
        console.print(f"[bold]== {title}[/]")
        if other.run(*words, given=given):
            raise FailedError(title)

    try:
        plan = other.plan(whole)
        step("remove what an earlier drill may have left", "down", "--purge")
        shared = find_shared_secrets(opened, plan)
        for name, value in shared.items():
            step(f"secret {name}", "secret", "--name", name, given=value)
        empty = ",".join(agent.beside for agent in list_agents(plan) if agent.beside not in copies)
        options = ("--without", empty) if empty else ()
        step("restore", "restore", "--from", "latest", "--from-stack", opened.plan.stack, *options)
        alone = other.plan(drop_backups(whole))
        for name in shared.keys() - alone.secrets.keys():
            step(f"secret {name}", "secret", "--name", name, "--remove")
        step("start", "up")
        console.print("[bold]== compare[/]")
        good = compare(opened.host, open_other(settings, other.name), list(copies), find_moment(copies), console)
    except FailedError as error:
        console.print(f"[red]the drill failed[/]: {error}")
    finally:
        console.print(f"[bold]== remove {other.name}[/]")
        removed = other.run("down", "--purge") == 0
    if not removed:
        console.print(f"[red]{other.name} could not be removed[/]: the lines above say why; the next drill tries again")
    return FINE if good and removed else UNWELL


def run_command(args: argparse.Namespace) -> int:
    """Tries whether the newest backups of a running stack can be restored. Returns the exit code."""
    console = Console(highlight=False, soft_wrap=True)
    space, plan, host = open_running(args.stack)
    list_agents(plan)
    name = f"{plan.stack}{ENDING}"
    state = find_state_dir() / "drills" / plan.stack
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with copied_checkout(state) as root:
        other = Other(name, root, state)
        return run_drill(Opened(space, plan, host), other, read_settings(space.directory, args.stack), console)
