"""All secrets of a stack in one table, and new values for them: no value is ever shown."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli import secrets
from cli.secrets import Rotation, Row
from cli.workspace import Workspace
from model.errors import ConfigError
from model.plan import Plan
from model.secret import Htpasswd, Issued, Secret
from stack.assemble import ConfigValue, assemble_plan
from targets.platforms import PLATFORMS
from tests.support import fakes
from tests.support.systems import SYSTEM, changed, configuration, project
from tests.support.yaml_files import read_yaml, write_yaml

CANARY = "canary-hunter2"
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
RECEIVER = {"receivers": [{"name": "team", "slack": {"channel": "#a", "urlSecret": "slack-webhook"}}]}
KIND = "observability:components:MonitoringStack$random:index/randomPassword:RandomPassword"
ADMIN = f"urn:pulumi:dev::observability::{KIND}::dev-grafana-admin-password"


def plan_with(folder: Path, settings: Mapping[str, Any] | None = None, **config: ConfigValue) -> Plan:
    """The plan of the shop on Docker, with a receiver; secrets need not be set."""
    options: dict[str, str | ConfigValue] = {"alertmanager": json.dumps(RECEIVER), **(settings or {}), **config}
    root = project(folder, changed(SYSTEM, {}))
    return assemble_plan("dev", configuration(options), platforms=PLATFORMS, root=root, need_secrets=False)


def by_name(plan: Plan, *stored: str, times: Mapping[str, datetime] | None = None) -> dict[str, Row]:
    """The rows of the table."""
    return {row.name: row for row in secrets.build_rows(plan, stored, times or {}, NOW)}


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A stack with one generated secret of ten days, and one in the configuration that two updates have used."""
    plan = plan_with(tmp_path)
    monkeypatch.setattr(secrets, "plan_file", lambda path, stack: plan)
    config = {"observability:system": "shop", "observability:slack-webhook": {"secure": "v1:abc"}}
    (tmp_path / "Pulumi.dev.yaml").write_text(write_yaml({"config": config}))
    state = {"deployment": {"resources": [{"urn": ADMIN, "created": "2026-02-28T10:00:00.123456789Z"}]}}
    present = {"observability:slack-webhook": {"value": CANARY, "secret": True}}
    history = [
        entry("2026-03-09T00:00:00.000Z", CANARY, result="failed"),
        entry("2026-03-08T00:00:00.000Z", CANARY),
        entry("2026-03-07T00:00:00.000Z", CANARY),
        entry("2026-03-06T12:00:00.000Z", "other", kind="destroy"),
        entry("2026-03-06T00:00:00.000Z", "other"),
        entry("2026-03-05T00:00:00.000Z", CANARY),
    ]
    answers = {
        "stack export": json.dumps(state),
        "config --json": json.dumps(present),
        "stack history": json.dumps(history),
    }
    return fakes.workspace(tmp_path, answers)


def entry(start: str, value: str, kind: str = "update", result: str = "succeeded") -> dict[str, Any]:
    """An update as `pulumi stack history --json --show-secrets` gives it."""
    config = {"observability:slack-webhook": {"value": value, "secret": True}}
    return {"kind": kind, "startTime": start, "result": result, "config": config}


def console_text() -> tuple[Console, io.StringIO]:
    """A console and what it prints."""
    text = io.StringIO()
    return Console(file=text, width=240), text


# -- the table -------------------------------------------------------------------------------------------------------


def test_each_secret_has_a_state(tmp_path: Path) -> None:
    """Set, generated, still to be generated, made of others, or missing."""
    result = by_name(plan_with(tmp_path), times={"grafana-admin-password": NOW})
    assert result["slack-webhook"].state == "MISSING" and result["slack-webhook"].missing
    assert result["grafana-admin-password"].state == "generated"
    assert result["access-admin-password"].state == "not generated yet"
    assert result["traefik-users"].state == "made of access-admin-password"
    assert by_name(plan_with(tmp_path), "slack-webhook")["slack-webhook"].state == "set"
    assert by_name(plan_with(tmp_path), "slack-webhook")["slack-webhook"].age == "unknown"
    assert result["slack-webhook"].age == "-"
    assert all(row.purpose for row in result.values())


