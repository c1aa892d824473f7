"""All secrets of a stack in one place: which there are, how old they are, and how they get another value."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.pages import list_addresses
from cli.render import plan_file
from cli.stack_file import read_config
from cli.workspace import PROJECT, Workspace
from model.errors import ConfigError, Problem, suggest_name
from model.load import list_keys
from model.places import locate_settings_file
from model.plan import Plan
from model.secret import Secret

HISTORY_ENTRIES = 1000
"""Updates that are looked back at for the age of a secret; Pulumi shows the last 10 unless asked."""
_GENERATED = "random:index/randomPassword:RandomPassword"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A secret as the table shows it."""

    name: str
    purpose: str
    state: str
    age: str
    effect: str
    missing: bool = False


def show_secrets(space: Workspace, console: Console, *, as_json: bool = False) -> int:
    """Prints a table of the stack's secrets, without a value. Returns 1 where one is missing.

    Raises:
        ConfigError: the stack's files are wrong.
    """
    plan, stored = plan_without_secrets(space), list_stored_names(space)
    listed = list(build_rows(plan, stored, find_times(space, plan, stored), datetime.now(UTC)))
    missing = [row.name for row in listed if row.missing]
    if as_json:
        print(json.dumps({"stack": space.stack, "secrets": [asdict(row) for row in listed]}))
        return 1 if missing else 0
    table = Table(title=f"Secrets of stack {space.stack}", title_justify="left")
    for heading in ("secret", "what it is", "state", "age", "a new value"):
        table.add_column(heading, no_wrap=heading == "secret", overflow="fold")
    for row in listed:
        state = f"[red]{row.state}[/]" if row.missing else row.state
        table.add_row(row.name, row.purpose, state, row.age, row.effect)
    console.print(table)
    for name in missing:
        console.print(f"missing: make secret STACK={space.stack} NAME={name}")
    return 1 if missing else 0


def show_passwords(space: Workspace, console: Console) -> int:
    """Prints the generated passwords, each with its user and the pages where it is taken. Returns 1 where none are."""
    outputs = space.read_outputs(show_secrets=True)
    passwords = {name: value for name, value in outputs.items() if name.endswith("password")}
    try:
        plan = plan_without_secrets(space) if passwords else None
    except ConfigError:  # what was deployed has them all the same
        plan = None
    for name, value in passwords.items():
        print(f"{name}: {value}")
        for line in list_uses(plan, name) if plan else ():
            console.print(f"    {escape(line)}")
    if not passwords:
        console.print(f"the stack {space.stack} has no passwords: make up STACK={space.stack} generates them")
    return 0 if passwords else 1


def list_uses(plan: Plan, name: str) -> list[str]:
    """What a password is for, as lines: its user and the pages where both are taken, or else what its secret is."""
    pages = list_addresses(plan, plan.settings.base_url)
    users = dict.fromkeys(login.user for page in pages for login in page.logins if login.secret == name)
    taken = [page for page in pages if any(login.secret == name for login in page.logins)]
    if not taken:
        return [plan.secrets[name].purpose] if name in plan.secrets else []
    return [f"user {', '.join(users)} at:", *(f"  {page.shown} {page.address}" for page in taken)]


def plan_without_secrets(space: Workspace) -> Plan:
    """The stack's plan, whether or not its secrets are set.

    Raises:
        ConfigError: the stack's files are wrong.
    """
    return plan_file(space.directory / locate_settings_file(space.stack), space.stack)


def list_stored_names(space: Workspace) -> set[str]:
    """Names of the secrets in the stack's configuration."""
    config = read_config(space.directory / locate_settings_file(space.stack))
    return {name for name, item in config.items() if item.secret}


def list_generated(space: Workspace) -> set[str]:
    """Names of the secrets that the stack generates where they are not set; none where its files are wrong."""
    try:
        return {name for name, secret in plan_without_secrets(space).secrets.items() if secret.generate}
    except ConfigError:
        return set()


def build_rows(plan: Plan, stored: Collection[str], times: Mapping[str, datetime], now: datetime) -> Iterator[Row]:
    """The table's rows, by name; `times` says since when each has its present value, as far as it is known."""
    for name, secret in sorted(plan.secrets.items()):
        state, missing = _describe_state(secret, name in stored, name in times)
        yield Row(
            name=name,
            purpose=secret.purpose,
            state=state,
            age="-" if secret.made or not (name in stored or name in times) else format_age(times.get(name), now),
            effect=describe_effect(plan, secret),
            missing=missing,
        )


