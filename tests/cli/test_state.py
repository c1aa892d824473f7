"""A stack goes to another backend: what is in the way, what is written there, and that it is compared before."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli import state, workspace
from cli.workspace import Workspace, open_workspace
from model.errors import ConfigError
from tests.support import fakes

URN = "urn:pulumi:dev::observability::pulumi:pulumi:Stack::observability-dev"
HERE, TO = "file:///here", "s3://states"


def deployment(*urns: str, **more: Any) -> dict[str, Any]:
    """What a stack consists of, with a secret in clear."""
    resources = [{"urn": urn, "outputs": {"password": "canary"}} for urn in urns]
    return {"secrets_providers": {"type": "passphrase", "state": {"salt": "old"}}, "resources": resources, **more}


def answers(made: dict[str, Any]) -> dict[str, str]:
    """What Pulumi says of a stack that consists of that, with a secret in its configuration."""
    config = {"observability:slack": {"value": "canary", "secret": True}, "observability:demo": {"value": "true"}}
    return {
        "stack export": json.dumps({"version": 3, "deployment": made}),
        "config --show-secrets": json.dumps(config),
        "stack ls": json.dumps([]),
    }


@pytest.fixture(autouse=True)
def _surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVABILITY_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", "/given")
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)


def here(folder: Path, made: dict[str, Any], **more: str) -> Workspace:
    """A local stack that consists of that."""
    return fakes.workspace(folder, answers(made) | more, PULUMI_BACKEND_URL=HERE)


def move(space: Workspace, to: str = TO, provider: str = "") -> str:
    """What is said while a stack is moved."""
    text = io.StringIO()
    state.move_state(space, to, provider, Console(file=text, width=200))
    return text.getvalue()


def changes(folder: Path) -> list[str]:
    """The commands that change something."""
    reading = ("stack export", "config --show-secrets", "stack ls")
    return [line for line in fakes.calls(folder) if not line.startswith(reading)]


def test_all_is_written_and_then_taken_out(tmp_path: Path) -> None:
    """The stack is made, its resources and secrets are written, read back, and only then removed where they were."""
    said = move(here(tmp_path, deployment(URN)))
    assert changes(tmp_path) == [
        "stack init dev",
        "stack import --stack dev",
        "stack rm --force --yes --preserve-config dev",
    ]
    assert "1 resources and the secrets of dev go to s3://states" in said and "canary" not in said
    (copy,) = (tmp_path / "state/moved").iterdir()
    assert copy.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigError, match="the state of stack dev: is at s3://states: set PULUMI_BACKEND_URL"):
        workspace.mark_moved(Workspace("dev", tmp_path / "state/work/dev", {}, local=True), TO)
        open_workspace("dev", {"PATH": f"{tmp_path}/bin"})


@pytest.fixture(autouse=True)
def _work(tmp_path: Path) -> None:
    (tmp_path / "state/work/dev").mkdir(parents=True)


def test_a_deployment_names_what_it_is_encrypted_with(tmp_path: Path) -> None:
    """With the salt of the old one Pulumi would need the old passphrase."""
    made = deployment(URN)
    other = fakes.workspace(tmp_path, answers({**made, "secrets_providers": {"type": "new"}}))
    state.import_deployment(other, made)
    sent = json.loads((tmp_path / "stdin").read_text())
    assert sent["deployment"]["secrets_providers"] == {"type": "new"}
    assert sent["deployment"]["resources"] == made["resources"] and sent["version"] == 3


def test_a_key_of_a_cloud_encrypts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where people name one, no passphrase is needed."""
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE_FILE")
    move(here(tmp_path, deployment()), provider="awskms://alias/pulumi")
    assert changes(tmp_path)[0] == "stack init dev --secrets-provider awskms://alias/pulumi"


def test_what_is_in_the_way_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No URL, and nothing to encrypt with; nothing was asked."""
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE_FILE")
    with pytest.raises(ConfigError) as caught:
        move(here(tmp_path, deployment(URN)), to="bucket")
    assert [problem.where for problem in caught.value.problems] == ["TO", "stack dev"]
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" in str(caught.value) and fakes.calls(tmp_path) == []
    with pytest.raises(ConfigError, match="stack dev is there already"):
        move(here(tmp_path, deployment(URN)), to=HERE, provider="awskms://a")


def test_an_interrupted_run_ends_before(tmp_path: Path) -> None:
    """What it began is known to nobody but its state."""
    with pytest.raises(ConfigError, match="let one end before: make up STACK=dev"):
        move(here(tmp_path, deployment(URN, pending_operations=[{}])))
    assert changes(tmp_path) == []


def test_another_stack_of_that_name_is_left_alone(tmp_path: Path) -> None:
    """Its resources are others; one that an interrupted move has made is gone on with."""
    there = {"stack ls": json.dumps([{"name": "organization/observability/dev"}])}
    other = fakes.workspace(tmp_path, answers(deployment(URN)) | there, PULUMI_BACKEND_URL=TO)
    with pytest.raises(ConfigError, match="s3://states: has another stack called dev, with 1 resources"):
        state.begin_stack(other, deployment("urn:x"), "")
    state.begin_stack(other, deployment(URN), "")
    assert changes(tmp_path) == []


@pytest.mark.parametrize(
    ("after", "found"),
    [(deployment(URN), {"slack": "other"}), (deployment(), {"slack": "a"}), (deployment(URN, "urn:x"), {"slack": "a"})],
)
def test_what_is_not_there_as_it_was_stays(after: dict[str, Any], found: dict[str, str]) -> None:
    """A secret with another value, a resource less, one more."""
    with pytest.raises(SystemExit, match="so the stack stays where it is"):
        state.compare(deployment(URN), after, {"slack": "a"}, found)
    state.compare(deployment(URN), deployment(URN), {"slack": "a"}, {"slack": "a", "more": "b"})


def test_the_passphrase_of_here_does_not_go_there() -> None:
    """What people give is taken in its place, in whatever way they give it."""
    env = {"PULUMI_CONFIG_PASSPHRASE_FILE": "/local", "PATH": "/bin"}
    assert state.build_env(env, {"PULUMI_CONFIG_PASSPHRASE": "x"}, TO) == {
        "PULUMI_CONFIG_PASSPHRASE": "x", "PATH": "/bin", "PULUMI_BACKEND_URL": TO,
    }  # fmt: skip
    assert state.build_env(env, {}, TO)["PULUMI_CONFIG_PASSPHRASE_FILE"] == "/local"


def test_people_read_what_their_machine_had_added(tmp_path: Path) -> None:
    """From the next run on, the stack's own file has to say it."""
    space = Workspace("dev", tmp_path, {}, local=True)
    assert state.list_additions(space) == ""
    (tmp_path / "machine.yaml").write_text("docker: {registryMirror: 'm:5000'}\n")
    assert "observability:docker:\n    registryMirror: m:5000" in state.list_additions(space)
    assert workspace.read_overlay(space) == {"docker": {"registryMirror": "m:5000"}}