def test_each_secret_says_what_a_new_value_does(tmp_path: Path) -> None:
    """Read again in place, a restart of its readers by name, or no rotation at all."""
    result = by_name(plan_with(tmp_path))
    assert result["access-admin-password"].effect == "in place"
    assert result["grafana-admin-password"].effect == "restarts grafana"
    assert result["grafana-secret-key"].effect == "cannot be rotated"


def test_on_a_cluster_a_new_value_makes_new_pods(tmp_path: Path) -> None:
    """Of those who read it only at their start; the others read it again there too."""
    result = by_name(plan_with(tmp_path, {"target": "kubernetes"}))
    assert result["grafana-admin-password"].effect == "new pods of grafana"
    assert result["access-admin-password"].effect == "in place"


def test_logins_of_registries_are_in_the_table(tmp_path: Path) -> None:
    """They are secrets of the stack although no workload reads them."""
    login = {"registryLogins": [{"address": "r:5000", "username": "u", "passwordSecret": "pull"}]}
    row = by_name(plan_with(tmp_path, {"docker": json.dumps(login)}))["pull"]
    assert row.missing and row.effect == "in place" and "the registry r:5000" in row.purpose


def test_the_table_shows_no_value_and_ends_with_1_where_one_is_missing(
    space: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names, states and ages alone; what is missing is named with its command."""
    console, text = console_text()
    assert secrets.show_secrets(space, console) == 0
    assert "slack-webhook" in text.getvalue() and CANARY not in text.getvalue()
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {'observability:system': shop}")
    console, text = console_text()
    assert secrets.show_secrets(space, console) == 1
    assert "missing: make secret STACK=dev NAME=slack-webhook" in text.getvalue()


def test_a_program_reads_the_secrets(space: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As one document without a value, with the same exit codes as the table."""
    console, _ = console_text()
    assert secrets.show_secrets(space, console, as_json=True) == 0
    text = capsys.readouterr().out
    assert CANARY not in text
    assert {"slack-webhook": "set"}.items() <= {
        row["name"]: row["state"] for row in json.loads(text)["secrets"]
    }.items()
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {'observability:system': shop}")
    assert secrets.show_secrets(space, console, as_json=True) == 1
    missing = [row["name"] for row in json.loads(capsys.readouterr().out)["secrets"] if row["missing"]]
    assert "slack-webhook" in missing


# -- age -------------------------------------------------------------------------------------------------------------


def test_ages_come_from_pulumi(space: Workspace, tmp_path: Path) -> None:
    """Of what is generated, when its resource was created; of what is set, the first update with the same value."""
    times = secrets.find_times(space, plan_with(tmp_path), {"slack-webhook"})
    assert times == {
        "grafana-admin-password": datetime(2026, 2, 28, 10, tzinfo=UTC),
        "slack-webhook": datetime(2026, 3, 7, tzinfo=UTC),
    }


def test_a_value_that_no_update_has_used_has_no_age(space: Workspace, tmp_path: Path) -> None:
    """It is unknown since when it is set; nothing is guessed."""
    other = {"observability:slack-webhook": {"value": "new"}}
    fakes.fake_pulumi(tmp_path, {"config --json": json.dumps(other), "stack export": "{}"})
    assert secrets.find_times(space, plan_with(tmp_path), {"slack-webhook"}) == {}
    fakes.fake_pulumi(tmp_path, {"stack export": "{}"}, fails=("config",))
    assert secrets.find_times(space, plan_with(tmp_path), {"slack-webhook"}) == {}


def test_a_generated_secret_that_is_set_is_as_old_as_its_setting(space: Workspace, tmp_path: Path) -> None:
    """What the state has of an earlier value says nothing of the one in the configuration."""
    assert secrets.find_times(space, plan_with(tmp_path), {"grafana-admin-password"}) == {}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 min"), (3599, "59 min"), (3600, "1 h"), (172799, "47 h"), (172800, "2 days"), (86400 * 400, "400 days")],
)
def test_an_age_has_one_unit(seconds: int, text: str) -> None:
    """The largest that is whole."""
    assert secrets.format_age(NOW - timedelta(seconds=seconds), NOW) == text
    assert secrets.format_age(None, NOW) == "unknown"