def _describe_state(secret: Secret, stored: bool, deployed: bool) -> tuple[str, bool]:
    if secret.made:
        return f"made of {', '.join(sorted(set(secret.list_sources())))}", False
    if stored:
        return "set", False
    if secret.generate:
        return ("generated" if deployed else "not generated yet"), False
    return "MISSING", True


def describe_effect(plan: Plan, secret: Secret) -> str:
    """What another value does to the processes that read it."""
    if secret.permanent:
        return "cannot be rotated"
    names = {secret.name, *(other.name for other in plan.secrets.values() if secret.name in other.list_sources())}
    reading = [
        (workload.name, file.reread)
        for workload in plan.list_workloads()
        for file in workload.secrets
        if file.secret in names
    ]
    restarted = sorted({name for name, reread in reading if not reread})
    if restarted:
        return f"{'new pods of' if plan.settings.target == 'kubernetes' else 'restarts'} {', '.join(restarted)}"
    return "in place"


# -- age -------------------------------------------------------------------------------------------------------------


def find_times(space: Workspace, plan: Plan, stored: Collection[str]) -> dict[str, datetime]:
    """Since when the stack has had each secret's present value, where Pulumi knows it.

    For what is generated this is when its resource was created. For what is in the configuration it is the begin of
    the first update with the same value, as Pulumi records the configuration of each update; a value that no update
    has used yet has no time.
    """
    planned_names = {name for name in stored if name in plan.secrets}
    return _find_created(space.export_state(), plan, stored) | (
        _find_first_used(space, planned_names) if planned_names else {}
    )


def _find_created(state: Mapping[str, Any], plan: Plan, stored: Collection[str]) -> dict[str, datetime]:
    created = {resource["urn"]: str(resource.get("created") or "") for resource in _list_resources(state)}
    times: dict[str, datetime] = {}
    for name, secret in plan.secrets.items():
        urns = list_generated_urns(state, plan.stack, name) if secret.generate and name not in stored else ()
        if urns and created[urns[0]]:
            times[name] = parse_time(created[urns[0]])
    return times


def list_generated_urns(state: Mapping[str, Any], stack: str, name: str) -> tuple[str, ...]:
    """The URN of a generated secret in a stack's state; empty where it has not been generated."""
    ending = f"{_GENERATED}::{stack}-{name}"
    return tuple(resource["urn"] for resource in _list_resources(state) if resource["urn"].endswith(ending))


