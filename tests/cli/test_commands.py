"""Every command on stack files that use every key: none reads the file in a way of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli import __main__ as program
from cli import capacity, engine, hosts, render, routes, workspace
from cli import lifecycle as commands
from cli.cluster_host import ClusterHost
from cli.hosts import DockerHost
from cli.stack_file import Location, read_location
from cli.workspace import Description
from tests.support import calling, fakes
from tests.support.stack_files import stack_file
from tests.support.systems import ROOT, SYSTEM, changed, project
from tests.support.yaml_files import write_yaml

PLANNED = ("up", "preview", "refresh")
"""Commands that need all settings and the system."""
PLACED = ("verify", "down")
"""Commands that need what says where the stack runs, and no plan."""
LOCAL = ("password", "secret", "secrets", "render", "capacity", "routes")
"""Commands that ask neither an engine nor a cluster."""


class Opened(list[Location]):
    """Where commands looked for their stack."""


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """A checkout of its own, a fake Pulumi, and hosts on which nothing runs and that say where they were looked for."""
    root = project(tmp_path / "checkout", changed(SYSTEM, {}))
    (root / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    for module in (commands, workspace, render, capacity, routes):
        monkeypatch.setattr(module, "ROOT", root)
    monkeypatch.setenv("OBSERVABILITY_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN", "PULUMI_CREDENTIALS_PATH"):
        monkeypatch.delenv(name, raising=False)
    path = fakes.fake_pulumi(tmp_path, {"stack export": "{}", "stack output": "{}"})
    monkeypatch.setattr(engine, "build_tool_env", lambda: {"PATH": f"{path}:/usr/bin:/bin"})
    monkeypatch.setattr(commands, "fetch_prerequisites", lambda plan: {})
    result = Opened()
    monkeypatch.setattr(commands, "open_host", lambda stack, location: _remember(result, location))
    (tmp_path / "typed").write_text("hunter2\n")
    monkeypatch.setattr("sys.stdin", (tmp_path / "typed").open())
    (tmp_path / "certs").mkdir()
    return result


def _remember(found: Opened, location: Location) -> hosts.Host:
    found.append(location)
    host: Any = ClusterHost if location.target == "kubernetes" else DockerHost
    return _Empty(host)


class _Empty:
    """A host on which nothing runs."""

    def __init__(self, kind: type) -> None:
        self._names = {name for name in vars(kind) if not name.startswith("_")}

    def __getattr__(self, name: str) -> Any:
        if name not in self._names:
            raise AttributeError(name)
        answers: dict[str, Any] = {"describe": Description(), "find_urns_to_replace": {}, "pull_images": {}}
        return lambda *args, **options: answers.get(name, [])


def write(folder: Path, document: dict[str, Any]) -> None:
    """Writes the checkout's stack file, with the secret that a login needs set where Pulumi keeps it."""
    (folder / "checkout" / "Pulumi.x.yaml").write_text(write_yaml(document), encoding="utf-8")


def call(monkeypatch: pytest.MonkeyPatch, command: str) -> int:
    """`observability COMMAND --stack x`."""
    more = ["--name", "grafana-admin-password"] if command == "secret" else []
    return calling.call(monkeypatch, command, "--stack", "x", *more)


@pytest.mark.exhaustive
@pytest.mark.parametrize("target", ["docker", "kubernetes"])
@pytest.mark.parametrize("command", [*PLANNED, *PLACED, *LOCAL])
def test_every_command_takes_every_key(
    command: str, target: str, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does its work, and where it looks for the stack, it has all that the file says of the place."""
    write(tmp_path, stack_file(target))
    # a host on which nothing runs is not well and has no passwords, which is the end of what these look at
    assert call(monkeypatch, command) == (1 if command in ("up", "verify", "password") else 0)
    expected = read_location(tmp_path / "checkout", "x")
    assert opened == ([] if command in LOCAL else [expected])


@pytest.mark.parametrize("command", PLACED)
def test_a_broken_system_is_no_obstacle(
    command: str, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever looks at a running stack, or removes it, may have broken its system's file before."""
    write(tmp_path, stack_file("kubernetes"))
    (tmp_path / "checkout" / "configs" / "systems" / "shop.yaml").write_text("services: [")
    assert call(monkeypatch, command) == (1 if command == "verify" else 0)
    assert opened == [read_location(tmp_path / "checkout", "x")]
    assert call(monkeypatch, "preview") == 2 and "shop.yaml" in capsys.readouterr().out


def test_broken_settings_do_not_keep_a_stack_alive(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only those that say where it runs are needed to remove it; when these are wrong, they are named."""
    write(tmp_path, stack_file("kubernetes", scrapeInterval="often", typo=1))
    assert call(monkeypatch, "down") == 0 and len(opened) == 1
    write(tmp_path, stack_file("kubernetes", kubernetes={"contxt": "a"}))
    assert call(monkeypatch, "down") == 2 and len(opened) == 1
    assert "kubernetes.contxt: unknown key" in capsys.readouterr().out


@pytest.mark.parametrize("command", [*PLANNED, *PLACED, *LOCAL])
@pytest.mark.parametrize("text", ["config: [", "- a", "config: {'observability:docker': [}"])
def test_a_file_that_is_no_mapping_is_told(
    command: str, text: str, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By every command in words, with status 2."""
    (tmp_path / "checkout" / "Pulumi.x.yaml").write_text(text)
    assert call(monkeypatch, command) == 2 and opened == []


@pytest.mark.parametrize("command", ["verify", "secrets", "routes", "capacity"])
def test_json_has_standard_output_to_itself(
    command: str, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a program reads is one document; a mistake in the files goes to standard error and ends with 2."""
    write(tmp_path, stack_file("docker"))
    monkeypatch.setattr("sys.argv", ["observability", command, "--stack", "x", "--json"])
    assert program.main() == (1 if command == "verify" else 0)
    assert json.loads(capsys.readouterr().out)["stack"] == "x"
    (tmp_path / "checkout" / "Pulumi.x.yaml").write_text("config: [")
    assert program.main() == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "Pulumi.x.yaml" in captured.err


def test_another_failing_pulumi_ends_with_1(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever exit code Pulumi gives, a failed preview or secret is 1 and names what failed."""
    write(tmp_path, stack_file("docker"))
    fakes.fake_pulumi(tmp_path, fails=("preview", "config set"))
    assert call(monkeypatch, "preview") == 1 and "failed: pulumi preview --diff" in capsys.readouterr().out
    assert call(monkeypatch, "secret") == 1 and "failed: pulumi config set" in capsys.readouterr().out


def test_an_unknown_stack_is_wrong_input(
    opened: Opened, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands that open a stack first end with 2 as well, and list the stacks there are."""
    for command in (*PLANNED, *PLACED, *LOCAL):
        assert call(monkeypatch, command) == 2
        assert "Pulumi.x.yaml" in capsys.readouterr().out