# -- new values ------------------------------------------------------------------------------------------------------


def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """What comes on standard input."""
    (tmp_path / "typed").write_text(text)
    monkeypatch.setattr("sys.stdin", (tmp_path / "typed").open())


def test_what_is_generated_is_replaced(space: Workspace) -> None:
    """The random value's own resource is made again, and nothing else is said to Pulumi before the update."""
    rotation = secrets.prepare_rotation(space, "grafana-admin-password", console_text()[0])
    assert rotation.value is None and rotation.apply(space) == (ADMIN,)
    assert not [line for line in fakes.calls(space.directory) if line.startswith("config")]


def test_a_generated_value_in_the_configuration_is_removed(space: Workspace, tmp_path: Path) -> None:
    """As after `make down`: without it, the next update generates another one."""
    document = read_yaml((tmp_path / "Pulumi.dev.yaml").read_text())
    document["config"]["observability:grafana-admin-password"] = {"secure": "v1:x"}
    (tmp_path / "Pulumi.dev.yaml").write_text(write_yaml(document))
    assert secrets.prepare_rotation(space, "grafana-admin-password", console_text()[0]).apply(space) == ()
    assert fakes.calls(tmp_path)[-1] == "config rm grafana-admin-password --stack dev"


def test_a_value_from_outside_is_asked_for(space: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It travels on standard input, is stored only by `apply`, and stands in no argument."""
    typed(tmp_path, monkeypatch, "https://new\n")
    rotation = secrets.prepare_rotation(space, "slack-webhook", console_text()[0])
    assert not [line for line in fakes.calls(tmp_path) if line.startswith("config set")]
    assert rotation.apply(space) == ()
    assert fakes.calls(tmp_path)[-1] == "config set --secret slack-webhook --stack dev"
    assert (tmp_path / "stdin").read_text() == "https://new"


@pytest.mark.parametrize(
    "case",
    [
        ("slack-webhok", "x", "is no secret of the stack dev; did you mean 'slack-webhook'?"),
        ("slack-webhook", CANARY, "the value that it already has"),
        ("slack-webhook", "", "the new value is empty"),
        ("traefik-users", "x", "is made of others; rotate one of these: access-admin-password"),
        ("grafana-secret-key", "x", "cannot be rotated: with another key Grafana cannot read"),
        ("access-admin-password", "x", "has no value yet: make up generates it"),
    ],
)
def test_what_cannot_be_rotated_is_refused_with_words(
    space: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: tuple[str, str, str]
) -> None:
    """Before anything is changed, and without a value in the message."""
    name, given, says = case
    typed(tmp_path, monkeypatch, given)
    with pytest.raises(ConfigError) as caught:
        secrets.prepare_rotation(space, name, console_text()[0])
    assert says in str(caught.value) and CANARY not in str(caught.value)


def test_what_is_not_set_is_set_by_another_command(space: Workspace, tmp_path: Path) -> None:
    """There is nothing to rotate."""
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {'observability:system': shop}")
    with pytest.raises(ConfigError, match="make secret NAME=slack-webhook"):
        secrets.prepare_rotation(space, "slack-webhook", console_text()[0])


def test_sources_are_what_a_secret_is_made_of() -> None:
    """Passwords of a file of users, the seed of a certificate, and nothing for all others."""
    users = Secret(name="a", purpose="b", made=Htpasswd(users={"ada": "x", "bob": "y"}))
    issued = Secret(name="a", purpose="b", made=Issued(part="key", seed="s", host="h"))
    assert users.list_sources() == ("x", "y") and issued.list_sources() == ("s",)
    assert Secret(name="a", purpose="b").list_sources() == ()
    assert Rotation(secret=users).value is None


# -- one secret ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("slack-webhok", "is no secret of the stack dev; did you mean 'slack-webhook'"),
        ("loki", "is a setting, not a secret: write it into Pulumi.dev.yaml"),
        ("Bad Name", "is no secret of the stack dev"),
    ],
)
def test_what_nobody_would_read_is_not_stored(
    name: str, words: str, space: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be an unknown key, with which no command runs; nothing is stored, and no value is read."""
    monkeypatch.setattr(secrets, "read_value", lambda name, console: pytest.fail("read a value"))
    with pytest.raises(ConfigError, match=words):
        secrets.store_secret(space, name, console_text()[0])
    assert fakes.calls(tmp_path) == []


@pytest.mark.parametrize("value", ["", " \n\n"])
def test_an_empty_value_is_not_stored(
    value: str, space: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty value would only show where it fails."""
    monkeypatch.setattr(secrets, "read_value", lambda name, console: value)
    with pytest.raises(ConfigError, match="secret slack-webhook: its value is empty"):
        secrets.store_secret(space, "slack-webhook", console_text()[0])
    assert fakes.calls(tmp_path) == []


def test_a_stored_secret_is_confirmed(space: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says that it is stored and how it is deployed, without the value."""
    monkeypatch.setattr(secrets, "read_value", lambda name, console: CANARY)
    console, text = console_text()
    secrets.store_secret(space, "slack-webhook", console)
    assert fakes.calls(tmp_path) == ["config set --secret slack-webhook --stack dev"]
    assert "slack-webhook is stored" in text.getvalue() and CANARY not in text.getvalue()


def test_a_secret_is_removed_whatever_the_files_say(
    space: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that nobody reads stops every other command, so its removal plans nothing; one that is not there is named."""
    monkeypatch.setattr(secrets, "plan_file", lambda path, stack: pytest.fail("planned"))
    secrets.remove_secret(space, "slack-webhook", console_text()[0])
    assert fakes.calls(tmp_path) == ["config rm slack-webhook --stack dev"]
    with pytest.raises(ConfigError, match="secret slack: is not stored; did you mean 'slack-webhook'"):
        secrets.remove_secret(space, "slack", console_text()[0])


def test_a_terminal_is_asked_without_an_echo(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is printed, the value is not."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: CANARY)
    console, text = console_text()
    assert secrets.read_value("slack-webhook", console) == CANARY
    assert text.getvalue() == "Value of slack-webhook (it is not shown):\n"


def test_a_password_says_whose_it_is_and_where(tmp_path: Path) -> None:
    """The user and the pages that take both, by what they are; what no page takes says what it is."""
    plan = plan_with(tmp_path, {"grafana": '{"image": "dashboard-viewer"}', "demo": "true"})
    base = "http://127.0.0.1:8080"
    assert secrets.list_uses(plan, "grafana-admin-password") == ["user admin at:", f"  dashboard-viewer {base}/"]
    user, *pages = secrets.list_uses(plan, "access-admin-password")
    assert user == "user admin at:" and f"  prometheus {base}/prometheus/" in pages and len(pages) == 3
    assert secrets.list_uses(plan, "grafana-secret-key") == ["the key that Grafana encrypts its database with"]
    assert secrets.list_uses(plan, "of-before-password") == []


def test_passwords_are_printed_when_files_are_wrong(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever has to look what is wrong needs them most; then nobody knows what they are for."""

    def refuse(*_: object) -> Plan:
        raise ConfigError([])

    monkeypatch.setattr(secrets, "plan_file", refuse)
    fakes.fake_pulumi(space.directory, {"stack output": '{"grafana-admin-password": "x", "baseUrl": "http://h"}'})
    assert secrets.show_passwords(space, Console()) == 0
    assert capsys.readouterr().out == "grafana-admin-password: x\n"


def test_what_is_generated_is_known_by_the_files(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of a stack that is removed already; a receiver's secret is people's."""
    assert "grafana-admin-password" in secrets.list_generated(space)
    assert "slack-webhook" not in secrets.list_generated(space)

    def refuse(*_: object) -> Plan:
        raise ConfigError([])

    monkeypatch.setattr(secrets, "plan_file", refuse)
    assert secrets.list_generated(space) == set()