def _list_resources(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list((state.get("deployment") or {}).get("resources") or [])


def _find_first_used(space: Workspace, names: Collection[str]) -> dict[str, datetime]:
    """Values are compared in memory; none leaves this function."""
    present = _run_json(space, "config", "--json", "--show-secrets", "--stack", space.stack)
    pages = ("--page-size", str(HISTORY_ENTRIES), "--page", "1")
    history = _run_json(space, "stack", "history", "--json", "--show-secrets", *pages, "--stack", space.stack)
    updates = [entry for entry in history or [] if (entry["kind"], entry["result"]) == ("update", "succeeded")]
    times: dict[str, datetime] = {}
    for name in names:
        key = f"{PROJECT}:{name}"
        value = ((present or {}).get(key) or {}).get("value")
        for entry in updates:  # the newest first
            if value is None or (entry["config"].get(key) or {}).get("value") != value:
                break
            times[name] = parse_time(entry["startTime"])
    return times


def _run_json(space: Workspace, *args: str) -> Any:
    done = space.run_pulumi(*args, check=False, capture=True)
    return json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else None


def parse_time(text: str) -> datetime:
    """A time as Pulumi writes it, whose fractions may have more digits than Python reads."""
    return datetime.fromisoformat(text.partition(".")[0].removesuffix("Z")).replace(tzinfo=UTC)


def format_age(start: datetime | None, now: datetime) -> str:
    """The time since `start` in its largest whole unit, or "unknown"."""
    if start is None:
        return "unknown"
    minutes = max(0, int((now - start).total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


# -- new values ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """A secret that is to have another value; `value` is None where the stack generates it."""

    secret: Secret
    value: str | None = None

    def apply(self, space: Workspace) -> tuple[str, ...]:
        """Stores the value, or removes an earlier one from the configuration. Returns URNs that `up` has to replace.

        A generated value is in the configuration after `make down`, and where somebody has set it.

        Raises:
            subprocess.CalledProcessError: Pulumi could not change the configuration.
        """
        name = self.secret.name
        if self.value is not None:
            space.run_pulumi("config", "set", "--secret", name, "--stack", space.stack, stdin=self.value)
            return ()
        if name in list_stored_names(space):
            space.run_pulumi("config", "rm", name, "--stack", space.stack)
            return ()
        return list_generated_urns(space.export_state(), space.stack, name)


def check_new_secret(space: Workspace, name: str) -> None:
    """Whether a secret of that name may be stored: the stack has to have a use for it.

    What nobody reads would stand in the stack's configuration as an unknown key, so that no command could run.

    Raises:
        ConfigError: the stack's files are wrong, or no secret that could be stored has this name.
    """
    plan = plan_without_secrets(space)
    if name in list_keys(type(plan.settings)):
        raise _build_refusal(name, f"is a setting, not a secret: write it into {locate_settings_file(space.stack)}")
    secret = plan.secrets.get(name)
    if secret is None:
        usable = [known for known, secret in plan.secrets.items() if not secret.made]
        raise _build_refusal(
            name,
            f"is no secret of the stack {space.stack}; {suggest_name(name, usable)}. A new one is named first where it"
            " is used, such as a receiver's urlSecret",
        )
    if secret.made:
        raise _build_refusal(name, f"is made of others: {', '.join(sorted(set(secret.list_sources())))}")


def store_secret(space: Workspace, name: str, console: Console) -> None:
    """Reads a secret's value and stores it in the stack's configuration.

    Raises:
        ConfigError: see `check_new_secret`, or the value is empty.
        subprocess.CalledProcessError: Pulumi could not change the configuration.
    """
    check_new_secret(space, name)
    value = read_value(name, console)
    if not value.strip():
        raise _build_refusal(name, "its value is empty; nothing was stored")
    space.run_pulumi("config", "set", "--secret", name, "--stack", space.stack, stdin=value)
    console.print(f"{name} is stored, encrypted; make up STACK={space.stack} deploys it")


def remove_secret(space: Workspace, name: str, console: Console) -> None:
    """Removes a secret from the stack's configuration, whatever its files say.

    Raises:
        ConfigError: it does not stand there.
        subprocess.CalledProcessError: Pulumi could not change the configuration.
    """
    stored = list_stored_names(space)
    if name not in stored:
        raise _build_refusal(name, f"is not stored; {suggest_name(name, stored)}")
    space.run_pulumi("config", "rm", name, "--stack", space.stack)
    console.print(f"{name} is removed from the configuration of the stack {space.stack}")


def prepare_rotation(space: Workspace, name: str, console: Console) -> Rotation:
    """Asks for all that a rotation needs and changes nothing yet.

    Raises:
        ConfigError: there is no such secret, it cannot be rotated, or the new value is the old one.
    """
    secret, stored = find_rotatable(plan_without_secrets(space), name), list_stored_names(space)
    if not secret.generate:
        if name not in stored:
            raise _build_refusal(name, f"is not set yet: make secret NAME={name}")
        return Rotation(secret=secret, value=_read_other_value(space, name, console))
    if name not in stored and not list_generated_urns(space.export_state(), space.stack, name):
        raise _build_refusal(name, "has no value yet: make up generates it")
    return Rotation(secret=secret)


def find_rotatable(plan: Plan, name: str) -> Secret:
    """The secret of that name, if it can have another value.

    Raises:
        ConfigError: there is no such secret, or it cannot be rotated.
    """
    secret = plan.secrets.get(name)
    if secret is None:
        raise _build_refusal(name, f"is no secret of the stack {plan.stack}; {suggest_name(name, plan.secrets)}")
    if secret.made:
        raise _build_refusal(
            name, f"is made of others; rotate one of these: {', '.join(sorted(set(secret.list_sources())))}"
        )
    if secret.permanent:
        raise _build_refusal(name, f"cannot be rotated: {secret.permanent}")
    return secret


def _build_refusal(name: str, text: str) -> ConfigError:
    return ConfigError([Problem(f"secret {name}", text)])


def _read_other_value(space: Workspace, name: str, console: Console) -> str:
    value = read_value(name, console)
    if not value:
        raise _build_refusal(name, "the new value is empty")
    present = _run_json(space, "config", "--json", "--show-secrets", "--stack", space.stack) or {}
    if (present.get(f"{PROJECT}:{name}") or {}).get("value") == value:
        raise _build_refusal(name, "this is the value that it already has")
    return value


def read_value(name: str, console: Console) -> str:
    """A secret's value: asked for without showing it, or from standard input where that is no terminal."""
    if sys.stdin.isatty():
        console.print(f"Value of {name} (it is not shown):")
        return getpass.getpass("")
    return sys.stdin.read().rstrip("\n")
